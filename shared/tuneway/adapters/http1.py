"""One client connection that speaks HTTP/1.1: bytes in, an answer out, nothing but the parser in between."""

import asyncio
from asyncio import AbstractEventLoop, Future, TimerHandle, Transport
from collections.abc import Awaitable
from typing import cast

import httptools
from typing_extensions import override

from tuneway.ports import Take

HIGH_WATER = 262_144
FAIR_SHARE = 65_536  # bytes handed over at a time: what comes in a flood waits until the others have had their turn
HEAD_LIMIT = 262_144
SWITCHING = 101


class Broken(Exception):
    """The connection ended, or its words were no HTTP; ``unheard`` when not one byte of an answer had come."""

    def __init__(self, message: str, *, unheard: bool = False) -> None:
        super().__init__(message)
        self.unheard = unheard


class TooSlow(Exception):
    """Nothing arrived for longer than allowed."""


class Connection(asyncio.Protocol):
    """One exchange at a time: ``begin``, ``head``, ``next_bytes`` until it gives none, or ``pour`` for the rest."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: Future[Awaitable[object] | None] | None = None
        self._take: Take | None = None
        self._watch: TimerHandle | None = None
        self._transport: Transport
        self._fault: Exception | None = None
        self.open = False
        self.reusable = False
        self.idle_since = 0.0
        self._rest()

    def _rest(self) -> None:
        self.status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._waiting_bytes = 0
        self._sated = False
        self._heard = 0
        self._head = False
        self._complete = False
        self._kept = False
        self._paused = False

    # --- what the caller does ---

    def begin(self, data: bytes, *, patience: float) -> None:
        """Send a request; each later wait fails with TooSlow when nothing arrives for ``patience`` seconds."""
        if self._heard:
            self._rest()
        self.reusable = False
        self._patience = patience
        self._last = self._loop.time()
        self._watch_within(patience)
        self._transport.write(data)

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of several with one name the last counts."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._fields}

    async def head(self) -> None:
        """Wait for status and headers. Raises Broken, TooSlow."""
        while not self._head:
            await self._arrival()

    async def next_bytes(self) -> bytes:
        """What has arrived of the body since the last call; empty at its end. Raises Broken, TooSlow."""
        if self._sated:
            self._sated = False
            await asyncio.sleep(0)
        while not self._body:
            if self._complete:
                return b""
            await self._arrival()
        return self._taken()

    async def pour(self, take: Take) -> None:
        """Hand over the rest of the body, each arrival while it is read. Raises Broken, TooSlow, what ``take`` raises.

        Whoever pours is woken only when he has something to wait for, and at the end: a task that wakes for every
        arrival costs more than all else that is done with it.
        """
        held: Awaitable[object] | None = None
        while self._body or not self._complete:
            if self._body:
                held = take(self._taken())
            else:
                try:
                    held = await self._arrival(take)
                finally:
                    self._take = None
            if held is not None:
                await held
            elif self._sated:
                await asyncio.sleep(0)
            self._sated, held = False, None

    def _taken(self) -> bytes:
        """What waits of the body, at most a fair share of it."""
        data = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        self._waiting_bytes = 0
        if len(data) > FAIR_SHARE:
            self._body.append(data[FAIR_SHARE:])
            self._waiting_bytes = len(data) - FAIR_SHARE
            self._sated = True
            return data[:FAIR_SHARE]
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return data

    @property
    def over(self) -> bool:
        """Whether the body is whole, and all of it taken."""
        return self._complete and not self._body

    @property
    def idle_seconds(self) -> float:
        """How long it has rested."""
        return self._loop.time() - self.idle_since

    def end(self) -> None:
        """Finish the exchange: a complete one leaves the connection reusable, any other closes it.

        One whose reading is paused would stay deaf: what was left of its body has to be taken before it reads on.
        """
        if self._complete and self._kept and self.open and not self._paused:
            self.reusable = True
            self.idle_since = self._loop.time()
        else:
            self.close()

    def close(self) -> None:
        """Cut the connection at once."""
        self.reusable = False
        if self.open:
            self.open = False
            self._transport.abort()

    def _arrival(self, take: Take | None = None) -> Future[Awaitable[object] | None]:
        """What to wait for. Raises what has gone wrong: after what came before it was taken."""
        if self._fault is not None:
            raise self._fault
        self._last = self._loop.time()
        self._take = take
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self, held: Awaitable[object] | None = None) -> None:
        waiter, self._waiter, self._take = self._waiter, None, None
        if waiter is not None and not waiter.done():
            waiter.set_result(held)

    def _hand_over(self, take: Take) -> None:
        """Give what has arrived to whom it is poured, unless he has been cancelled meanwhile."""
        if self._waiter is None or self._waiter.done():
            return
        self._last = self._loop.time()
        try:
            held = take(self._taken())
        except Exception as exc:  # noqa: BLE001  (raised again by the one who pours, in his own task)
            self._waiter.set_exception(exc)
            self._wake()
            return
        if held is not None or self._body or self._complete:
            self._wake(held)

    def _fail(self, fault: Exception) -> None:
        if self._fault is None and not self._complete:
            self._fault = fault
        self._wake()

    def _watch_within(self, seconds: float) -> None:
        """One timer for the life of a connection, set anew when it is due, is cheaper than one for every wait."""
        due = self._last + seconds
        if self._watch is not None:
            if self._watch.when() <= due:
                return
            self._watch.cancel()
        self._watch = self._loop.call_at(due, self._check_patience)

    def _check_patience(self) -> None:
        self._watch = None
        if not self.open:
            return
        now = self._loop.time()
        if self._waiter is not None and now - self._last >= self._patience:
            self._fail(TooSlow(f"nothing arrived for {self._patience} s"))
            self.close()
            return
        self._watch = self._loop.call_at(
            (self._last if self._waiter is not None else now) + self._patience, self._check_patience
        )

    # --- what the transport reports ---

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("Transport", transport)
        self.open = True

    @override
    def data_received(self, data: bytes) -> None:
        if self.reusable:
            self.close()  # words without a question: whatever they are, they answer nothing
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(Broken(f"not HTTP: {exc}"))
            self.close()
        if not self._head and self._heard > HEAD_LIMIT:
            self._fail(Broken("the head has no end"))
            self.close()
        take = self._take
        if take is not None and self._body:
            self._hand_over(take)
        elif take is None or self._complete:
            self._wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self.reusable = False
        if self._watch is not None:
            self._watch.cancel()
        if self._head and exc is None and self._ends_with_the_connection():
            self._complete = True
        self._fail(Broken("the connection was closed", unheard=not self._heard))

    def _ends_with_the_connection(self) -> bool:
        headers = self.headers
        return "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "")

    # --- what the parser reports ---

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, kept as it came: few answers' headers are ever read. Those after the body are passed over."""
        if not self._head:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there, unless it is an interim one (100 Continue, 103 Early Hints)."""
        self.status = self._parser.get_status_code()
        self._head = self.status >= 200 or self.status == SWITCHING  # noqa: PLR2004  (HTTP's own classes of status)

    def on_body(self, data: bytes) -> None:
        """A piece of the body; reading pauses while nobody takes the pieces."""
        self._body.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > HIGH_WATER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._head:
            self._complete = True
            self._kept = self._parser.should_keep_alive()
        else:
            self._fields = []
