"""Ask the provider how a job stands and write down what changed; unchanged jobs cost no write."""

import logging

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import ProviderJob, ProviderState, Topic, TuningBackend
from tuneway.state import Stored
from tuneway.tuning.jobs import ENDED, Job, JobError, Progress, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle

# Provider states as steps of our lifecycle; QUEUED stays where it is.
FOLLOWS: dict[ProviderState, tuple[Status, str]] = {
    ProviderState.RUNNING: (Status.RUNNING, "Fine-tuning started."),
    ProviderState.SUCCEEDED: (Status.SUCCEEDED, "Fine-tuning finished; deploying the model."),
    ProviderState.FAILED: (Status.FAILED, "Fine-tuning failed."),
    ProviderState.CANCELLED: (Status.CANCELLED, "Fine-tuning cancelled."),
}
FOLLOWED = frozenset({Status.QUEUED, Status.RUNNING, Status.CANCELLING})
PROGRESS_SHARE = 0.05  # of all steps: the least progress worth a write


log = logging.getLogger(__name__)


class Poller:
    """The handler of ``poll-due``."""

    def __init__(self, lifecycle: Lifecycle, backend: TuningBackend) -> None:
        self._lifecycle = lifecycle
        self._backend = backend

    def __call__(self, ref: JobRef) -> None:
        """Bring the job up to date; repeating the call changes nothing. Raises TryLater, and Conflict when outrun."""
        stored = self._lifecycle.jobs.get(ref.job_id)
        if stored.value.status in FOLLOWED and not self._in_submission(stored.value):
            stored = self._asked(stored)
        if stored.value.status is Status.SUCCEEDED and stored.value.open:
            self._lifecycle.send(Topic.JOB_FINISHED, stored.value)
        stored = self._lifecycle.announce(ref)
        if stored.value.open and stored.value.status in ENDED - {Status.SUCCEEDED}:
            self._lifecycle.note(stored, msgspec.structs.replace(stored.value, open=False))

    def _asked(self, stored: Stored[Job]) -> Stored[Job]:
        """A provider that is away is asked again at the next beat; to fail this message would only repeat it sooner."""
        try:
            return self._followed(stored)
        except TryLater as fault:
            log.warning("Job %s stays as it is for now: %s", stored.id, fault.message)
            return self._lifecycle.jobs.get(stored.id)

    def _followed(self, stored: Stored[Job]) -> Stored[Job]:
        if stored.value.provider_job is None:
            stored = self._found(stored)
        name = stored.value.provider_job
        if name is None:
            return self._lifecycle.move(stored, Status.CANCELLED, "Cancelled before it was submitted.")
        try:
            if stored.value.status is Status.CANCELLING:
                self._backend.cancel(name)
            return self._seen(stored, self._backend.get(name))
        except NotFound:
            error = JobError(code="provider_job_gone", message=f"Vertex AI no longer knows {name}.")
            failed = msgspec.structs.replace(stored.value, error=error)
            return self._lifecycle.move(stored, Status.FAILED, error.message, job=failed)
        except (BadInput, NotAllowed) as fault:
            # The job may still be running and costing: keep asking, and let the fault be seen.
            raise TryLater(f"Vertex AI refuses to show {name}: {fault.message}") from fault

    def _in_submission(self, job: Job) -> bool:
        """Whether the job, cancelled meanwhile, may start yet; the tick sends it again until that is settled."""
        return job.provider_job is None and self._lifecycle.now() < job.lease_until

    def _found(self, stored: Stored[Job]) -> Stored[Job]:
        """A job cancelled while it was being submitted may or may not have started."""
        job = stored.value
        found = self._backend.find(job.id, location=job.location) if job.attempts else None
        if found is None:
            return stored
        return self._lifecycle.note(stored, msgspec.structs.replace(job, provider_job=found.name))

    def _seen(self, stored: Stored[Job], provider: ProviderJob) -> Stored[Job]:
        status, message = FOLLOWS.get(provider.state, (stored.value.status, ""))
        if status is Status.RUNNING:
            return self._running(stored, provider, message)
        if status is stored.value.status:
            return stored
        if status is Status.SUCCEEDED and provider.tuned is None:
            raise TryLater(f"{provider.name} has succeeded but does not name its model yet.")
        failed = status is Status.FAILED
        message = (provider.error if failed else None) or message
        ended = msgspec.structs.replace(
            stored.value,
            progress=_progress(provider, now=self._lifecycle.now()) or stored.value.progress,
            trained_tokens=_trained_tokens(stored.value, provider),
            tuned=provider.tuned,
            error=JobError(code="fine_tuning_failed", message=message) if failed else None,
        )
        return self._lifecycle.move(stored, status, message, job=ended)

    def _running(self, stored: Stored[Job], provider: ProviderJob, message: str) -> Stored[Job]:
        if stored.value.status is Status.QUEUED:
            stored = self._lifecycle.move(stored, Status.RUNNING, message)
        progress = _progress(provider, now=self._lifecycle.now())
        if progress is None or not _worth_a_write(stored.value.progress, progress):
            return stored
        return self._lifecycle.write(stored, msgspec.structs.replace(stored.value, progress=progress), _line(progress))


def _progress(provider: ProviderJob, *, now: float) -> Progress | None:
    if provider.phase is None and provider.steps_done is None:
        return None
    return Progress(
        seen_at=now,
        phase=provider.phase,
        epochs_done=provider.epochs_done,
        steps_done=provider.steps_done,
        steps_total=provider.steps_total,
    )


def _trained_tokens(job: Job, provider: ProviderJob) -> int | None:
    """Billed tokens of all epochs; the provider counts those of the dataset once."""
    epochs = job.hyperparameters.epochs or provider.epochs_done
    return provider.billable_tokens * epochs if provider.billable_tokens and epochs else None


def _worth_a_write(before: Progress | None, after: Progress) -> bool:
    if before is None or (before.phase, before.epochs_done) != (after.phase, after.epochs_done):
        return True
    steps = (after.steps_done or 0) - (before.steps_done or 0)
    return steps > 0 and steps >= PROGRESS_SHARE * (after.steps_total or steps)


def _line(progress: Progress) -> str:
    if not progress.steps_done:
        return f"Phase: {progress.phase}."
    total = f"/{progress.steps_total}" if progress.steps_total else ""
    return f"Step {progress.steps_done}{total} done."
