"""Move jobs with guarded writes, keep their history and announce it.

Every change is one atomic commit: the job, guarded by its version, and the event it leaves behind. Publishing follows.
A message about a job carries ``since``: how many events its sender knew to be announced. The handler announces all
later ones, made by itself or found, before it acknowledges; so an event lost in a crash is announced on redelivery.
"""

from collections.abc import Callable

import msgspec

from tuneway.ports import Documents, Events, Message, Topic, Write
from tuneway.state import Collection, Stored
from tuneway.tuning.jobs import Job, JobEvent, JobId, Status, event, moved


class JobRef(msgspec.Struct, frozen=True):
    """What messages about a job carry."""

    job_id: JobId
    since: int = 0


class Lifecycle:
    """The jobs and the ways they change."""

    def __init__(self, documents: Documents, events: Events, now: Callable[[], float]) -> None:
        self.now = now
        self.jobs = Collection(documents, "jobs", Job)
        self._documents = documents
        self._events = events

    def history(self, job_id: JobId) -> Collection[JobEvent]:
        """A job's events."""
        return Collection(self._documents, f"jobs/{job_id}/events", JobEvent)

    def begin(self, job: Job, message: str) -> Stored[Job]:
        """Store a new job with its first event. Raises AlreadyExists."""
        first = msgspec.structs.replace(job, sequence=1)
        self._documents.commit(self.jobs.create(job.id, first), self._happened(first, message))
        return self.jobs.get(job.id)

    def write(self, stored: Stored[Job], job: Job, message: str, *, owed: bool = False) -> Stored[Job]:
        """Put ``job`` in the place of what was read and keep ``message`` as its event. Raises Conflict when stale.

        ``owed`` leaves the announcement to the handler that is told next; otherwise the running one owes it.
        """
        sequence = job.sequence + 1
        after = msgspec.structs.replace(job, sequence=sequence, announced=job.announced if owed else sequence)
        return self._commit(stored, after, self._happened(after, message))

    def move(
        self, stored: Stored[Job], status: Status, message: str, *, job: Job | None = None, owed: bool = False
    ) -> Stored[Job]:
        """Take what was read, or ``job`` made of it, to its next status.

        Raises Conflict: stale, or no such transition. A move that is owed keeps the job open for the one told next.
        """
        after = moved(job or stored.value, status, now=self.now())
        return self.write(stored, msgspec.structs.replace(after, open=after.open or owed), message, owed=owed)

    def note(self, stored: Stored[Job], job: Job) -> Stored[Job]:
        """Put ``job`` in the place of what was read, without an event. Raises Conflict when stale."""
        return self._commit(stored, job)

    def announce(self, ref: JobRef) -> Stored[Job]:
        """Publish the job's events after ``since``. Repeating the call repeats the messages and changes nothing."""
        stored = self.jobs.get(ref.job_id)
        if stored.value.sequence > ref.since:
            later = self.history(ref.job_id).find(("sequence", ">", ref.since), order_by="sequence")
            self._events.publish(*(_announcement(happened.value) for happened in later))
        if stored.value.announced < stored.value.sequence:
            return self.note(stored, msgspec.structs.replace(stored.value, announced=stored.value.sequence))
        return stored

    def send(self, topic: Topic, job: Job) -> None:
        """Tell the handler of ``topic`` about the job. Raises TryLater; the tick sends again what has not moved."""
        body = msgspec.json.encode(JobRef(job.id, job.announced))
        self._events.publish(Message(topic=topic, data=body, attributes={"job_id": job.id}))

    def _commit(self, stored: Stored[Job], job: Job, *event: Write) -> Stored[Job]:
        self._documents.commit(self.jobs.replace(stored, job), *event)
        return self.jobs.get(stored.id)

    def _happened(self, job: Job, message: str) -> Write:
        happened = event(job, message, now=self.now())
        return self.history(job.id).create(f"{happened.sequence:06d}", happened)


def _announcement(happened: JobEvent) -> Message:
    body = {"job_id": happened.job, "event_id": happened.id, "status": happened.status, "sequence": happened.sequence}
    return Message(
        topic=Topic.TUNING_EVENTS,
        data=msgspec.json.encode(body),
        attributes={"job_id": happened.job, "status": happened.status},
    )
