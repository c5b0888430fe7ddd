"""One request that is several calls: made side by side, told in order or as they come.

What fails in one ends the others, and nobody is left behind when the caller leaves.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import TypeVar

from tuneway.ports import Take
from tuneway.prediction.outlet import Outlet

T = TypeVar("T")
Pour = Callable[[Take], Coroutine[object, object, None]]  # all pieces of a stream


async def in_order(calls: Sequence[Callable[[], Coroutine[object, object, T]]], *, at_once: int) -> list[T]:
    """The results in the order of the calls, of which so many are under way at a time. Raises the first fault."""
    free = asyncio.Semaphore(at_once)

    async def made(call: Callable[[], Coroutine[object, object, T]]) -> T:
        async with free:
            return await call()

    tasks = [asyncio.create_task(made(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _ended(tasks)


async def as_they_come(streams: Sequence[Pour], outlet: Outlet) -> AsyncGenerator[bytes, None]:
    """The pieces of several streams. Raises the first fault, after what came before it.

    While ``outlet`` is closed, each stream waits until its piece is taken; later all give to it, and nobody wakes here
    before the end, unless it has to be waited for.
    """
    meeting = _Meeting(outlet, len(streams))
    tasks = [asyncio.create_task(stream(meeting.take)) for stream in streams]
    for task in tasks:
        task.add_done_callback(meeting.ended)
    try:
        async with aclosing(meeting.pieces()) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        meeting.leave()
        await _ended(tasks)


class _Meeting:
    """Where several streams become one."""

    def __init__(self, outlet: Outlet, streams: int) -> None:
        self._outlet = outlet
        self._left = streams
        self._fault: BaseException | None = None
        self._held: asyncio.Future[object] | None = None
        self._pieces: list[bytes] = []
        self._givers: list[asyncio.Future[None]] = []
        self._news = asyncio.Event()

    def take(self, piece: bytes) -> Awaitable[object] | None:
        """``ports.Take`` of every stream: whoever gave waits with the outlet, and as long as that is closed."""
        if self._outlet.give is None or self._held is not None or self._pieces:
            self._pieces.append(piece)
        elif (held := self._outlet.give(piece)) is None:
            return None
        else:
            self._held = asyncio.ensure_future(held)
        self._news.set()
        self._givers.append(asyncio.get_running_loop().create_future())
        return self._givers[-1]

    def leave(self) -> None:
        """Nobody waits for the outlet any more."""
        if self._held is not None:
            self._held.cancel()

    def ended(self, task: asyncio.Task[None]) -> None:
        """One stream is over."""
        self._left -= 1
        if not task.cancelled() and self._fault is None:
            self._fault = task.exception()
        if self._fault is not None or not self._left:
            self._news.set()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is to be taken here. Raises the first fault."""
        while self._left or self._pieces or self._fault is not None:
            await self._news.wait()
            self._news.clear()
            await self._drained()
            fault, piece, give = self._fault, self._all_that_waits(), self._outlet.give
            if piece and give is None:
                yield piece
            elif piece and give is not None and (held := give(piece)) is not None:
                self._held = asyncio.ensure_future(held)
                await self._drained()
            if fault is not None:
                raise fault

    async def _drained(self) -> None:
        """Wait until the outlet takes more."""
        if self._held is not None:
            await self._held
            self._held = None

    def _all_that_waits(self) -> bytes:
        """The pieces, whose givers may go on."""
        pieces, self._pieces = self._pieces, []
        givers, self._givers = self._givers, []
        for giver in givers:
            if not giver.done():
                giver.set_result(None)
        return b"".join(pieces)


async def _ended(tasks: Sequence[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
