"""Take an accepted job to its provider: lint, estimate, gate, submit; each step starts from what the document says."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import ProviderJob, Topic, TuningBackend, TuningBackends
from tuneway.state import Stored
from tuneway.tuning import gate
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.failures import explained
from tuneway.tuning.jobs import PATIENCE, Job, JobError, Line, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.orders import repriced, to_request
from tuneway.tuning.validate import Datasets

MAX_SUBMISSIONS = 30
MAX_AGE = 24 * 3600.0


class Submitter:
    """The handler of ``job-requested``.

    ``lease`` (seconds) must be longer than the backend's longest call: while it runs, no second delivery may create.
    ``outputs`` are the places for what a job makes, by backend: ``gs://bucket`` or ``s3://bucket``.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        backends: TuningBackends,
        *,
        datasets: Datasets,
        lease: float,
        catalogue: Catalogue,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        self._lifecycle = lifecycle
        self._backends = backends
        self._datasets = datasets
        self._lease = lease
        self._catalogue = catalogue
        self._outputs = outputs or {}
        self._steps: dict[Status, Callable[[Stored[Job]], Stored[Job]]] = {
            Status.REQUESTED: self._begin,
            Status.VALIDATING: self._validate,
            Status.HELD: self._look_again,
            Status.SUBMITTING: self._submit,
        }

    def __call__(self, ref: JobRef) -> None:
        """Advance the job as far as it goes now; repeating the call changes nothing. Raises TryLater."""
        stored = self._lifecycle.jobs.get(ref.job_id)
        while (step := self._steps.get(stored.value.status)) and not self._waits(stored.value):
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
        if reason := gate.reason_to_hold(checked.job):
            held = Line(message=reason, level="warn")
            return self._lifecycle.move(stored, Status.HELD, checked.summary, held, job=checked.job)
        return self._lifecycle.move(stored, Status.SUBMITTING, checked.summary, job=checked.job)

    def _look_again(self, stored: Stored[Job]) -> Stored[Job]:
        """A held job goes on once its price is settled, ends when nobody answers, and else waits for the next look."""
        job = repriced(stored.value, self._base(stored.value))
        if gate.reason_to_hold(job) is None:
            said = "The estimate is within the limit by now: held no longer."
            return self._lifecycle.move(stored, Status.SUBMITTING, said, job=job)
        if self._lifecycle.now() - job.moved_at >= gate.HOLD_SECONDS:
            said = f"Nobody approved the job in {gate.HOLD_SECONDS / 86400:.0f} days. Create it again."
            return self._fail(stored, JobError(code="approval_expired", message=said))
        deadline = self._lifecycle.now() + PATIENCE[Status.HELD]
        return self._lifecycle.note(stored, msgspec.structs.replace(stored.value, deadline=deadline))

    def _submit(self, stored: Stored[Job]) -> Stored[Job]:
        job = stored.value
        until = self._lifecycle.now() + self._lease
        # If this attempt dies, the tick sends the job again once the lease is over.
        claim = msgspec.structs.replace(job, attempts=job.attempts + 1, lease_until=until, deadline=until)
        claimed = self._lifecycle.note(stored, claim)
        try:
            return self._submitted(claimed, self._backends.of(job.backend))
        except (BadInput, NotFound, NotAllowed) as fault:
            return self._fail(claimed, _refusal(fault, job))

    def _submitted(self, claimed: Stored[Job], backend: TuningBackend) -> Stored[Job]:
        job = claimed.value
        # An earlier attempt may have started a job whose answer was lost: only the first one may create unseen.
        found = backend.find(job.id, location=job.location) if job.attempts > 1 else None
        if found is None and job.attempts > MAX_SUBMISSIONS:
            return self._fail(
                claimed,
                JobError(code="submission_failed", message="The provider did not take the job; create it again."),
            )
        provider = found or self._created(job, backend)
        return self._record(claimed, provider.name)

    def _created(self, job: Job, backend: TuningBackend) -> ProviderJob:
        # One that slept on its lease must not create beside the next one; a call takes less than half of it.
        if self._lifecycle.now() > job.lease_until - self._lease / 2:
            raise TryLater(f"The submission of job {job.id} took too long; the next attempt looks for it first.")
        place = self._outputs.get(job.backend)
        return backend.create(to_request(job, self._base(job), place=place))

    def _base(self, job: Job) -> BaseModel:
        """What the catalogue says of it today. Raises BadInput when it knows it no longer."""
        return self._catalogue.named(job.base_model, today=datetime.fromtimestamp(self._lifecycle.now(), UTC).date())

    def _waits(self, job: Job) -> bool:
        """Whether there is nothing to do before the tick sends the job again.

        Another delivery is submitting it, and its time is not over; or it is held, and was looked at not long ago.
        """
        now = self._lifecycle.now()
        leased = job.status is Status.SUBMITTING and now < job.lease_until
        return leased or (job.status is Status.HELD and now < job.deadline)

    def _record(self, claimed: Stored[Job], name: str) -> Stored[Job]:
        submitted = msgspec.structs.replace(claimed.value, provider_job=name)
        try:
            return self._lifecycle.move(claimed, Status.QUEUED, f"Submitted to the provider as {name}.", job=submitted)
        except Conflict:
            # Cancelled meanwhile: the paid job exists, so its name must be kept for the one who ends it.
            now = self._lifecycle.jobs.get(claimed.id)
            if now.value.status is Status.CANCELLING and now.value.provider_job is None:
                return self._lifecycle.note(now, msgspec.structs.replace(now.value, provider_job=name))
            raise

    def _fail(self, stored: Stored[Job], error: JobError, *, job: Job | None = None) -> Stored[Job]:
        failed = msgspec.structs.replace(job or stored.value, error=error)
        return self._lifecycle.move(stored, Status.FAILED, error.message, job=failed)


def _refusal(fault: TunewayError, job: Job) -> JobError:
    """A refusal that names its own cause keeps it."""
    error = explained(fault.message, backend=job.backend, code=fault.code or "refused_by_provider")
    if fault.code is None and fault.param is None:
        return error
    return JobError(code=fault.code or error.code, message=error.message, param=fault.param or error.param)
