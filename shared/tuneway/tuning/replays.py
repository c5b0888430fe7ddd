"""Start a job again as it was: same base, files, hyperparameters and words, once the files are found to be the same."""

from typing import Literal

from tuneway.errors import BadInput
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.jobs import Job
from tuneway.tuning.orders import JobOrder

SHOWN = 12


class Replays:
    """The use case of ``/v1/fine_tuning/jobs/{id}/replay``."""

    def __init__(self, desk: JobDesk, inspector: Inspector) -> None:
        self._desk = desk
        self._inspector = inspector

    def start(
        self, job_id: str, *, owner: str | None, key_limit: float | None = None, idempotency_key: str | None = None
    ) -> Job:
        """A new job of the same owner's, asked for in the same words; ``owner`` None is an admin.

        Raises NotFound, and BadInput naming the field when a file is gone or has other bytes, or when the base model
        or the model it went on from can no longer be tuned. TryLater when a file cannot be read now.
        """
        job = self._desk.get(job_id, owner=owner)
        again = order_of(job, model=self._model(job), idempotency_key=idempotency_key)
        if not self._desk.knows(again, owner=job.owner):
            check_files(job, self._inspector)
        return self._desk.create(again, owner=job.owner, key_limit=key_limit)

    def _model(self, job: Job) -> str:
        """What the job tuned, by the name that its caller may use: a base, or a checkpoint of another job's model."""
        if job.continues is None:
            return job.base_model
        parent = self._desk.get(job.continues, owner=job.owner)
        checkpoint = job.pre_tuned.checkpoint if job.pre_tuned else None
        return f"{parent.alias}@{checkpoint}" if checkpoint else parent.alias


def check_files(job: Job, inspector: Inspector) -> None:
    """Whether the job's files are still those that it was tuned on. Raises BadInput, naming the field; TryLater."""
    _check_file(job, "training_file", inspector, known=job.dataset)
    if job.validation_file is not None:
        _check_file(job, "validation_file", inspector, known=job.validation_dataset)


def _check_file(
    job: Job,
    field: Literal["training_file", "validation_file"],
    inspector: Inspector,
    *,
    known: DatasetReport | None,
) -> None:
    name = (job.training_file if field == "training_file" else job.validation_file) or ""
    if known is None:
        raise BadInput(
            f"Job {job.id} never came to read its {field}, so it cannot be told whether '{name}' is still the same. "
            "Create a new job instead.",
            param=field,
            code="replay_without_report",
        )
    now = inspector.fingerprint(name, field=field, owner=job.owner)
    if now != known.sha256:
        raise BadInput(
            f"'{name}' is not the file that job {job.id} was tuned on: its SHA-256 was {known.sha256[:SHOWN]}… and "
            f"is {now[:SHOWN]}… now. Put the old file back, or create a new job for the new one.",
            param=field,
            code="file_changed",
        )


def order_of(job: Job, *, model: str, idempotency_key: str | None = None) -> JobOrder:
    """The order that the job was made from; ``model`` is what it named."""
    return JobOrder(
        model=model,
        training_file=job.training_file,
        validation_file=job.validation_file,
        columns=job.columns,
        hyperparameters=job.hyperparameters,
        method=job.method,
        tuning_mode=job.tuning_mode,
        teacher=job.teacher,
        suffix=job.suffix,
        metadata=job.metadata,
        max_cost_usd=job.allowance.caller,
        idempotency_key=idempotency_key,
    )
