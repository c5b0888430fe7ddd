"""Several choices from a target that gives one: as many calls, one answer."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.fan_out import Part, all_of, one_of, placed, side_by_side, sum_of
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    ChunkChoice,
    CompletionDetails,
    Delta,
    Exchange,
    PromptDetails,
    Usage,
)
from tuneway.prediction.hub.chunks import ChunkPress
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet
from tuneway.routing.routes import Route

COUNTED = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
BROKEN = UpstreamError("Broken.", status=502, kind="server_error")


def answer(part: Exchange, text: str, usage: Usage = COUNTED) -> ChatCompletion:
    choice = Choice(index=0, message=AnswerMessage(content=text), finish_reason="stop")
    return ChatCompletion(id=part.id, created=1, model="m", choices=[choice], usage=usage)


async def test_each_choice_is_asked_for_alone_and_keeps_its_place() -> None:
    parts: list[Exchange] = []

    async def ask(part: Exchange) -> ChatCompletion:
        parts.append(part)
        number = len(parts)
        await asyncio.sleep(0.01 / number)  # the last is the first to answer
        return answer(part, f"answer {number}")

    whole = await all_of(exchange(n=3), ask)
    assert [(choice.index, choice.message.content) for choice in whole.choices] == [
        (0, "answer 1"),
        (1, "answer 2"),
        (2, "answer 3"),
    ]
    assert {part.request.n for part in parts} == {None}
    assert (whole.id, whole.usage.total_tokens) == ("chatcmpl-1", 15)


async def test_one_failure_ends_the_others() -> None:
    ended: list[str] = []

    async def ask(part: Exchange) -> ChatCompletion:
        if part.id == "chatcmpl-1":
            raise BROKEN
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(part.id)
        return answer(part, "")

    with pytest.raises(UpstreamError):
        await asyncio.wait_for(all_of(exchange(n=3), ask), 2)
    assert len(ended) in {0, 2}


def test_tool_calls_of_two_choices_never_share_an_id() -> None:
    asked = exchange(n=12)
    ids = {one_of(asked, index).call_id(0, 0) for index in range(12)}
    assert len(ids) == 12


class Streams:
    """Parts that say their words, one piece each, and count how many were ended."""

    def __init__(self, *words: str, fault: int | None = None, pause: float = 0.0) -> None:
        self.words = words
        self.fault = fault
        self.pause = pause
        self.opened = 0
        self.closed = 0
        self.record = journey()
        self._parts = [Part(journey=self.record.part(), source=partial(self._told, number)) for number in range(3)]

    def __call__(self) -> AsyncGenerator[bytes, None]:
        return side_by_side(self._parts, _closing, Outlet(), journey=self.record)

    async def _told(self, number: int, outlet: Outlet) -> AsyncGenerator[bytes, None]:
        assert outlet.give is not None
        self.opened += 1
        try:
            for word in self.words:
                await asyncio.sleep(self.pause)
                if number == self.fault:
                    raise BROKEN
                yield f"{number}{word} ".encode()
            yield b""
        finally:
            self._parts[number].journey.usage = COUNTED
            self.closed += 1


def _closing(usage: Usage) -> bytes:
    return b"%d tokens" % usage.total_tokens


def journey() -> Journey:
    return Journey(Route(alias="m", targets=(), created_at=0.0))


async def test_streams_are_told_side_by_side_with_one_usage_at_the_end() -> None:
    streams = Streams("a", "b")
    *pieces, closing = [piece async for piece in streams()]
    told = b"".join(pieces).decode().split()
    for number in "012":
        assert [word for word in told if word.startswith(number)] == [f"{number}a", f"{number}b"]
    assert (closing, streams.record.usage) == (b"15 tokens", sum_of([COUNTED] * 3))


async def test_a_stream_that_breaks_ends_all_of_them() -> None:
    streams = Streams("a", "b", fault=1)
    with pytest.raises(UpstreamError):
        [piece async for piece in streams()]
    assert (streams.opened, streams.closed, streams.record.usage) == (3, 3, sum_of([COUNTED] * 3))


async def test_a_caller_who_leaves_ends_all_streams() -> None:
    streams = Streams("a", "b", pause=0.001)
    pieces = streams()
    await anext(pieces)
    await pieces.aclose()
    assert (streams.opened, streams.closed) == (3, 3)


def test_chunks_stand_under_their_choice_and_without_the_usage_of_theirs_alone() -> None:
    asked = exchange(n=2, stream=True, stream_options={"include_usage": True})
    press = ChunkPress(one_of(asked, 1))
    said = press.chunk(ChunkChoice(index=0, delta=Delta(content="a")))
    told = placed([said, press.finish(0, "stop"), *press.closing(COUNTED)], asked, 1)
    assert [(chunk.id, chunk.choices[0].index, chunk.usage) for chunk in told] == [("chatcmpl-1", 1, None)] * 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=1, max_size=5))
def test_tokens_are_summed_whatever_details_there_are(counts: list[tuple[int, int, bool]]) -> None:
    usages = [
        Usage(
            prompt_tokens=read,
            completion_tokens=written,
            total_tokens=read + written,
            prompt_tokens_details=PromptDetails(cached_tokens=read, cache_write_tokens=1) if detailed else UNSET,
            completion_tokens_details=CompletionDetails(reasoning_tokens=written) if detailed else UNSET,
            estimated=True if detailed else UNSET,
        )
        for read, written, detailed in counts
    ]
    total = sum_of(usages)
    assert total.total_tokens == sum(read + written for read, written, _ in counts)
    assert (total.estimated is True) is any(detailed for *_, detailed in counts)
    if total.prompt_tokens_details:
        assert total.prompt_tokens_details.cached_tokens == sum(read for read, _, detailed in counts if detailed)
