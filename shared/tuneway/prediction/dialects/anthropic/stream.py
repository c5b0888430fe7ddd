"""Anthropic → hub: the Messages API's events as chunks.

An event says what it is in its own ``type``. Blocks are numbered over all kinds, tool calls only among themselves; a
thought travels twice, as it comes (``reasoning_content``) and, once whole and signed, in ``extra_content``. Usage comes
in two parts, and what the later one tells counts. An unknown event or block says nothing.
"""

import msgspec
from msgspec import UNSET

from tuneway.prediction.absent import read
from tuneway.prediction.dialects.anthropic.response import (
    Block,
    Counts,
    Message,
    Places,
    StopDetails,
    fault_of,
    finish_reason,
    thoughts_of,
    usage_of,
)
from tuneway.prediction.hub.answer import (
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    FinishReason,
    FunctionDelta,
    ToolCallDelta,
    Usage,
    native_finish,
)
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.prediction.hub.chunks import ChunkPress
from tuneway.prediction.upstream_errors import broken


class News(Block, gc=False):
    """What is new of a block, or of the message: why it stopped."""

    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class Event(msgspec.Struct, gc=False):
    """One event; which fields it has depends on ``type``."""

    type: str
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: News | None = None
    usage: Counts | None = None


class _Open:
    """A block that is being told; ``place`` is where it stands in what comes back."""

    __slots__ = ("block", "call", "place")

    def __init__(self, block: Block, call: int | None, place: int) -> None:
        self.block = block
        self.call = call
        self.place = place


_DECODER = msgspec.json.Decoder(Event)


def event_of(data: bytes) -> Event:
    """One event. Raises UpstreamError when it is an error or no event."""
    try:
        event = read(data, _DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise fault_of(data) from None
    if event.type == "error":
        raise fault_of(data)
    return event


def counted(before: Counts, event: Event) -> Counts:
    """The counts after an event: what it tells goes over what was told before."""
    usage = event.usage or (event.message.usage if event.message is not None else None)
    if usage is None:
        return before
    told = {name: value for name, value in msgspec.structs.asdict(usage).items() if value is not None}
    return msgspec.structs.replace(before, **told)


class StreamDecoder:
    """Events in, chunks out; ``usage`` is what was counted so far."""

    def __init__(self, exchange: Exchange) -> None:
        self._press = ChunkPress(exchange)
        self._counts = Counts()
        self._open: dict[int, _Open] = {}
        self._places = Places()
        self._calls = 0
        self._finish: FinishReason | None = None
        self._stop: str | None = None
        self._started = False
        self._ended = False

    @property
    def usage(self) -> Usage:
        """The tokens counted so far."""
        return usage_of(self._counts)

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError when it is an error or no event."""
        told = event_of(event)
        self._counts = counted(self._counts, told)
        delta = self._told(told)
        return [] if delta is None else [self._press.chunk(ChunkChoice(index=0, delta=delta))]

    def flush(self) -> list[Chunk]:
        """The finish and the usage. Raises UpstreamError when the body ended before the message did."""
        if not self._started:
            raise broken("The model's host closed the stream without an answer. Try again.")
        if not self._ended or self._finish is None:
            raise broken("The model's host broke off in the middle of the answer. Try again.")
        finish = self._press.finish(0, self._finish, native=native_finish(self._stop))
        return [finish, *self._press.closing(self.usage)]

    def _told(self, event: Event) -> Delta | None:
        match event:
            case Event(type="message_start"):
                self._started = True
                return Delta(role="assistant", content="")
            case Event(type="content_block_start", content_block=Block() as block):
                return self._opened(event.index, block)
            case Event(type="content_block_delta", delta=News() as news) if event.index in self._open:
                return _piece(self._open[event.index], news)
            case Event(type="content_block_stop") if event.index in self._open:
                return self._closed(event.index)
            case Event(type="message_delta", delta=News() as news):
                return self._stopped(news)
            case _:
                self._ended = self._ended or event.type == "message_stop"
                return None

    def _opened(self, index: int, block: Block) -> Delta | None:
        calls = block.type == "tool_use" and block.name != ANSWER_TOOL
        self._open[index] = opened = _Open(block, self._calls if calls else None, self._places.next)
        if opened.call is None:
            return _opening(block)
        self._calls += 1
        function = FunctionDelta(name=block.name, arguments="")
        return Delta(tool_calls=[ToolCallDelta(index=opened.call, id=block.id, function=function)])

    def _closed(self, index: int) -> Delta | None:
        """A thought, whole, as it came in pieces; or the input of a tool that came in none, so that it is an object."""
        opened = self._open.pop(index)
        self._places.passed(opened.block)
        if opened.block.type == "tool_use" and not opened.block.partial_json:
            return _input(opened, bytes(opened.block.input).decode())
        extra = thoughts_of([(opened.place, opened.block)])
        return None if extra is UNSET else Delta(extra_content=extra)

    def _stopped(self, news: News) -> Delta | None:
        self._stop = news.stop_reason
        self._finish = finish_reason(news.stop_reason, called=self._calls > 0)
        why = news.stop_details.explanation if news.stop_details is not None else None
        return Delta(refusal=why) if why else None


def _opening(block: Block) -> Delta | None:
    """What a block holds from its start on, for hosts that do not open it empty."""
    if block.thinking:
        return Delta(reasoning_content=block.thinking)
    return Delta(content=block.text) if block.text else None


def _piece(opened: _Open, news: News) -> Delta | None:
    """What is new of a block; a thought is also gathered."""
    block = opened.block
    if news.thinking or news.signature:
        block.thinking += news.thinking
        block.signature += news.signature
        return Delta(reasoning_content=news.thinking) if news.thinking else None
    if news.partial_json and block.type == "tool_use":
        block.partial_json = news.partial_json
        return _input(opened, news.partial_json)
    if not block.text.strip():  # of a text only this is asked later: whether it is blank
        block.text += news.text
    return Delta(content=news.text) if news.text else None


def _input(opened: _Open, piece: str) -> Delta:
    """A piece of a tool's input: a call's arguments, or, of the tool that takes the answer, its text."""
    if opened.call is None:
        return Delta(content=piece)
    return Delta(tool_calls=[ToolCallDelta(index=opened.call, type=UNSET, function=FunctionDelta(arguments=piece))])
