"""Write down what a provider says of a job; how the job was found, alone or in a listing, is not known here."""

from collections.abc import Sequence

import msgspec

from tuneway.errors import TryLater
from tuneway.ports import Checkpoint, Loss, ProviderJob, ProviderState
from tuneway.state import Stored
from tuneway.tuning import losses, progress
from tuneway.tuning.datasets.report import TokenRange
from tuneway.tuning.failures import explained
from tuneway.tuning.forecast import forecast, past_runs
from tuneway.tuning.jobs import Job, JobError, Line, Status
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.spending import overspent, reconciled, trained_tokens


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's last word means here, and how it is told; otherwise while a cancellation is under way."""

    status: Status
    told: str
    told_cancelling: str


ENDINGS: dict[ProviderState, Ending] = {
    ProviderState.SUCCEEDED: Ending(
        status=Status.SUCCEEDED,
        told="Fine-tuning finished; deploying the model.",
        told_cancelling="Fine-tuning had finished before the cancellation reached it; deploying the model.",
    ),
    ProviderState.FAILED: Ending(
        status=Status.FAILED,
        told="Fine-tuning failed.",
        told_cancelling="Fine-tuning failed before the cancellation reached it.",
    ),
    ProviderState.CANCELLED: Ending(
        status=Status.CANCELLED,
        told="Fine-tuning was cancelled at the provider, past tuneway.",
        told_cancelling="Fine-tuning cancelled.",
    ),
}
FOLLOWED = frozenset({Status.QUEUED, Status.RUNNING, Status.CANCELLING})


class Follower:
    """Takes a job along with its provider's job."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def seen(self, stored: Stored[Job], provider: ProviderJob) -> Stored[Job]:
        """Bring a job in ``FOLLOWED`` up to what the provider says of it; what has not changed costs no write.

        A job that comes back as ``cancelling`` is to be stopped at the provider. Raises Conflict when outrun, and
        TryLater when the provider has not said enough.
        """
        if ending := ENDINGS.get(provider.state):
            return self._ended(stored, provider, ending)
        if stored.value.status is Status.CANCELLING:
            return stored
        now = self._lifecycle.now()
        job = stored.value
        after = _with_progress(job, provider, now=now)
        if error := overspent(job, provider):
            stopped = msgspec.structs.replace(after, error=error)
            return self._lifecycle.move(
                stored, Status.CANCELLING, Line(message=error.message, level="warn"), job=stopped
            )
        return self._going_on(stored, after, provider)

    def _going_on(self, stored: Stored[Job], after: Job, provider: ProviderJob) -> Stored[Job]:
        job = stored.value
        fresh = losses.fresh(job, provider.losses, steps_total=_total(after))
        lines: list[Line | str] = [losses.line(loss, steps_total=_total(after)) for loss in fresh]
        after = _with_losses(after, fresh)
        if after.progress and progress.worth_a_write(job.progress, after.progress):
            lines = [*progress.lines(job.progress, after.progress), *lines]
        if provider.state is ProviderState.RUNNING and job.status is Status.QUEUED:
            begun = msgspec.structs.replace(after, forecast_seconds=self._forecast(job))
            return self._lifecycle.move(stored, Status.RUNNING, "Fine-tuning started.", *lines, job=begun)
        return self._lifecycle.write(stored, after, *lines) if lines else stored

    def _forecast(self, job: Job) -> float | None:
        """How long past jobs of the base say that this one will train."""
        if job.estimate is None:
            return None
        low, high = job.estimate.tokens_low, job.estimate.tokens_high
        tokens = TokenRange(low=low, high=high, basis=job.estimate.tokens_basis)
        runs = past_runs(self._lifecycle.jobs, job.base_model, owner=job.owner)
        found = forecast(runs, tokens, base=job.base_model)
        return None if found is None else found.seconds_likely

    def _ended(self, stored: Stored[Job], provider: ProviderJob, ending: Ending) -> Stored[Job]:
        if ending.status is Status.SUCCEEDED and provider.tuned is None:
            raise TryLater(f"{provider.name} has succeeded but does not name its model yet.")
        job = stored.value
        message = ending.told_cancelling if job.status is Status.CANCELLING else ending.told
        error = _error(job, provider, message)
        after = _with_progress(job, provider, now=self._lifecycle.now())
        fresh = losses.fresh(job, provider.losses, steps_total=_total(after), ended=True)
        ended = msgspec.structs.replace(
            _with_losses(after, fresh),
            checkpoint_losses=losses.at_checkpoints(_checkpoints(provider), provider.losses),
            final_loss=losses.final(provider.losses),
            trained_tokens=trained_tokens(job, provider),
            actual_cost=reconciled(job, provider),
            tuned=provider.tuned,
            error=error,
        )
        lines = [losses.line(loss, steps_total=_total(after)) for loss in fresh]
        last = error.message if error and ending.status is Status.FAILED else message
        return self._lifecycle.move(stored, ending.status, *lines, last, job=ended)


def _error(job: Job, provider: ProviderJob, message: str) -> JobError | None:
    """A failure explained; of a cancellation, what the ceiling said; of success nothing."""
    match provider.state:
        case ProviderState.FAILED:
            return explained(provider.error or message, backend=job.backend, cause=provider.cause)
        case ProviderState.CANCELLED:
            return job.error
        case _:
            return None


def _with_progress(job: Job, provider: ProviderJob, *, now: float) -> Job:
    return msgspec.structs.replace(job, progress=progress.progressed(job.progress, provider, now=now))


def _with_losses(job: Job, fresh: Sequence[Loss]) -> Job:
    """The job with the losses that are told now counted."""
    if not fresh:
        return job
    return msgspec.structs.replace(job, metrics_step=fresh[-1].step, metrics_told=job.metrics_told + len(fresh))


def _checkpoints(provider: ProviderJob) -> Sequence[Checkpoint]:
    return provider.tuned.checkpoints if provider.tuned else ()


def _total(job: Job) -> int | None:
    return job.progress.steps_total if job.progress else None
