"""Chunks of one exchange: their common head, the closing usage, and a whole answer told as a stream."""

from msgspec import UNSET, UnsetType

from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    FinishReason,
    NativeFinish,
    OlderCall,
    OlderDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from tuneway.prediction.hub.request import wants_usage


class ChunkPress:
    """Stamps choices with the head every chunk of an exchange shares."""

    def __init__(self, exchange: Exchange) -> None:
        self._id = exchange.id
        self._created = exchange.created
        self._model = exchange.request.model
        self._counts = wants_usage(exchange.request)
        self._usage: UnsetType | None = None if self._counts else UNSET

    def chunk(self, choice: ChunkChoice) -> Chunk:
        """One choice as a chunk."""
        return Chunk(id=self._id, created=self._created, model=self._model, choices=[choice], usage=self._usage)

    def finish(self, index: int, reason: FinishReason, *, native: NativeFinish | UnsetType = UNSET) -> Chunk:
        """The last chunk of a choice."""
        return self.chunk(ChunkChoice(index=index, delta=Delta(), finish_reason=reason, native_finish_reason=native))

    def closing(self, usage: Usage) -> list[Chunk]:
        """The usage chunk, where the caller asked for one."""
        if not self._counts:
            return []
        return [Chunk(id=self._id, created=self._created, model=self._model, choices=[], usage=usage)]


def as_chunks(completion: ChatCompletion, exchange: Exchange) -> list[Chunk]:
    """A whole answer as a valid stream, for hosts that cannot stream: what was said, each finish, the usage."""
    press = ChunkPress(exchange)
    said = [press.chunk(_said(choice)) for choice in completion.choices]
    ends = [
        press.finish(choice.index, choice.finish_reason, native=choice.native_finish_reason)
        for choice in completion.choices
    ]
    return said + ends + press.closing(completion.usage)


def _said(choice: Choice) -> ChunkChoice:
    return ChunkChoice(index=choice.index, delta=opening(choice.message), logprobs=choice.logprobs)


def opening(message: AnswerMessage) -> Delta:
    """A message as the first delta of its choice."""
    return Delta(
        role="assistant",
        content=message.content,
        refusal=UNSET if message.refusal is None else message.refusal,
        reasoning_content=message.reasoning_content,
        tool_calls=UNSET if message.tool_calls is UNSET else call_deltas(message.tool_calls, start=0),
        function_call=_older(message.function_call),
        annotations=message.annotations,
        audio=message.audio,
        images=message.images,
        extra_content=message.extra_content,
    )


def _older(call: OlderCall | UnsetType) -> OlderDelta | UnsetType:
    if call is UNSET:
        return UNSET
    return OlderDelta(name=call.name, arguments=call.arguments, extra_content=call.extra_content)


def call_deltas(calls: list[ToolCall], *, start: int) -> list[ToolCallDelta]:
    """Whole tool calls as deltas, numbered from ``start`` within their choice."""
    return [
        ToolCallDelta(index=index, id=call.id, function=call.function, extra_content=call.extra_content)
        for index, call in enumerate(calls, start)
    ]
