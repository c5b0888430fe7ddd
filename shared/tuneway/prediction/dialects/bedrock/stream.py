"""Converse → hub: ``ConverseStream`` events as chunks.

The usage comes after the stop reason, so the finish waits for the end of the body; what was said never waits. Events
are named JSON objects, as ``framing/event_stream.py`` gives them; an exception is one of them.
"""

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.absent import read
from tuneway.prediction.dialects.bedrock.capacity import Performance, Tier, tier_of
from tuneway.prediction.dialects.bedrock.response import (
    Reasoning,
    ReasoningText,
    TokenUsage,
    carried,
    finish_reason,
    raised,
    thinking_block,
    usage_of,
)
from tuneway.prediction.hub.answer import (
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    FunctionDelta,
    ServiceTier,
    ToolCallDelta,
    Usage,
    native_finish,
)
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.prediction.hub.chunks import ChunkPress
from tuneway.prediction.upstream_errors import broken, from_event


class ToolUseStart(msgspec.Struct, rename="camel", gc=False):
    """A function that is going to be called."""

    tool_use_id: str = ""
    name: str = ""
    type: str | None = None


class Start(msgspec.Struct, rename="camel", gc=False):
    """What a block begins with."""

    tool_use: ToolUseStart | None = None


class BlockStart(msgspec.Struct, rename="camel", gc=False):
    """A block begins."""

    start: Start = msgspec.field(default_factory=Start)
    content_block_index: int = 0


class ToolUsePiece(msgspec.Struct, gc=False):
    """A piece of the arguments' JSON text."""

    input: str = ""


class ReasoningPiece(msgspec.Struct, rename="camel", gc=False):
    """A piece of a thought, or its signature, or one that only the model can read."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Piece(msgspec.Struct, rename="camel", gc=False):
    """What is new of a block."""

    text: str | None = None
    tool_use: ToolUsePiece | None = None
    reasoning_content: ReasoningPiece | None = None


class BlockDelta(msgspec.Struct, rename="camel", gc=False):
    """A block goes on."""

    delta: Piece = msgspec.field(default_factory=Piece)
    content_block_index: int = 0


class BlockStop(msgspec.Struct, rename="camel", gc=False):
    """A block ends."""

    content_block_index: int = 0


class MessageStop(msgspec.Struct, rename="camel", gc=False):
    """The answer ends."""

    stop_reason: str = ""


class Metadata(msgspec.Struct, rename="camel", gc=False):
    """What the answer took, and how it was served."""

    usage: TokenUsage | None = None
    service_tier: Tier | None = None
    performance_config: Performance | None = None


class StreamEvent(msgspec.Struct, rename="camel", gc=False):
    """One of these is set; of a ``messageStart`` nothing is read."""

    content_block_delta: BlockDelta | None = None
    content_block_start: BlockStart | None = None
    content_block_stop: BlockStop | None = None
    message_start: object = None
    message_stop: MessageStop | None = None
    metadata: Metadata | None = None


class _Thought:
    """A thought as far as it came."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.texts: list[str] = []
        self.signature = ""
        self.redacted: str | None = None


_DECODER = msgspec.json.Decoder(StreamEvent)
_ANY_EVENT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NOTHING = StreamEvent()


class StreamDecoder:
    """Events in, chunks out; ``usage`` is what was counted so far."""

    def __init__(self, exchange: Exchange) -> None:
        self._press = ChunkPress(exchange)
        self._counts = TokenUsage()
        self._opened = False
        self._worded = False
        self._kept = 0
        self._calls: dict[int, int] = {}
        self._without_arguments: set[int] = set()
        self._answers: set[int] = set()
        self._thoughts: dict[int, _Thought] = {}
        self._stop: str | None = None
        self._tier: ServiceTier | UnsetType = UNSET

    @property
    def usage(self) -> Usage:
        """The tokens counted so far."""
        return usage_of(self._counts)

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError when it is an error or no event."""
        match _parsed(event):
            case StreamEvent(content_block_delta=BlockDelta() as told):
                return self._going_on(told.delta, told.content_block_index)
            case StreamEvent(content_block_start=BlockStart(start=Start(tool_use=ToolUseStart() as tool)) as begun):
                return self._called(tool, begun.content_block_index)
            case StreamEvent(content_block_stop=BlockStop(content_block_index=index)):
                return self._ended(index)
            case StreamEvent(message_stop=MessageStop(stop_reason=reason)):
                self._stop = reason
                return []
            case StreamEvent(metadata=Metadata() as metadata):
                self._counts = metadata.usage or self._counts
                self._tier = tier_of(metadata.service_tier, metadata.performance_config)
                return []
            case _:
                return []

    def flush(self) -> list[Chunk]:
        """The finish and the usage, and how it was served. Raises UpstreamError when the body ended too early."""
        if self._stop is None:
            raise broken("The model's host broke off in the middle of the answer. Try again.")
        opening = [] if self._opened else [self._chunk(Delta(content=""))]
        ends = [self._finish(self._stop), *self._press.closing(self.usage)]
        return [*opening, *(msgspec.structs.replace(end, service_tier=self._tier) for end in ends)]

    def _finish(self, reason: str) -> Chunk:
        finish = finish_reason(reason, called=bool(self._calls))
        return self._press.finish(0, finish, native=native_finish(reason))

    def _going_on(self, piece: Piece, index: int) -> list[Chunk]:
        if piece.text is not None:
            self._worded = self._worded or bool(piece.text.strip())
            return [self._chunk(Delta(content=piece.text))]
        if piece.tool_use is not None:
            return self._arguments(piece.tool_use.input, index)
        return self._thinking(piece.reasoning_content, index) if piece.reasoning_content is not None else []

    def _called(self, tool: ToolUseStart, index: int) -> list[Chunk]:
        if tool.type == "server_tool_use":
            return []
        self._without_arguments.add(index)
        if tool.name == ANSWER_TOOL:
            self._answers.add(index)
            return []
        self._calls[index] = number = len(self._calls)
        begun = FunctionDelta(name=tool.name, arguments="")
        return [self._chunk(Delta(tool_calls=[ToolCallDelta(index=number, id=tool.tool_use_id, function=begun)]))]

    def _arguments(self, text: str, index: int) -> list[Chunk]:
        """A piece of a call's arguments, if it says anything and the call is the caller's; or one of the answer."""
        if not text or index not in {*self._answers, *self._calls}:
            return []
        self._without_arguments.discard(index)
        if index in self._answers:
            self._worded = True
            return [self._chunk(Delta(content=text))]
        more = FunctionDelta(arguments=text)
        return [self._chunk(Delta(tool_calls=[ToolCallDelta(index=self._calls[index], type=UNSET, function=more)]))]

    def _ended(self, index: int) -> list[Chunk]:
        """A call for which no arguments came takes none, which is JSON too."""
        if index in self._without_arguments:
            return self._arguments("{}", index)
        return self._thought_through(index)

    def _thinking(self, piece: ReasoningPiece, index: int) -> list[Chunk]:
        thought = self._thoughts.get(index)
        if thought is None:
            thought = self._thoughts[index] = _Thought(self._kept + self._worded + len(self._calls))
        if piece.redacted_content is not None:
            thought.redacted = (thought.redacted or "") + piece.redacted_content
        thought.signature += piece.signature or ""
        if piece.text is None:
            return []
        thought.texts.append(piece.text)
        return [self._chunk(Delta(reasoning_content=piece.text))]

    def _thought_through(self, index: int) -> list[Chunk]:
        """A thought that must be given back travels whole, at its end."""
        thought = self._thoughts.pop(index, None)
        if thought is None:
            return []
        text = ReasoningText("".join(thought.texts), thought.signature)
        block = thinking_block(Reasoning(text, thought.redacted), index=thought.index)
        if block is None:
            return []
        self._kept += 1
        return [self._chunk(Delta(extra_content=carried([block])))]

    def _chunk(self, delta: Delta) -> Chunk:
        """What is new; the first chunk bears the role."""
        if not self._opened:
            self._opened = True
            delta = msgspec.structs.replace(delta, role="assistant")
        return self._press.chunk(ChunkChoice(index=0, delta=delta))


def _parsed(event: bytes) -> StreamEvent:
    try:
        parsed = read(event, _DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(event) from None
    if parsed == _NOTHING:
        _refuse_exception(event)
    return parsed


def _refuse_exception(event: bytes) -> None:
    """An event of an unknown kind is passed over; an exception or an error never is."""
    for name, payload in _ANY_EVENT.decode(event).items():
        if name == "error" or name.endswith("Exception"):
            raise raised(name, bytes(payload))
