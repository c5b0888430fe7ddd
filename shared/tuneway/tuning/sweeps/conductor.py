"""Take a sweep on: start what has a place and is within the ceiling, stop what its rules say, promote the winner.

Every step is one guarded commit that starts from what the documents say; so a step is done once, whoever repeats it.
"""

import logging
from contextlib import suppress

import msgspec

from tuneway.errors import BadInput, Conflict, TryLater
from tuneway.ports import Create, Replace, Topic
from tuneway.state import Collection, Stored
from tuneway.tuning.allowance import Allowance
from tuneway.tuning.cancelling import cancelled
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.cloud_events import Event, announced
from tuneway.tuning.jobs import ENDED as JOB_ENDED
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import SweepRef
from tuneway.tuning.orders import Subject, Terms, accepted
from tuneway.tuning.promotions import JobPromotion
from tuneway.tuning.subjects import Subjects
from tuneway.tuning.sweeps.budget import Budget, bound, budget
from tuneway.tuning.sweeps.planning import ended, halted, judged, promotion_after
from tuneway.tuning.sweeps.quotas import Quotas
from tuneway.tuning.sweeps.store import Sweeps
from tuneway.tuning.sweeps.sweep import (
    ENDED,
    PATIENCE,
    Halt,
    Member,
    MemberState,
    Promotion,
    Sweep,
    SweepStatus,
    moved,
    with_members,
)

MOST_STEPS = 1000
ENDED_EVENT = "sweep.ended"
CEILING = "What is left of the ceiling is not enough for any job that has not started."

log = logging.getLogger(__name__)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Guards the places of a backend: who starts a job there has to be the first to write after it counted."""

    number: int = 0


class Conductor:
    """The handler of ``sweep-due``; ``max_cost_usd`` is the installation's limit for one job."""

    def __init__(
        self,
        sweeps: Sweeps,
        *,
        catalogue: Catalogue,
        quotas: Quotas,
        location: str,
        max_cost_usd: float | None = None,
    ) -> None:
        self._sweeps = sweeps
        self._subjects = Subjects(sweeps.lifecycle, catalogue)
        self._quotas = quotas
        self._location = location
        self._installation = max_cost_usd
        self._turns = Collection(sweeps.documents, "tuning_places", Turn)

    def __call__(self, ref: SweepRef) -> None:
        """Take the sweep as far as it goes now; repeating the call changes nothing. Raises TryLater."""
        for _ in range(MOST_STEPS):
            stored = self._sweeps.kept.known(ref.sweep_id)
            if stored is None:
                log.warning("There is no sweep %s; what its message asked for is not done.", ref.sweep_id)
                return
            with suppress(Conflict):
                if not self._advanced(stored):
                    return
        raise TryLater(f"Sweep {ref.sweep_id} keeps changing.")

    def _advanced(self, stored: Stored[Sweep]) -> bool:
        """Do one step; False when there is none to do. Raises Conflict when somebody else did one."""
        sweep = stored.value
        if not sweep.open:
            return False
        if sweep.status in ENDED:
            return self._close(stored)
        if sweep.status is SweepStatus.PROMOTING:
            return self._promote(stored)
        jobs = self._sweeps.jobs(sweep, MemberState.STARTED)
        if (after := judged(sweep, jobs)) != sweep:
            return self._write(stored, after)
        self._cancel(sweep, jobs)
        if (over := ended(sweep, now=self._sweeps.now())) is not None:
            return self._write(stored, over)
        return self._start(stored, jobs)

    def _write(self, stored: Stored[Sweep], after: Sweep) -> bool:
        later = msgspec.structs.replace(after, deadline=self._sweeps.now() + PATIENCE)
        self._sweeps.replace(stored, later)
        return True

    def _cancel(self, sweep: Sweep, jobs: dict[str, Job]) -> None:
        """A started member with a reason is one that has to end: the reason is written down before."""
        for member in sweep.standing(MemberState.STARTED):
            if member.reason is not None and jobs[member.job].status not in JOB_ENDED | {Status.CANCELLING}:
                with suppress(BadInput):  # it ended on its own meanwhile
                    cancelled(self._sweeps.lifecycle, member.job, because=member.reason)

    def _start(self, stored: Stored[Sweep], jobs: dict[str, Job]) -> bool:
        """Start the first waiting job that is within the ceiling and has a place."""
        sweep = stored.value
        started, waiting = sweep.standing(MemberState.STARTED), sweep.standing(MemberState.WAITING)
        if (
            sweep.status is not SweepStatus.RUNNING
            or not waiting
            or len(started) >= (sweep.concurrency or len(sweep.members))
        ):
            return False
        left, fitting = budget(sweep, jobs), False
        for member in waiting:
            try:
                subject = self._subjects.named(member.order.model, owner=sweep.owner)
            except BadInput as fault:
                return self._write(stored, with_members(sweep, _skipped(member, fault.message)))
            fits = left.fits(bound(member, subject.base, sweep))
            fitting = fitting or fits
            if fits and self._begun(stored, member, subject, left=left):
                return True
        if not fitting and not started:
            return self._write(stored, halted(sweep, Halt(rule="ceiling", message=CEILING)))
        return False

    def _begun(self, stored: Stored[Sweep], member: Member, subject: Subject, *, left: Budget) -> bool:
        """Start the job, in the same commit in which the sweep and the backend's places learn of it."""
        # Read before the places are counted: if somebody takes one after that, this commit is stale.
        turn = self._turn(member.backend)
        if not self._quotas.free(member.backend, self._sweeps.lifecycle.jobs):
            return False
        sweep = stored.value
        after = with_members(sweep, msgspec.structs.replace(member, state=MemberState.STARTED))
        after = msgspec.structs.replace(after, deadline=self._sweeps.now() + PATIENCE)
        job = self._job(sweep, member, subject, left=left)
        told = f"Created as job {member.index + 1} of {len(sweep.members)} of sweep {sweep.id}."
        begun = self._sweeps.lifecycle.begin(job, told, also=(self._sweeps.kept.replace(stored, after), turn))
        self._sweeps.lifecycle.tell(Topic.JOB_REQUESTED, begun.value)
        return True

    def _job(self, sweep: Sweep, member: Member, subject: Subject, *, left: Budget) -> Job:
        limits = [usd for usd in (member.order.max_cost_usd, left.room) if usd is not None]
        allowance = Allowance(caller=min(limits, default=None), key=sweep.key_limit, installation=self._installation)
        terms = Terms(owner=sweep.owner, allowance=allowance, location=self._location, now=self._sweeps.now())
        order = msgspec.structs.replace(member.order, metadata=sweep.metadata)
        job = accepted(order, subject, id_=member.job, terms=terms)
        return msgspec.structs.replace(job, sweep=sweep.id)

    def _turn(self, backend: str) -> Create | Replace:
        found = self._turns.known(backend)
        if found is None:
            return self._turns.create(backend, Turn())
        return self._turns.replace(found, Turn(number=found.value.number + 1))

    def _promote(self, stored: Stored[Sweep]) -> bool:
        """Have the winner's model answer under the alias, as soon as it answers at all."""
        sweep, wish = stored.value, stored.value.promotion
        if wish is None or wish.job is None:
            return self._write(stored, moved(sweep, SweepStatus.SUCCEEDED, now=self._sweeps.now()))
        job = self._sweeps.lifecycle.jobs.get(wish.job)
        after = promotion_after(wish, job.value)
        if after.state not in {"waiting", "asked"}:
            done = msgspec.structs.replace(sweep, promotion=after)
            return self._write(stored, moved(done, SweepStatus.SUCCEEDED, now=self._sweeps.now()))
        if wish.state == "waiting" and job.value.fine_tuned_model is not None:
            return self._ask(stored, wish, job)
        if wish.state == "asked":
            self._sweeps.lifecycle.send(Topic.JOB_FINISHED, job.value)
        return False

    def _ask(self, stored: Stored[Sweep], wish: Promotion, job: Stored[Job]) -> bool:
        asked = msgspec.structs.replace(wish, state="asked")
        after = msgspec.structs.replace(stored.value, promotion=asked, deadline=self._sweeps.now() + PATIENCE)
        wished = msgspec.structs.replace(job.value, promotion=JobPromotion(alias=wish.alias))
        told = f"Won sweep {stored.id}: to answer as '{wish.alias}', too."
        self._sweeps.lifecycle.write(job, wished, told, owed=True, also=(self._sweeps.kept.replace(stored, after),))
        return True

    def _close(self, stored: Stored[Sweep]) -> bool:
        """Announce the end before the sweep is closed: a crash in between announces it twice, never not at all."""
        sweep = stored.value
        body = {"type": ENDED_EVENT, "sweep_id": sweep.id, "status": sweep.status, "winner": sweep.winner}
        event = Event(
            id=f"{sweep.id}-{sweep.status}-{sweep.deadline:.0f}",
            type=f"sweep.{sweep.status}",
            source="/v1/fine_tuning/sweeps",
            subject=sweep.id,
            time=self._sweeps.now(),
            data=body,
        )
        self._sweeps.events.publish(announced(event, type=ENDED_EVENT, sweep_id=sweep.id, status=str(sweep.status)))
        self._sweeps.replace(stored, msgspec.structs.replace(sweep, open=False))
        return True


def _skipped(member: Member, reason: str) -> Member:
    return msgspec.structs.replace(member, state=MemberState.SKIPPED, reason=f"Not run: {reason}")
