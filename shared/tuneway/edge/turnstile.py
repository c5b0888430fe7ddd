"""Who comes in a crowd while streams are open waits for a turn: so many requests begin in one turn of the event loop.

To begin a request costs as much as twenty tokens of the streams that are open. A hundred that came at once would make
all of those stand still; let in a few at a time, they wait a little themselves, and whoever reads notices nothing.
"""

import asyncio
from collections import deque
from collections.abc import Collection


class Turnstile:
    """Lets ``a_turn`` of them in; the others follow in the order they came. For one event loop."""

    def __init__(self, *, a_turn: int, streams: Collection[object]) -> None:
        """``streams`` are those that are open: without any, nobody has to wait."""
        self._streams = streams
        self._a_turn = a_turn
        self._left = a_turn
        self._waiting: deque[asyncio.Future[None]] = deque()

    def entry(self) -> asyncio.Future[None] | None:
        """What to wait for before going on; nearly always nothing."""
        if not (self._streams or self._waiting):
            return None
        loop = asyncio.get_running_loop()
        if self._left == self._a_turn:
            loop.call_soon(self._next_turn, loop)
        if self._left > 0:
            self._left -= 1
            return None
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        return waiter

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = self._a_turn
        while self._waiting and self._left:
            waiter = self._waiting.popleft()
            if not waiter.done():  # whoever left does not stand in the way
                waiter.set_result(None)
                self._left -= 1
        if self._left < self._a_turn:
            loop.call_soon(self._next_turn, loop)
