"""Sweeps in the state: read, written with guards, and told of."""

import logging
from collections.abc import Callable, Iterator

from typing_extensions import override

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.ports import Create, Documents, Events, Put, Replace, Write
from tuneway.state import Collection, Stored
from tuneway.tuning.jobs import Job
from tuneway.tuning.lifecycle import Lifecycle, sweep_due
from tuneway.tuning.sweeps.sweep import MemberState, Sweep, dated

ATTEMPTS = 20
PAGE = 100  # sweeps of one read: with all their members they are large

log = logging.getLogger(__name__)


class DatedSweeps(Collection[Sweep]):
    """Sweeps, of which none is written without the time that the tick asks by."""

    @override
    def create(self, id_: str, value: Sweep) -> Create:
        return super().create(id_, dated(value))

    @override
    def replace(self, stored: Stored[Sweep], value: Sweep) -> Replace:
        return super().replace(stored, dated(value))

    @override
    def put(self, id_: str, value: Sweep) -> Put:
        return super().put(id_, dated(value))


class Sweeps:
    """The sweeps of an installation and the jobs they started."""

    def __init__(self, documents: Documents, events: Events, lifecycle: Lifecycle) -> None:
        self.documents = documents
        self.events = events
        self.lifecycle = lifecycle
        self.kept: Collection[Sweep] = DatedSweeps(documents, "sweeps", Sweep)

    def now(self) -> float:
        """The time, Unix seconds."""
        return self.lifecycle.now()

    def owned(self, sweep_id: str, owner: str | None) -> Stored[Sweep]:
        """The sweep, if it is the owner's; None asks for anybody's. Raises NotFound, alike for another's and none."""
        stored = self.kept.known(sweep_id)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no sweep '{sweep_id[:80]}'.", param="sweep_id")
        return stored

    def jobs(self, sweep: Sweep, *states: MemberState) -> dict[str, Job]:
        """The jobs, as they are now, of members in one of these states."""
        found = (self.lifecycle.jobs.get(member.job).value for member in sweep.standing(*states))
        return {job.id: job for job in found}

    def replace(self, stored: Stored[Sweep], sweep: Sweep, *also: Write) -> None:
        """Put ``sweep`` in the place of what was read, and do ``also``. Raises Conflict when stale."""
        self.documents.commit(self.kept.replace(stored, sweep), *also)

    def settled(self, sweep_id: str, step: Callable[[Stored[Sweep]], Sweep]) -> Sweep:
        """What ``step`` makes of the sweep when nobody writes in between, kept. Raises TryLater, and as ``step``."""
        for _ in range(ATTEMPTS):
            stored = self.kept.get(sweep_id)
            after = step(stored)
            try:
                if after != stored.value:
                    self.replace(stored, after)
            except Conflict:
                continue
            return after
        raise TryLater(f"Sweep {sweep_id} keeps changing. Ask again.")

    def tell(self, sweep_id: str) -> None:
        """Have the sweep looked after; what cannot be sent now waits for the tick."""
        try:
            self.events.publish(sweep_due(sweep_id))
        except TryLater as fault:
            log.warning("The message for %s waits for the next tick: %s", sweep_id, fault.message)


def wake(documents: Documents, events: Events, *, now: float) -> int:
    """The tick's part: one message for each open sweep that is due; how many. Repeating it repeats messages."""
    woken = 0
    for page in _due(documents, now):
        events.publish(*map(sweep_due, page))
        woken += len(page)
    return woken


def _due(documents: Documents, now: float) -> Iterator[list[str]]:
    """All of them, longest due first: one with nothing to do stays due, and must keep no other from its turn."""
    kept, last = Collection(documents, "sweeps", Sweep), None
    while True:
        found = kept.find(("due", "<=", now), order_by="due", after=last, limit=PAGE)
        if found:
            yield [stored.id for stored in found]
        if len(found) < PAGE:
            return
        last = found[-1].id
