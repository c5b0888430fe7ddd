"""Take an accepted job to its provider: lint, estimate, submit; each step starts from what the document says."""

from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import ProviderJob, Topic, TuningBackend, TuningRequest
from tuneway.state import Stored
from tuneway.tuning.jobs import Job, JobError, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.validate import Datasets

MAX_SUBMISSIONS = 30
MAX_AGE = 24 * 3600.0


class Submitter:
    """The handler of ``job-requested``.

    ``lease`` (seconds) must be longer than the backend's longest call: while it runs, no second delivery may create.
    """

    def __init__(self, lifecycle: Lifecycle, backend: TuningBackend, *, datasets: Datasets, lease: float) -> None:
        self._lifecycle = lifecycle
        self._backend = backend
        self._datasets = datasets
        self._lease = lease
        self._steps: dict[Status, Callable[[Stored[Job]], Stored[Job]]] = {
            Status.REQUESTED: self._begin,
            Status.VALIDATING: self._validate,
            Status.SUBMITTING: self._submit,
        }

    def __call__(self, ref: JobRef) -> None:
        """Advance the job as far as it goes now; repeating the call changes nothing. Raises TryLater."""
        stored = self._lifecycle.jobs.get(ref.job_id)
        while (step := self._steps.get(stored.value.status)) and not self._leased(stored.value):
            try:
                stored = step(stored)
            except Conflict:
                stored = self._lifecycle.jobs.get(ref.job_id)
        if stored.value.status is Status.CANCELLING:
            self._lifecycle.send(Topic.POLL_DUE, stored.value)
        self._lifecycle.announce(ref)

    def _begin(self, stored: Stored[Job]) -> Stored[Job]:
        return self._lifecycle.move(stored, Status.VALIDATING, "Validating the training data.")

    def _validate(self, stored: Stored[Job]) -> Stored[Job]:
        job = stored.value
        if self._lifecycle.now() - job.created_at > MAX_AGE:
            return self._fail(stored, JobError(code="validation_stalled", message="Validation did not end in a day."))
        checked = self._datasets.checked(job)
        if checked.error is not None:
            return self._fail(stored, checked.error, job=checked.job)
        return self._lifecycle.move(stored, Status.SUBMITTING, checked.summary, job=checked.job)

    def _submit(self, stored: Stored[Job]) -> Stored[Job]:
        job = stored.value
        until = self._lifecycle.now() + self._lease
        # If this attempt dies, the tick sends the job again once the lease is over.
        claim = msgspec.structs.replace(job, attempts=job.attempts + 1, lease_until=until, deadline=until)
        claimed = self._lifecycle.note(stored, claim)
        try:
            return self._submitted(claimed)
        except (BadInput, NotFound, NotAllowed) as fault:
            return self._fail(
                claimed, JobError(code=fault.code or "refused_by_provider", message=fault.message, param=fault.param)
            )

    def _submitted(self, claimed: Stored[Job]) -> Stored[Job]:
        job = claimed.value
        # An earlier attempt may have started a job whose answer was lost: only the first one may create unseen.
        found = self._backend.find(job.id, location=job.location) if job.attempts > 1 else None
        if found is None and job.attempts > MAX_SUBMISSIONS:
            return self._fail(
                claimed, JobError(code="submission_failed", message="Vertex AI did not take the job; create it again.")
            )
        provider = found or self._created(job)
        return self._record(claimed, provider.name)

    def _created(self, job: Job) -> ProviderJob:
        # One that slept on its lease must not create beside the next one; a call takes less than half of it.
        if self._lifecycle.now() > job.lease_until - self._lease / 2:
            raise TryLater(f"The submission of job {job.id} took too long; the next attempt looks for it first.")
        return self._backend.create(_request(job))

    def _leased(self, job: Job) -> bool:
        """Whether another delivery is submitting the job: the tick sends it again when that one's time is over."""
        return job.status is Status.SUBMITTING and self._lifecycle.now() < job.lease_until

    def _record(self, claimed: Stored[Job], name: str) -> Stored[Job]:
        submitted = msgspec.structs.replace(claimed.value, provider_job=name)
        try:
            return self._lifecycle.move(claimed, Status.QUEUED, f"Submitted to Vertex AI as {name}.", job=submitted)
        except Conflict:
            # Cancelled meanwhile: the paid job exists, so its name must be kept for the one who ends it.
            now = self._lifecycle.jobs.get(claimed.id)
            if now.value.status is Status.CANCELLING and now.value.provider_job is None:
                return self._lifecycle.note(now, msgspec.structs.replace(now.value, provider_job=name))
            raise

    def _fail(self, stored: Stored[Job], error: JobError, *, job: Job | None = None) -> Stored[Job]:
        failed = msgspec.structs.replace(job or stored.value, error=error)
        return self._lifecycle.move(stored, Status.FAILED, error.message, job=failed)


def _request(job: Job) -> TuningRequest:
    return TuningRequest(
        token=job.id,
        location=job.location,
        base_model=job.base_model,
        training_uri=job.training_uri or job.training_file,
        validation_uri=job.validation_uri,
        display_name=job.alias,
        epochs=job.hyperparameters.epochs,
        learning_rate_multiplier=job.hyperparameters.learning_rate_multiplier,
        adapter_size=job.hyperparameters.adapter_size,
    )
