"""openai → hub: streamed chunks as chunks of the hub, for callers who speak another language than the target.

Tool calls stay the pieces they came in. The usage comes last, as in every dialect, and a stream that ends without
``[DONE]`` is whole when every choice has its finish.
"""

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.dialects.openai.cleaning import clean_chunk
from tuneway.prediction.dialects.openai.counts import estimated, usage_in
from tuneway.prediction.dialects.openai.response import TOLD_FINISHES, fields_of, passage_of_exchange
from tuneway.prediction.hub.answer import (
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    FunctionDelta,
    Logprobs,
    NativeFinish,
    ToolCallDelta,
    Usage,
)
from tuneway.prediction.hub.chunks import ChunkPress
from tuneway.prediction.hub.messages import ExtraContent
from tuneway.prediction.upstream_errors import broken

_END = b"[DONE]"


class _Function(msgspec.Struct, gc=False):
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class _Piece(msgspec.Struct, gc=False):
    index: int
    function: _Function
    id: str | UnsetType = UNSET
    extra_content: ExtraContent | UnsetType = UNSET


class _Delta(msgspec.Struct, gc=False):
    role: str | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[_Piece] | UnsetType = UNSET
    annotations: list[dict[str, object]] | UnsetType = UNSET
    audio: dict[str, object] | UnsetType = UNSET


class _Choice(msgspec.Struct, gc=False):
    index: int
    delta: _Delta
    logprobs: Logprobs | None
    finish_reason: str | None
    native_finish_reason: NativeFinish | UnsetType = UNSET


class StreamDecoder:
    """Events in, chunks out; ``usage`` is what was counted, or estimated of what was said so far."""

    def __init__(self, exchange: Exchange) -> None:
        self._passage = passage_of_exchange(exchange)
        self._press = ChunkPress(exchange)
        self._finished: dict[int, bool] = {}
        self._counted: Usage | None = None
        self._written = 0
        self._ended = False

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._counted or estimated(self._passage.body, self._written)

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError when it is an error or no answer."""
        if event == _END:
            self._ended = True
            return []
        fields = fields_of(event)
        self._counted = usage_in(fields.get("usage")) or self._counted
        try:
            choices = msgspec.convert(clean_chunk(fields, self._passage)["choices"], list[_Choice])
        except msgspec.ValidationError as exc:
            raise broken(f"The model's host sent a chunk that cannot be read ({exc}). Try again.") from exc
        return [self._chunk(choice) for choice in choices]

    def flush(self) -> list[Chunk]:
        """The finishes still owed and the usage. Raises UpstreamError when the body ended too early."""
        if not self._finished:
            raise broken("The model's host closed the stream without an answer. Try again.")
        unfinished = [index for index, finished in self._finished.items() if not finished]
        if unfinished and not self._ended:
            raise broken("The model's host broke off in the middle of the answer. Try again.")
        return [self._press.finish(index, "stop") for index in unfinished] + self._press.closing(self.usage)

    def _chunk(self, choice: _Choice) -> Chunk:
        opening = choice.index not in self._finished
        self._finished[choice.index] = choice.finish_reason is not None or self._finished.get(choice.index, False)
        delta = choice.delta
        said, refused = delta.content or UNSET, delta.refusal or UNSET
        self._written += len(said or "") + len(refused or "") + len(delta.reasoning_content or "")
        silent = said is UNSET and refused is UNSET and delta.tool_calls is UNSET
        told = Delta(
            role="assistant" if opening else UNSET,
            content="" if opening and silent else said,
            refusal=refused,
            reasoning_content=delta.reasoning_content,
            tool_calls=UNSET if delta.tool_calls is UNSET else [_piece(piece) for piece in delta.tool_calls],
            annotations=delta.annotations,
            audio=delta.audio,
        )
        finish = None if choice.finish_reason is None else TOLD_FINISHES[choice.finish_reason]
        return self._press.chunk(
            ChunkChoice(
                index=choice.index,
                delta=told,
                logprobs=choice.logprobs,
                finish_reason=finish,
                native_finish_reason=choice.native_finish_reason,
            )
        )


def _piece(piece: _Piece) -> ToolCallDelta:
    return ToolCallDelta(
        index=piece.index,
        id=piece.id,
        type=UNSET if piece.id is UNSET else "function",
        function=FunctionDelta(name=piece.function.name, arguments=piece.function.arguments),
        extra_content=piece.extra_content,
    )
