"""A sweep: many tuning jobs as one object, what it holds, and which status may follow which.

    running → (promoting) → succeeded | failed
    running → cancelling → cancelled

A *member* is a job of the sweep, before and after it exists. A sweep stays *open* until nothing more has to happen to
it: the tick looks at open sweeps only.
"""

import hashlib
from enum import StrEnum
from typing import Literal, NewType

import msgspec

from tuneway.errors import Conflict
from tuneway.tuning.datasets.report import TokenRange
from tuneway.tuning.jobs import JobId
from tuneway.tuning.orders import JobOrder

SweepId = NewType("SweepId", str)
Measure = Literal["validation_loss", "training_loss"]
Rule = Literal["patience", "target_validation_loss", "max_failures", "ceiling", "cancelled"]
PATIENCE = 60.0  # seconds until the tick looks after an open sweep again
MOST_JOBS = 100


class SweepStatus(StrEnum):
    """Where a sweep stands."""

    RUNNING = "running"
    CANCELLING = "cancelling"
    PROMOTING = "promoting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


S = SweepStatus
TRANSITIONS: dict[SweepStatus, frozenset[SweepStatus]] = {
    S.RUNNING: frozenset({S.CANCELLING, S.PROMOTING, S.SUCCEEDED, S.FAILED}),
    S.CANCELLING: frozenset({S.CANCELLED}),
    S.PROMOTING: frozenset({S.SUCCEEDED}),
    S.SUCCEEDED: frozenset({S.PROMOTING}),  # by a person's choice, afterwards
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
ENDED = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED})


class MemberState(StrEnum):
    """Where a member stands: what its job does meanwhile is on the job."""

    WAITING = "waiting"
    STARTED = "started"
    ENDED = "ended"
    SKIPPED = "skipped"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a member's job did not succeed."""

    code: str
    message: str
    param: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a member's job. ``cost_usd`` is what it counts for, by ``cost_basis``; None is not known."""

    status: Literal["succeeded", "failed", "cancelled"]
    finished_at: float
    cost_basis: Literal["actual", "estimate", "nothing", "unknown"]
    cost_usd: float | None = None
    validation_loss: float | None = None
    training_loss: float | None = None
    trouble: Trouble | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One job of the sweep; ``reason`` says why it was skipped, or why its job is being cancelled."""

    index: int
    order: JobOrder
    base_model: str
    backend: str
    job: JobId
    state: MemberState = MemberState.WAITING
    reason: str | None = None
    result: Result | None = None


class StopRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to start no more.

    ``patience`` jobs in a row did not beat the best loss by more than ``min_delta``, one reached
    ``target_validation_loss``, or ``max_failures`` have failed. ``cancel_running`` also ends those that run.
    """

    patience: int | None = None
    min_delta: float = 0.0
    target_validation_loss: float | None = None
    max_failures: int | None = None
    cancel_running: bool = False


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing more is started."""

    rule: Rule
    message: str


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """The wish that the winner answer under ``alias``, and how far it has come.

    ``wanted`` until there is a winner, ``waiting`` until its model answers, ``asked`` until the registry has done it.
    """

    alias: str
    by: Measure = "validation_loss"
    state: Literal["wanted", "waiting", "asked", "done", "refused", "none"] = "wanted"
    job: JobId | None = None
    message: str | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one epoch of a file, as a job on it counted them for a base model.

    ``usd_per_epoch`` is what an epoch did cost, by the provider's own count, once a job on it has ended.
    """

    training_file: str
    base_model: str
    tokens: TokenRange
    uncounted: bool = False
    usd_per_epoch: float | None = None


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Many jobs as one object. Times are Unix seconds, amounts USD.

    ``deadline`` is when the tick wakes the sweep; ``due`` repeats it while the sweep is open, for the tick to ask by.
    ``max_cost_usd`` is the ceiling of all jobs together, ``key_limit`` what the key that asked may spend on each.
    """

    id: SweepId
    owner: str
    created_at: float
    deadline: float
    members: tuple[Member, ...]
    name: str | None = None
    concurrency: int | None = None
    max_cost_usd: float | None = None
    max_jobs: int | None = None
    key_limit: float | None = None
    stop: StopRules = StopRules()
    promotion: Promotion | None = None
    metadata: dict[str, str] | None = None
    status: SweepStatus = SweepStatus.RUNNING
    open: bool = True
    due: float | None = None
    halted: Halt | None = None
    known: tuple[Known, ...] = ()
    winner: JobId | None = None
    finished_at: float | None = None

    def standing(self, *states: MemberState) -> tuple[Member, ...]:
        """The members in one of these states."""
        return tuple(member for member in self.members if member.state in states)


def moved(sweep: Sweep, status: SweepStatus, *, now: float) -> Sweep:
    """The sweep in its next status; it stays open until its end is announced. Raises Conflict."""
    if status not in TRANSITIONS[sweep.status]:
        raise Conflict(f"A sweep that is {sweep.status} cannot become {status}.")
    return msgspec.structs.replace(sweep, status=status, finished_at=now if status in ENDED else None)


def dated(sweep: Sweep) -> Sweep:
    """The sweep with the time that the tick asks by; one that is closed has none."""
    return msgspec.structs.replace(sweep, due=sweep.deadline if sweep.open else None)


def with_members(sweep: Sweep, *changed: Member) -> Sweep:
    """The sweep with these members in the places of those of the same index."""
    by_index = {member.index: member for member in changed}
    return msgspec.structs.replace(sweep, members=tuple(by_index.get(each.index, each) for each in sweep.members))


def skipped(sweep: Sweep, reason: str) -> Sweep:
    """The sweep with all that wait skipped."""
    waiting = sweep.standing(MemberState.WAITING)
    return with_members(
        sweep, *(msgspec.structs.replace(each, state=MemberState.SKIPPED, reason=reason) for each in waiting)
    )


def member_job(sweep: SweepId, index: int) -> JobId:
    """The id of a member's job: always the same, so that nothing can start it twice."""
    return JobId(f"ftjob-{hashlib.sha256(f'{sweep}/{index}'.encode()).hexdigest()[:24]}")
