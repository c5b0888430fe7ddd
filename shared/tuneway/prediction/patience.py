"""How long the next arrival of a stream may take, by its route's times: one timer a stream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from functools import partial
from types import TracebackType
from typing import TypeVar

from tuneway.errors import UpstreamError
from tuneway.ports import Pouring, Take
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Held

T = TypeVar("T")


def too_slow() -> UpstreamError:
    """The fault of a model that took longer than its route allows."""
    return UpstreamError(
        "The model did not answer within the time its route allows.", status=504, kind="server_error", code="timeout"
    )


class Patience:
    """A block with the arrivals, which are waited for no longer than the route allows.

    Each raises UpstreamError (504) when it takes too long, or the call as a whole. The first may take what is left of
    the call's time, each later one the route's time between two as well. The timer is set anew when it is due: one for
    every wait would cost more than most waits take.
    """

    __slots__ = ("_arrivals", "_between", "_ends_at", "_late", "_since", "_task", "_timer")

    def __init__(self, journey: Journey, arrivals: AsyncIterator[bytes]) -> None:
        self._arrivals = arrivals
        self._between = journey.route.timeouts.between
        self._ends_at = journey.ends_at
        self._since: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late = False

    def __enter__(self) -> AsyncIterator[bytes]:
        return self._arrivals if self._between is None and self._ends_at is None else self._timed()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def pour(self, take: Take) -> None:
        """The rest to ``take``, while it is read where that can be done. Raises as the arrivals do."""
        arrivals = self._arrivals
        pour = arrivals.pour if isinstance(arrivals, Pouring) else partial(_one_by_one, arrivals)
        if self._between is None and self._ends_at is None:
            await pour(take)
            return
        loop = asyncio.get_running_loop()
        self._since = loop.time()

        def taken(data: bytes) -> Awaitable[object] | None:
            held = take(data)
            self._since = loop.time()
            return None if held is None else Held(partial(self._not_counted, held, loop))

        await self._in_time(pour(taken), loop)

    async def _not_counted(self, held: Awaitable[object], loop: asyncio.AbstractEventLoop) -> None:
        """A slow reader's time is not the host's."""
        task, self._task = self._task, None
        await held
        self._task, self._since = task, loop.time()
        if self._timer is None:
            self._set(loop)

    async def _timed(self) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await self._in_time(anext(self._arrivals), loop)
            except StopAsyncIteration:
                return
            yield data
            self._since = loop.time()

    async def _in_time(self, arrival: Awaitable[T], loop: asyncio.AbstractEventLoop) -> T:
        task = self._task = asyncio.current_task(loop)
        cancelling = 0 if task is None else task.cancelling()
        if self._timer is None:
            self._set(loop)
        try:
            return await arrival
        except asyncio.CancelledError as exc:
            if self._late and task is not None and task.uncancel() <= cancelling:
                raise too_slow() from exc
            raise
        finally:
            self._task = None

    def _due(self) -> float | None:
        """When the wait for the next arrival is over."""
        if self._between is None or self._since is None:
            return self._ends_at
        return min(self._since + self._between, self._ends_at or float("inf"))

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._due()
        if due is not None and self._between is not None:
            due = min(due, loop.time() + self._between)  # the first may come any moment, and then the next has no more
        self._timer = None if due is None else loop.call_at(due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """The timer is due: the wait is over, or has begun anew meanwhile, or nobody waits just now."""
        self._timer, due = None, self._due()
        if self._task is None or due is None:
            return
        if due <= loop.time():
            self._late = True
            self._task.cancel()
        else:
            self._set(loop)


async def _one_by_one(arrivals: AsyncIterator[bytes], take: Take) -> None:
    async for data in arrivals:
        if (held := take(data)) is not None:
            await held
