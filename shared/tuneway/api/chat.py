"""``completion``, ``acompletion`` and ``batch_completion``: LiteLLM's names, arguments and answers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, overload

import msgspec
from typing_extensions import Unpack

from tuneway.api import deployed, direct
from tuneway.api.answers import ModelResponse, read
from tuneway.api.background import background
from tuneway.api.errors import APIError
from tuneway.api.options import Asked, Options, asked
from tuneway.api.streams import CompletionStream, Reading

Messages = Sequence[object]
WORKERS = 100


@overload
def completion(
    model: str, messages: Messages, *, stream: Literal[False] | None = None, **options: Unpack[Options]
) -> ModelResponse: ...
@overload
def completion(
    model: str, messages: Messages, *, stream: Literal[True], **options: Unpack[Options]
) -> CompletionStream: ...
@overload
def completion(
    model: str, messages: Messages, *, stream: bool | None, **options: Unpack[Options]
) -> ModelResponse | CompletionStream: ...
def completion(
    model: str, messages: Messages, *, stream: bool | None = None, **options: Unpack[Options]
) -> ModelResponse | CompletionStream:
    """The model's answer, or with ``stream`` its chunks as they come; see ``Options`` for what it takes.

    ``model`` is a name with its provider (``vertex_ai/gemini-3.5-flash``, ``vertex_ai/endpoints/4567``,
    ``openai/gpt-5``), called from this computer; or, with ``base_url``, anything a deployed tuneway knows. Works in
    notebooks and other running event loops too. Raises APIError.
    """
    question = asked(model, messages, _given(options), stream=stream is True)
    return background.run(_asked(question))


@overload
async def acompletion(
    model: str, messages: Messages, *, stream: Literal[False] | None = None, **options: Unpack[Options]
) -> ModelResponse: ...
@overload
async def acompletion(
    model: str, messages: Messages, *, stream: Literal[True], **options: Unpack[Options]
) -> CompletionStream: ...
@overload
async def acompletion(
    model: str, messages: Messages, *, stream: bool | None, **options: Unpack[Options]
) -> ModelResponse | CompletionStream: ...
async def acompletion(
    model: str, messages: Messages, *, stream: bool | None = None, **options: Unpack[Options]
) -> ModelResponse | CompletionStream:
    """``completion`` for coroutines; a stream is read with ``async for``. Cancelling it ends the call."""
    question = asked(model, messages, _given(options), stream=stream is True)
    return await background.wait(_asked(question))


def batch_completion(
    model: str, messages: Sequence[Messages], *, max_workers: int = WORKERS, **options: Unpack[Options]
) -> list[ModelResponse | APIError]:
    """The answers to many conversations, in their order, at most ``max_workers`` at a time.

    One that failed has its error in its place, as in LiteLLM, so that the others are not lost.
    """

    def one(conversation: Messages) -> ModelResponse | APIError:
        try:
            return completion(model, conversation, **options)
        except APIError as fault:
            return fault

    with ThreadPoolExecutor(max_workers) as pool:
        return list(pool.map(one, messages))


async def _asked(question: Asked) -> ModelResponse | CompletionStream:
    return await _opened(question) if question.stream else await _whole(question)


async def _whole(question: Asked) -> ModelResponse:
    return read(ModelResponse, await (deployed.whole if deployed.is_meant(question) else direct.whole)(question))


async def _opened(question: Asked) -> CompletionStream:
    first, pieces = await (deployed.opened if deployed.is_meant(question) else direct.opened)(question)
    return CompletionStream(Reading(first, pieces))


def _given(options: Options) -> Mapping[str, object]:
    return msgspec.convert(options, dict[str, object])
