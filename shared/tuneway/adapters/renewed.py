"""A value that ages: kept while it is good, renewed ahead of time, asked for once however many want it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

SPARE_SECONDS = 600.0  # renew when less is left …
SPARE_PART = 0.2  # … or less than this part of the value's life
LAST_SECONDS = 30.0  # a value with less left is as good as none: the call it goes with takes time
PAUSE_SECONDS = 10.0  # between attempts to renew: a source may hand out the old value until its last minutes

T = TypeVar("T")


class Renewed(Generic[T]):
    """One value and its source, for one event loop.

    ``fetch`` gives the value and the seconds it is good for, counted from the moment it was asked.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[tuple[T, float]]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: list[T] = []
        self._good_until = float("-inf")
        self._renew_from = float("-inf")
        self._asked_last = float("-inf")
        self._renewal: asyncio.Task[None] | None = None

    async def value(self) -> T:
        """The value; a good one is returned at once, and renewed behind the request's back when it ages."""
        now = self._clock()
        if now < self._good_until:
            if now >= self._renew_from:
                self._renewing()
        else:
            await asyncio.shield(self._renewing())
        return self._held[0]

    async def renewed(self) -> bool:
        """Ask the source now, because the value was refused: True when it has given another one since."""
        before = list(self._held)
        if self._renewal is None and self._clock() < self._asked_last + PAUSE_SECONDS:
            return False
        await asyncio.shield(self._renewing())
        return self._held != before

    def _renewing(self) -> asyncio.Task[None]:
        """The one renewal under way."""
        if self._renewal is None:
            self._asked_last = self._clock()
            self._renew_from = self._asked_last + PAUSE_SECONDS
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
            self._renewal.add_done_callback(self._renewed)
        return self._renewal

    def _renewed(self, renewal: asyncio.Task[None]) -> None:
        self._renewal = None
        with suppress(asyncio.CancelledError):
            renewal.exception()  # looked at, so that a renewal nobody waits for fails in silence: the old value is good

    async def _renew(self) -> None:
        asked = self._clock()
        value, life = await self._fetch()
        self._held[:] = [value]
        self._good_until = asked + life - LAST_SECONDS
        self._renew_from = max(asked + life - min(SPARE_SECONDS, SPARE_PART * life), asked + PAUSE_SECONDS)
