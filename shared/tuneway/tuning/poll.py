"""Ask the provider how a job stands and write down what changed; unchanged jobs cost no write."""

import logging

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import Topic, TuningBackend, TuningBackends
from tuneway.state import Stored
from tuneway.tuning.follow import FOLLOWED, Follower
from tuneway.tuning.jobs import ENDED, Job, JobError, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle

ATTEMPTS = 5  # each starts from what whoever was faster, such as a caller's cancellation, has written

log = logging.getLogger(__name__)


class Poller:
    """The handler of ``poll-due``."""

    def __init__(self, lifecycle: Lifecycle, backends: TuningBackends) -> None:
        self._lifecycle = lifecycle
        self._backends = backends
        self._follower = Follower(lifecycle)

    def __call__(self, ref: JobRef) -> Stored[Job]:
        """Bring the job up to date; repeating the call changes nothing. Raises TryLater."""
        for _ in range(ATTEMPTS):
            try:
                return self._once(ref)
            except Conflict as fault:
                log.info("Job %s is read again: %s", ref.job_id, fault.message)
        raise TryLater(f"Job {ref.job_id} keeps changing.")

    def _once(self, ref: JobRef) -> Stored[Job]:
        stored = self._lifecycle.jobs.get(ref.job_id)
        if stored.value.status in FOLLOWED and not self._in_submission(stored.value):
            stored = self._asked(stored)
        return self.told(stored, ref)

    def told(self, stored: Stored[Job], ref: JobRef) -> Stored[Job]:
        """Tell of a job that was brought up to date whoever waits for it; repeating the call changes nothing."""
        if stored.value.status is Status.SUCCEEDED and stored.value.open:
            self._lifecycle.send(Topic.JOB_FINISHED, stored.value)
        stored = self._lifecycle.announce(ref)
        if stored.value.open and stored.value.status in ENDED - {Status.SUCCEEDED}:
            return self._lifecycle.note(stored, msgspec.structs.replace(stored.value, open=False))
        return stored

    def _asked(self, stored: Stored[Job]) -> Stored[Job]:
        """A provider that is away is asked again at the next beat; to fail this message would only repeat it sooner."""
        try:
            return self._followed(stored, self._backend(stored.value))
        except TryLater as fault:
            log.warning("Job %s stays as it is for now: %s", stored.id, fault.message)
            return self._lifecycle.jobs.get(stored.id)

    def _backend(self, job: Job) -> TuningBackend:
        try:
            return self._backends.of(job.backend)
        except BadInput as fault:
            # Whoever took the backend away can bring it back; the job may still be running and costing.
            raise TryLater(fault.message) from fault

    def _followed(self, stored: Stored[Job], backend: TuningBackend) -> Stored[Job]:
        if stored.value.provider_job is None:
            stored = self._found(stored, backend)
        name = stored.value.provider_job
        if name is None:
            return self._lifecycle.move(stored, Status.CANCELLED, "Cancelled before it was submitted.")
        try:
            return self._brought_up(stored, backend, name)
        except NotFound:
            error = JobError(code="provider_job_gone", message=f"The provider no longer knows {name}.")
            failed = msgspec.structs.replace(stored.value, error=error)
            return self._lifecycle.move(stored, Status.FAILED, error.message, job=failed)
        except (BadInput, NotAllowed) as fault:
            # The job may still be running and costing: keep asking, and let the fault be seen.
            raise TryLater(f"The provider refuses to show {name}: {fault.message}") from fault

    def _brought_up(self, stored: Stored[Job], backend: TuningBackend, name: str) -> Stored[Job]:
        if stored.value.status is Status.CANCELLING:
            backend.cancel(name)
            return self._follower.seen(stored, backend.get(name))
        after = self._follower.seen(stored, backend.get(name))
        if after.value.status is Status.CANCELLING:
            backend.cancel(name)  # the wish is written down already: if this is lost, the next beat repeats it
        return after

    def _in_submission(self, job: Job) -> bool:
        """Whether the job, cancelled meanwhile, may start yet; the tick sends it again until that is settled."""
        return job.provider_job is None and self._lifecycle.now() < job.lease_until

    def _found(self, stored: Stored[Job], backend: TuningBackend) -> Stored[Job]:
        """A job cancelled while it was being submitted may or may not have started."""
        job = stored.value
        found = backend.find(job.id, location=job.location) if job.attempts else None
        if found is None:
            return stored
        return self._lifecycle.note(stored, msgspec.structs.replace(job, provider_job=found.name))
