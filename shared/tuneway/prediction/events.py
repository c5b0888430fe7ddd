"""Streams on their way to the caller: chunks as server-sent events, and what a fault in the middle looks like."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Protocol

from tuneway.errors import UpstreamError
from tuneway.ports import Take
from tuneway.prediction.calls import Call, Connection, Teller, told
from tuneway.prediction.fan_out import Arrivals
from tuneway.prediction.hub.answer import DONE, Chunk, Usage, encode_chunks, encode_error_event
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet
from tuneway.prediction.retelling import Decoder
from tuneway.prediction.upstream_errors import broken


class Events(Protocol):
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
    """``calls.Teller`` of the caller's events where a host's are told in chunks."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

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
            return encode_chunks(chunks), exc
        return encode_chunks(chunks), None

    def ended(self) -> bytes:
        """The finishes and the usage, and the mark of the end."""
        return encode_chunks(self._decoder.flush()) + DONE


class LiveEvents:
    """``Events`` of one call, which can be poured from some event on: given on while they arrive.

    An error before the first event is raised, so that the caller gets a status; a later one is an event, and the end.
    """

    def __init__(
        self,
        call: Call,
        teller: Teller[bytes],
        *,
        via: Connection,
        journey: Journey,
        error_event: Callable[[UpstreamError], bytes] = encode_error_event,
    ) -> None:
        self._outlet: Outlet[bytes] = Outlet()
        pieces = told(call, teller, via=via, journey=journey, outlet=self._outlet)
        self._events = as_they_are(pieces, error_event=error_event)

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


async def as_events(pieces: Arrivals) -> AsyncGenerator[bytes, None]:
    """Chunks as server-sent events, ``[DONE]`` at the end.

    An error before the first chunk is raised, so that the caller gets a status; a later one is one error event and
    the end, without ``[DONE]``.
    """
    started = False
    async with aclosing(pieces):
        try:
            async for chunks, last in pieces:
                started = True
                yield encode_chunks(chunks) + DONE if last else encode_chunks(chunks)
        except UpstreamError as exc:
            if not started:
                raise
            yield encode_error_event(exc)


async def as_they_are(
    pieces: AsyncGenerator[tuple[bytes, bool], None],
    *,
    error_event: Callable[[UpstreamError], bytes] = encode_error_event,
) -> AsyncGenerator[bytes, None]:
    """The same for events that are the caller's own already; nothing is sent for what comes to nothing."""
    started = False
    async with aclosing(pieces):
        try:
            async for piece, _ in pieces:
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
