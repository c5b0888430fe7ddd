"""Streams on their way to the caller: a host's events told in a surface's words, and what a fault in the middle is."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Protocol, Self

from tuneway.errors import UpstreamError
from tuneway.ports import Take
from tuneway.prediction.hub.answer import Chunk, Usage, encode_error_event
from tuneway.prediction.outlet import Outlet, Source
from tuneway.prediction.retelling import Decoder
from tuneway.prediction.upstream_errors import broken

Encode = Callable[[list[Chunk]], bytes]
Close = Callable[[Usage], bytes]


class Pieces(Protocol):
    """The caller's own events, one after the other; to be closed by whoever stops before the end."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Themselves."""
        ...

    def __anext__(self) -> Awaitable[bytes]:
        """The events that came together, as the caller is to get them."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Stop: ends the call."""
        ...


class Events(Pieces, Protocol):
    """The same, which can be poured from some event on."""

    async def pour(self, take: Take) -> None:
        """All that is left to ``take``, which must not fail: given on while it arrives, where that can be done."""
        ...


class ByteDecoder(Protocol):
    """Events of a host in, the caller's own events out."""

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        ...

    def decode(self, event: bytes) -> bytes:
        """What one event is to the caller. Raises UpstreamError."""
        ...

    def flush(self) -> bytes:
        """What the end brings. Raises UpstreamError when it came too early."""
        ...


class ByteTeller:
    """``calls.Teller`` of a caller's own events."""

    def __init__(self, decoder: ByteDecoder) -> None:
        self._decoder = decoder

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._decoder.usage

    def arrived(self, events: Iterable[bytes]) -> tuple[bytes, UpstreamError | None]:
        """What the events up to the first error come to, and the error."""
        told: list[bytes] = []
        try:
            for event in events:
                told.append(self._decoder.decode(event))  # noqa: PERF401  (what came before an error counts)
        except UpstreamError as exc:
            return b"".join(told), exc
        return b"".join(told), None

    def ended(self) -> bytes:
        """What is still owed, and the mark of the end."""
        return self._decoder.flush()


class ChunkEvents:
    """``calls.Teller`` where a host's events are told in chunks, and these in a surface's words.

    ``close`` gives what stands after the last chunk, for the tokens there were.
    """

    def __init__(self, decoder: Decoder, *, encode: Encode, close: Close) -> None:
        self._decoder = decoder
        self._encode = encode
        self._close = close

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._decoder.usage

    def arrived(self, events: Iterable[bytes]) -> tuple[bytes, UpstreamError | None]:
        """What the events up to the first error come to, and the error."""
        chunks: list[Chunk] = []
        try:
            for event in events:
                chunks += self._decoder.decode(event)
        except UpstreamError as exc:
            return self._encode(chunks), exc
        return self._encode(chunks), None

    def ended(self) -> bytes:
        """The finishes and the usage, and the mark of the end."""
        return self._encode(self._decoder.flush()) + self._close(self._decoder.usage)


class LiveEvents:
    """``Events`` of a source.

    An error before the first event is raised, so that the caller gets a status; a later one is an event, and the end.
    """

    def __init__(self, source: Source, *, error_event: Callable[[UpstreamError], bytes] = encode_error_event) -> None:
        self._outlet = Outlet()
        self._events = _with_faults_told(source(self._outlet), error_event)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events

    async def __anext__(self) -> bytes:
        return await anext(self._events)

    async def aclose(self) -> None:
        """End the call."""
        await self._events.aclose()

    async def pour(self, take: Take) -> None:
        """All that is left to ``take``, which must not fail."""
        self._outlet.give = take
        async for event in self._events:
            if (held := take(event)) is not None:
                await held


class RevisedEvents:
    """``Events``, each as ``way`` makes it."""

    def __init__(self, events: Events, way: Callable[[bytes], bytes]) -> None:
        self._events = events
        self._way = way

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return self._way(await anext(self._events))

    async def aclose(self) -> None:
        """End the call."""
        await self._events.aclose()

    async def pour(self, take: Take) -> None:
        """All that is left to ``take``, which must not fail."""
        way = self._way
        await self._events.pour(lambda events: take(way(events)))


async def _with_faults_told(
    pieces: AsyncGenerator[bytes, None], error_event: Callable[[UpstreamError], bytes]
) -> AsyncGenerator[bytes, None]:
    """Pieces that are the caller's events; nothing is sent for what comes to nothing."""
    started = False
    async with aclosing(pieces):
        try:
            async for piece in pieces:
                if piece:
                    started = True
                    yield piece
        except UpstreamError as exc:
            if not started:
                raise
            yield error_event(exc)


async def opened(events: Events) -> tuple[bytes, Events]:
    """The first events, waited for, and the rest. Raises what went wrong before there was a first one."""
    async for first in events:
        return first, events
    raise broken("The model's host closed the stream without an answer. Try again.")
