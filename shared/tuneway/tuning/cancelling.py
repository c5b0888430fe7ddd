"""End a job: at once before it is submitted, else as soon as the provider has stopped it."""

from tuneway.errors import BadInput
from tuneway.ports import Topic
from tuneway.state import Stored
from tuneway.tuning.jobs import ENDED, Job, Status
from tuneway.tuning.lifecycle import Lifecycle

NOT_STARTED = frozenset({Status.REQUESTED, Status.VALIDATING, Status.HELD})


def cancelled(lifecycle: Lifecycle, job_id: str, *, because: str = "") -> Job:
    """The job, cancelled or on its way there. Repeating the call changes nothing.

    ``because`` is told in its history. Raises BadInput when it has ended otherwise, and TryLater.
    """

    def step(stored: Stored[Job]) -> Stored[Job]:
        return _step(lifecycle, stored, f" {because}" if because else "")

    return lifecycle.settled(job_id, step).value


def _step(lifecycle: Lifecycle, stored: Stored[Job], because: str) -> Stored[Job]:
    job = stored.value
    if job.status in {Status.CANCELLING, Status.CANCELLED}:
        return stored
    if job.status in ENDED:
        raise BadInput(f"Job {job.id} has already {job.status}; it cannot be cancelled.", code="job_ended")
    if job.status in NOT_STARTED:
        told = f"Cancelled before it was submitted.{because}"
        after = lifecycle.move(stored, Status.CANCELLED, told, owed=True)
    else:
        after = lifecycle.move(stored, Status.CANCELLING, f"Cancellation requested.{because}", owed=True)
    lifecycle.tell(Topic.POLL_DUE, after.value)
    return after
