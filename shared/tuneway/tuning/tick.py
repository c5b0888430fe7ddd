"""One beat: wake every open job that needs somebody, so that nothing accepted is ever forgotten."""

from tuneway.ports import Topic
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import Lifecycle

WAKES: dict[Status, Topic] = {
    Status.REQUESTED: Topic.JOB_REQUESTED,
    Status.VALIDATING: Topic.JOB_REQUESTED,
    Status.SUBMITTING: Topic.JOB_REQUESTED,
    Status.QUEUED: Topic.POLL_DUE,
    Status.RUNNING: Topic.POLL_DUE,
    Status.CANCELLING: Topic.POLL_DUE,
    Status.SUCCEEDED: Topic.JOB_FINISHED,
    Status.FAILED: Topic.POLL_DUE,
    Status.CANCELLED: Topic.POLL_DUE,
}


def tick(lifecycle: Lifecycle) -> int:
    """Publish one message for each open job that is due; how many. With no open job this is one read.

    Repeating the call repeats messages, whose handlers are idempotent. Raises TryLater when the bus is away.
    """
    due = [stored.value for stored in lifecycle.jobs.find(("open", "==", True)) if _due(stored.value, lifecycle.now())]
    for job in due:
        lifecycle.send(WAKES[job.status], job)
    return len(due)


def _due(job: Job, now: float) -> bool:
    return now >= job.deadline
