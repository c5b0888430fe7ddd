"""The snapshot as a warm instance knows it: kept fresh behind the requests' backs, never older than it may be."""

import asyncio
import time
from collections.abc import Callable, Coroutine

import msgspec

from tuneway.errors import NotFound, TryLater
from tuneway.ports import Snapshots
from tuneway.routing.fragments import Head, Snapshot, from_json, head_from_json, joined

Report = Callable[[str], None]
TRIES = 5  # a part that was written over while it was fetched belongs to a newer snapshot, which is read then
BURST = 5.0  # so many forced looks may come at once, then one in each second


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: between two looks, how long to go on looking after a request, and how long a request may wait for one.

    A request waits only for a snapshot older than two looks: the instance slept, or the state was away.
    """

    refresh: float = 1.0
    linger: float = 10.0
    patience: float = 3.0


class LiveSnapshot:
    """The last good snapshot. For one event loop."""

    def __init__(
        self,
        snapshots: Snapshots,
        freshness: Freshness,
        *,
        report: Report,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshots = snapshots
        self._freshness = freshness
        self._report = report
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._parts: dict[int, tuple[int, Snapshot]] = {}
        self._looked = float("-inf")
        self._asked = float("-inf")
        self._next_forced = float("-inf")
        self._looking = asyncio.Lock()
        self._beat: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._forced: asyncio.Task[None] | None = None

    async def get(self) -> Snapshot:
        """The snapshot; at once while it is fresh. Raises TryLater when there never was one."""
        now = self._asked = self._clock()
        if now - self._looked > 2 * self._freshness.refresh:
            self._waking = self._waking or self._started(self._wake())
            await self._patiently(self._waking)
        if self._beat is None:
            self._beat = self._started(self._keep_fresh())
        return self._known()

    async def renewed(self) -> Snapshot:
        """The snapshot as it is after this call began: for what the known one does not hold. Raises TryLater."""
        self._forced = self._forced or self._started(self._look_soon())
        await self._patiently(self._forced)
        return self._known()

    def _known(self) -> Snapshot:
        if self._snapshot is None:
            raise TryLater("The routes and keys cannot be read now. Try again in a moment.", code="state_unavailable")
        return self._snapshot

    def _started(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    async def _patiently(self, task: asyncio.Task[None]) -> None:
        """Wait for a look, but not for ever; others may be waiting for the same one."""
        await asyncio.wait((task,), timeout=self._freshness.patience)

    async def _wake(self) -> None:
        try:
            await self._look()
        finally:
            self._waking = None

    async def _look_soon(self) -> None:
        now = self._clock()
        self._next_forced = max(self._next_forced, now - BURST) + 1.0
        if self._next_forced > now:
            await asyncio.sleep(self._next_forced - now)
        self._forced = None  # whoever asks from here on needs a later look than this one
        await self._look()

    async def _keep_fresh(self) -> None:
        try:
            while self._clock() - self._asked < self._freshness.linger:
                await asyncio.sleep(self._freshness.refresh)
                await self._look()
        finally:
            self._beat = None

    async def _look(self) -> None:
        """One look at the state: a change is taken over, a broken or missing answer leaves the last good one."""
        async with self._looking:
            began = self._clock()
            try:
                await self._take_over()
            except NotFound:
                self._snapshot = Snapshot()
            except TryLater as exc:
                self._report(exc.message)
            except msgspec.DecodeError as exc:
                self._report(f"The snapshot is broken, the last good one stays: {exc}")
            self._looked = began

    async def _take_over(self) -> None:
        """The newest snapshot, if it is another one. Raises NotFound, TryLater, msgspec.DecodeError."""
        for _ in range(TRIES):
            body = await self._snapshots.read(self._snapshot.version if self._snapshot else None)
            if body is None:
                return
            head = head_from_json(body)
            whole = await self._assembled(head) if head.parts else head.whole
            if whole is not None:
                self._snapshot = whole
                return
        raise TryLater("The routes change faster than they are read; the last ones stay.")

    async def _assembled(self, head: Head) -> Snapshot | None:
        """The snapshot of the known parts and of those that are newer; None when one belongs to a newer head."""
        known = {n: self._parts[n] for n, version in enumerate(head.parts) if self._parts.get(n, (0,))[0] == version}
        missing = [number for number in range(len(head.parts)) if number not in known]
        found = await self._snapshots.parts(missing) if missing else []
        for number, part in zip(missing, found, strict=True):
            if part is None or part.version != head.parts[number]:
                return None
            known[number] = (part.version, from_json(part.body))
            await asyncio.sleep(0)  # requests go on between two parts
        self._parts = known
        return joined([known[number][1] for number in range(len(head.parts))], version=head.version)
