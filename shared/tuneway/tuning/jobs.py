"""A tuning job and its lifecycle: what it holds, which status may follow which, and what each move leaves behind.

    requested → validating → (held) → submitting → queued → running → succeeded | failed | cancelled

``held`` waits for a person's word, because the job may cost more than it is allowed to. ``cancelling`` lies between a
wish to cancel and the provider's answer. A job stays *open* until nothing more has to happen to it: the tick looks at
open jobs only.
"""

from enum import StrEnum
from typing import Literal, NewType

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import Checkpoint, Loss, Method, PreTuned, TunedModel
from tuneway.tuning.allowance import Allowance, Approval
from tuneway.tuning.bases import TuningMode
from tuneway.tuning.cost import ActualCost, Estimate
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.progress import Progress
from tuneway.tuning.promotions import JobPromotion

JobId = NewType("JobId", str)
Level = Literal["info", "warn", "error"]
Figure = str | int | float


class Status(StrEnum):
    """Where a job stands."""

    REQUESTED = "requested"
    VALIDATING = "validating"
    HELD = "held"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.VALIDATING, Status.CANCELLED, Status.FAILED}),
    Status.VALIDATING: frozenset({Status.HELD, Status.SUBMITTING, Status.CANCELLED, Status.FAILED}),
    Status.HELD: frozenset({Status.SUBMITTING, Status.CANCELLED, Status.FAILED}),
    Status.SUBMITTING: frozenset({Status.QUEUED, Status.CANCELLING, Status.FAILED}),
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.RUNNING: frozenset({Status.CANCELLING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.CANCELLING: frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
ENDED = frozenset(status for status, following in TRANSITIONS.items() if not following)

# Seconds a job may stay as it is before the tick wakes it again: longer than the honest work of that status takes.
# A held job is woken to look whether its price is settled by now, or its time is over.
PATIENCE: dict[Status, float] = {
    Status.REQUESTED: 60,
    Status.VALIDATING: 600,
    Status.HELD: 3600,
    Status.SUBMITTING: 120,
    Status.SUCCEEDED: 60,
}


# What a job has come to in each status. It counts as succeeded once its model answers, which the registry tells.
MILESTONES: dict[Status, str] = {status: str(status) for status in Status} | {Status.SUCCEEDED: "trained"}


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, or was cancelled by its ceiling, in OpenAI's three fields."""

    code: str
    message: str
    param: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A request to tune and all that became of it. Times are Unix seconds; URIs are the provider's own store's.

    ``deadline`` is when the tick wakes the job; ``due`` repeats it while the job is open, for the tick to ask by.
    ``alias`` is the name the model will answer under; ``fine_tuned_model`` repeats it once it does. ``sequence`` counts
    the job's events, ``recent`` holds the last of them (``history``), ``announced`` tells how many of them this
    document knows to be published or owed by a running handler.
    ``attempts`` counts submissions, ``lease_until`` keeps a second submitter away while the first may be in the call.
    ``forecast_seconds`` is how long past jobs like it trained, ``actual_cost`` what it cost by the provider's count.
    ``teacher`` is the model that a distillation learns from, ``continues`` the job whose model this one goes on from.
    ``columns`` are those that the caller named in both of its files.
    ``metrics_told`` counts the losses in the history, ``metrics_step`` is the last one's step; ``checkpoint_losses``
    are those at the checkpoints of ``tuned``, ``final_loss`` is the last one of each kind. ``sweep`` is the
    sweep that the job is part of, ``promotion`` the alias that its model shall answer under as well. ``cancel_asked``
    stays when the job succeeds before the provider could stop it.
    """

    id: JobId
    owner: str
    base_model: str
    location: str
    alias: str
    training_file: str
    hyperparameters: Hyperparameters
    created_at: float
    moved_at: float
    deadline: float
    due: float | None = None
    backend: str = "vertex_ai"
    method: Method = Method.SUPERVISED
    tuning_mode: TuningMode | None = None
    teacher: str | None = None
    pre_tuned: PreTuned | None = None
    continues: str | None = None
    allowance: Allowance = Allowance()
    approval: Approval | None = None
    validation_file: str | None = None
    columns: Columns | None = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    status: Status = Status.REQUESTED
    open: bool = True
    sequence: int = 0
    recent: str = ""
    announced: int = 0
    attempts: int = 0
    lease_until: float = 0.0
    training_uri: str | None = None
    validation_uri: str | None = None
    dataset: DatasetReport | None = None
    validation_dataset: DatasetReport | None = None
    estimate: Estimate | None = None
    actual_cost: ActualCost | None = None
    provider_job: str | None = None
    started_at: float | None = None
    forecast_seconds: float | None = None
    progress: Progress | None = None
    metrics_step: int = 0
    metrics_told: int = 0
    trained_tokens: int | None = None
    tuned: TunedModel | None = None
    checkpoint_losses: tuple[Loss, ...] = ()
    final_loss: Loss | None = None
    sweep: str | None = None
    promotion: JobPromotion | None = None
    fine_tuned_model: str | None = None
    cancel_asked: bool = False
    error: JobError | None = None
    finished_at: float | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What an event will tell, before it has its number; a metrics line holds its figures in ``data``.

    ``milestone`` is what the job has come to with it, where it is more than a line.
    """

    message: str
    level: Level = "info"
    type: Literal["message", "metrics"] = "message"
    data: dict[str, Figure] = {}
    milestone: str | None = None


class JobEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a job's history; ``sequence`` numbers them from 1."""

    job: JobId
    sequence: int
    created_at: float
    message: str
    status: Status
    level: Level = "info"
    type: Literal["message", "metrics"] = "message"
    data: dict[str, Figure] = {}
    milestone: str | None = None

    @property
    def id(self) -> str:
        """The event's public id; it sorts in the order of the events."""
        return f"ftevent-{self.job.removeprefix('ftjob-')}-{self.sequence:06d}"


def moved(job: Job, status: Status, *, now: float) -> Job:
    """The job in its next status. Raises Conflict when the table has no such transition."""
    if status not in TRANSITIONS[job.status]:
        raise Conflict(f"A job that is {job.status} cannot become {status}.")
    return msgspec.structs.replace(
        job,
        status=status,
        moved_at=now,
        # Whoever looks after a queued job, alone or in a listing, goes on when it runs.
        deadline=job.deadline if status is Status.RUNNING else now + PATIENCE.get(status, 0),
        finished_at=now if status in ENDED else None,
        started_at=now if status is Status.RUNNING else job.started_at,
        cancel_asked=job.cancel_asked or status is Status.CANCELLING,
        open=status not in {Status.FAILED, Status.CANCELLED},
    )


def dated(job: Job) -> Job:
    """The job with the time that the tick asks by; one that is closed has none."""
    return msgspec.structs.replace(job, due=job.deadline if job.open else None)


def checkpoint_id(job: Job, point: Checkpoint) -> str:
    """The public id of a checkpoint, which names its job, too."""
    return f"ftckpt-{job.id.removeprefix('ftjob-')}-{point.id}"


def event(job: Job, line: Line, *, sequence: int, now: float) -> JobEvent:
    """The event of that number which ``job``, as it is about to be written, leaves behind."""
    failed = job.status is Status.FAILED and line.type == "message"
    return JobEvent(
        job=job.id,
        sequence=sequence,
        created_at=now,
        message=line.message,
        status=job.status,
        level="error" if failed else line.level,
        type=line.type,
        data=line.data,
        milestone=line.milestone,
    )
