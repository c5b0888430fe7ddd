"""``/v1/completions``: a chat's answer told as OpenAI tells completions, whole or in chunks.

Shape: OpenAI's published OpenAPI document, ``CreateCompletionResponse``; chunks have the same shape, as OpenAI streams
them, with ``finish_reason`` null until the last. Thoughts have no place here and are left to the usage; a refusal in
the model's own words is the text.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.fan_out import sum_of
from tuneway.prediction.hub.answer import (
    DONE,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    FinishReason,
    Logprobs,
    NativeFinish,
    Usage,
)
from tuneway.prediction.surfaces.completions.request import CompletionRequest, prompts_of

Finish = Literal["stop", "length", "content_filter"]

_FINISHES: dict[FinishReason, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "content_filter": "content_filter",
}
_ENCODER = msgspec.json.Encoder()


class CompletionLogprobs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Log probabilities of a text's tokens, in four lists of one length."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class CompletionChoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of the texts; in a chunk, what is new of it."""

    text: str
    index: int
    logprobs: CompletionLogprobs | None
    finish_reason: Finish | None
    native_finish_reason: NativeFinish | UnsetType = UNSET


class Completion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer, or a chunk of one; ``usage`` is absent in chunks unless asked for, then null until the last."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | UnsetType | None = UNSET


def chat_to_completion(answers: Sequence[ChatCompletion], request: CompletionRequest) -> Completion:
    """The completion made of each prompt's answer, in the order of the prompts."""
    first = answers[0]
    pairs = zip(answers, prompts_of(request), strict=True)
    return Completion(
        id=completion_id(first.id),
        created=first.created,
        model=request.model,
        choices=[
            _choice(choice, position * (request.n or 1), echoed=prompt if request.echo else "")
            for position, (answer, prompt) in enumerate(pairs)
            for choice in answer.choices
        ],
        usage=sum_of([answer.usage for answer in answers]),
    )


class ChunkTeller:
    """Chunks of one prompt's chat in, completion chunks out; ``prompt`` is its position among the prompts."""

    def __init__(self, request: CompletionRequest, *, prompt: int = 0) -> None:
        self._first = prompt * (request.n or 1)
        self._echoed = prompts_of(request)[prompt] if request.echo else ""
        self._model = request.model
        self._counts = request.stream_options is not None and request.stream_options.include_usage is True
        self._offsets: dict[int, int] = {}

    def told(self, chunk: Chunk) -> list[Completion]:
        """What a chunk says, if it says anything; the usage waits for ``closing``."""
        choices = [told for choice in chunk.choices if (told := self._choice(choice)) is not None]
        return [self._chunk(chunk, choices, None if self._counts else UNSET)] if choices else []

    def closing(self, last: Chunk, usage: Usage) -> list[Completion]:
        """The usage chunk, where the caller asked for one; ``last`` is any chunk of the answer."""
        return [self._chunk(last, [], usage)] if self._counts else []

    def _chunk(self, chunk: Chunk, choices: list[CompletionChoice], usage: Usage | UnsetType | None) -> Completion:
        made, name = completion_id(chunk.id), self._model
        return Completion(id=made, created=chunk.created, model=name, choices=choices, usage=usage)

    def _choice(self, choice: ChunkChoice) -> CompletionChoice | None:
        opening = choice.index not in self._offsets
        text = (self._echoed if opening else "") + (choice.delta.content or "") + (choice.delta.refusal or "")
        if not text and choice.finish_reason is None:
            return None
        offset = self._offsets.get(choice.index, 0)
        self._offsets[choice.index] = offset + len(text)
        return CompletionChoice(
            text=text,
            index=self._first + choice.index,
            logprobs=_logprobs(choice.logprobs, offset=offset),
            finish_reason=None if choice.finish_reason is None else _FINISHES[choice.finish_reason],
            native_finish_reason=choice.native_finish_reason,
        )


class CompletionEvents:
    """One prompt's chunks in, events out."""

    def __init__(self, teller: ChunkTeller) -> None:
        self._teller = teller
        self._last: list[Chunk] = []

    def encode(self, chunks: list[Chunk]) -> bytes:
        """The events that chunks bring, joined."""
        self._last = chunks[-1:] or self._last
        return encode_completions([one for chunk in chunks for one in self._teller.told(chunk)])

    def flush(self, usage: Usage) -> bytes:
        """The usage, where the caller asked for it, and the mark of the end."""
        return encode_completions([one for last in self._last for one in self._teller.closing(last, usage)]) + DONE


def completion_id(chat_id: str) -> str:
    """``cmpl-…`` for ``chatcmpl-…``."""
    return f"cmpl-{chat_id.removeprefix('chatcmpl-')}"


def encode_completion(completion: Completion) -> bytes:
    """The answer's JSON."""
    return _ENCODER.encode(completion)


def encode_completions(chunks: Iterable[Completion]) -> bytes:
    """Chunks as server-sent events, joined; nothing when there are none."""
    return b"".join([b"data: %b\n\n" % _ENCODER.encode(chunk) for chunk in chunks])


def _choice(choice: Choice, first: int, *, echoed: str) -> CompletionChoice:
    return CompletionChoice(
        text=echoed + (choice.message.content or "") + (choice.message.refusal or ""),
        index=first + choice.index,
        logprobs=_logprobs(choice.logprobs, offset=0),
        finish_reason=_FINISHES[choice.finish_reason],
        native_finish_reason=choice.native_finish_reason,
    )


def _logprobs(logprobs: Logprobs | None, *, offset: int) -> CompletionLogprobs | None:
    if logprobs is None or logprobs.content is None:
        return None
    offsets: list[int] = []
    for one in logprobs.content:
        offsets.append(offset)
        offset += len(one.token)
    return CompletionLogprobs(
        tokens=[one.token for one in logprobs.content],
        token_logprobs=[one.logprob for one in logprobs.content],
        top_logprobs=[{top.token: top.logprob for top in one.top_logprobs} for one in logprobs.content],
        text_offset=offsets,
    )
