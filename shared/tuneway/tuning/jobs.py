"""A tuning job and its lifecycle: what it holds, which status may follow which, and what each move leaves behind.

    requested → validating → submitting → queued → running → succeeded | failed | cancelled

``cancelling`` lies between a wish to cancel and the provider's answer. A job stays *open* until nothing more has to
happen to it: the tick looks at open jobs only.
"""

from enum import StrEnum
from typing import NewType

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import TunedModel
from tuneway.tuning.cost import Estimate
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.hyperparameters import Hyperparameters

JobId = NewType("JobId", str)


class Status(StrEnum):
    """Where a job stands."""

    REQUESTED = "requested"
    VALIDATING = "validating"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.VALIDATING, Status.CANCELLED, Status.FAILED}),
    Status.VALIDATING: frozenset({Status.SUBMITTING, Status.CANCELLED, Status.FAILED}),
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
PATIENCE: dict[Status, float] = {
    Status.REQUESTED: 60,
    Status.VALIDATING: 600,
    Status.SUBMITTING: 120,
    Status.SUCCEEDED: 60,
}


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, in OpenAI's three fields."""

    code: str
    message: str
    param: str | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far training has come, as the provider counted it at ``seen_at``."""

    seen_at: float
    phase: str | None = None
    epochs_done: int | None = None
    steps_done: int | None = None
    steps_total: int | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A request to tune and all that became of it. Times are Unix seconds; URIs are gs://.

    ``alias`` is the name the model will answer under; ``fine_tuned_model`` repeats it once it does. ``sequence`` counts
    the job's events, ``announced`` how many of them this document knows to be published or owed by a running handler.
    ``attempts`` counts submissions, ``lease_until`` keeps a second submitter away while the first may be in the call.
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
    validation_file: str | None = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    status: Status = Status.REQUESTED
    open: bool = True
    sequence: int = 0
    announced: int = 0
    attempts: int = 0
    lease_until: float = 0.0
    training_uri: str | None = None
    validation_uri: str | None = None
    dataset: DatasetReport | None = None
    validation_dataset: DatasetReport | None = None
    estimate: Estimate | None = None
    provider_job: str | None = None
    started_at: float | None = None
    progress: Progress | None = None
    trained_tokens: int | None = None
    tuned: TunedModel | None = None
    fine_tuned_model: str | None = None
    error: JobError | None = None
    finished_at: float | None = None


class JobEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's history; ``sequence`` numbers them from 1."""

    job: JobId
    sequence: int
    created_at: float
    message: str
    status: Status
    level: str = "info"

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
        deadline=now + PATIENCE.get(status, 0),
        finished_at=now if status in ENDED else None,
        started_at=now if status is Status.RUNNING else job.started_at,
        open=status not in {Status.FAILED, Status.CANCELLED},
    )


def event(job: Job, message: str, *, now: float) -> JobEvent:
    """The event that ``job``, as it is about to be written, leaves behind."""
    level = "error" if job.status is Status.FAILED else "info"
    return JobEvent(job=job.id, sequence=job.sequence, created_at=now, message=message, status=job.status, level=level)
