"""Streams on their way to the caller: chunks as server-sent events, and what a fault in the middle looks like."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Protocol

from tuneway.errors import UpstreamError
from tuneway.prediction.fan_out import Arrivals
from tuneway.prediction.hub.answer import DONE, Usage, encode_chunks, encode_error_event
from tuneway.prediction.upstream_errors import broken

Events = AsyncGenerator[bytes, None]


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


async def as_events(pieces: Arrivals) -> Events:
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
) -> Events:
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
