"""Several choices from a target that gives one at a time: as many calls at once, merged under their indices."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from functools import partial

import msgspec
from msgspec import UNSET

from tuneway.prediction.hub.answer import (
    ChatCompletion,
    Chunk,
    CompletionDetails,
    Exchange,
    PromptDetails,
    Usage,
)
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet, Source, poured
from tuneway.prediction.side_calls import as_they_come, in_order


def one_of(exchange: Exchange, index: int) -> Exchange:
    """The exchange of one choice: its id is its own, so that tool calls of two choices never share one."""
    request = msgspec.structs.replace(exchange.request, n=None)
    return msgspec.structs.replace(exchange, request=request, id=f"{exchange.id}{index or ''}")


async def all_of(
    exchange: Exchange, ask: Callable[[Exchange], Coroutine[object, object, ChatCompletion]]
) -> ChatCompletion:
    """The choices of ``n`` answers as one. One that fails ends the others; its fault is raised."""
    count = exchange.request.n or 1
    answers = await in_order([partial(ask, one_of(exchange, index)) for index in range(count)], at_once=count)
    choices = [
        msgspec.structs.replace(choice, index=index)
        for index, answer in enumerate(answers)
        for choice in answer.choices[:1]
    ]
    usage = sum_of([answer.usage for answer in answers])
    return msgspec.structs.replace(answers[0], id=exchange.id, choices=choices, usage=usage)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of several streams that are one answer: its record, and its pieces."""

    journey: Journey
    source: Source


async def side_by_side(
    parts: Sequence[Part], closing: Callable[[Usage], bytes], outlet: Outlet, *, journey: Journey
) -> AsyncGenerator[bytes, None]:
    """``outlet.Source``: the pieces of all as they come, then ``closing`` of their tokens. One that fails ends all."""

    def usage() -> Usage:
        return sum_of([part.journey.usage for part in parts if part.journey.usage is not None])

    journey.waits()
    try:
        async with aclosing(as_they_come([partial(poured, part.source) for part in parts], outlet)) as pieces:
            async for piece in pieces:
                journey.goes_on()
                yield piece
        yield closing(usage())
    finally:
        journey.goes_on()
        journey.usage = usage()


def placed(chunks: Iterable[Chunk], exchange: Exchange, index: int) -> list[Chunk]:
    """A choice's chunks under its index, and without the usage of their stream alone."""
    return [_placed(chunk, exchange, index) for chunk in chunks if chunk.choices]


def _placed(chunk: Chunk, exchange: Exchange, index: int) -> Chunk:
    choices = [msgspec.structs.replace(choice, index=index) for choice in chunk.choices[:1]]
    return msgspec.structs.replace(chunk, id=exchange.id, choices=choices)


def sum_of(usages: Sequence[Usage]) -> Usage:
    """Tokens of several answers; estimated when one of them is."""
    prompts = [usage.prompt_tokens_details for usage in usages if usage.prompt_tokens_details is not UNSET]
    answers = [usage.completion_tokens_details for usage in usages if usage.completion_tokens_details is not UNSET]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        total_tokens=sum(usage.total_tokens for usage in usages),
        prompt_tokens_details=_prompts(prompts) if prompts else UNSET,
        completion_tokens_details=_answers(answers) if answers else UNSET,
        estimated=True if any(usage.estimated is True for usage in usages) else UNSET,
    )


def _prompts(details: Sequence[PromptDetails]) -> PromptDetails:
    written = [one.cache_write_tokens for one in details if one.cache_write_tokens is not UNSET]
    return PromptDetails(
        cached_tokens=sum(one.cached_tokens for one in details),
        cache_write_tokens=sum(written) if written else UNSET,
        audio_tokens=sum(one.audio_tokens for one in details),
    )


def _answers(details: Sequence[CompletionDetails]) -> CompletionDetails:
    return CompletionDetails(
        reasoning_tokens=sum(one.reasoning_tokens for one in details),
        audio_tokens=sum(one.audio_tokens for one in details),
    )
