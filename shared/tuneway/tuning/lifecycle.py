"""Move jobs with guarded writes, keep their history and announce it.

Every change is one guarded write: the job, with the events it leaves behind (``history``). Publishing follows.
A message about a job carries ``since``: how many events its sender knew to be announced. The handler announces all
later ones, made by itself or found, before it acknowledges; so an event lost in a crash is announced on redelivery.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.ports import Documents, Events, Message, Topic, Write
from tuneway.state import Collection, Stored
from tuneway.tuning.cloud_events import Event, announced
from tuneway.tuning.history import History, with_events
from tuneway.tuning.jobs import MILESTONES, Job, JobEvent, JobId, Line, Status, dated, event, moved

ATTEMPTS = 20
JOBS_SOURCE = "/v1/fine_tuning/jobs"

log = logging.getLogger(__name__)


class JobRef(msgspec.Struct, frozen=True):
    """What messages about a job carry."""

    job_id: JobId
    since: int = 0


class SweepRef(msgspec.Struct, frozen=True):
    """What messages about a sweep carry."""

    sweep_id: str


class Lifecycle:
    """The jobs and the ways they change."""

    def __init__(self, documents: Documents, events: Events, now: Callable[[], float]) -> None:
        self.now = now
        self.jobs = Collection(documents, "jobs", Job)
        self.documents = documents
        self._events = events

    def history(self, job: Job) -> History:
        """The events of a job as it was read."""
        return History(self.documents, job)

    def owned(self, job_id: str, owner: str | None) -> Stored[Job]:
        """The job, if it is the owner's; None asks for anybody's. Raises NotFound, alike for another's and for none."""
        stored = self.jobs.known(job_id)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no fine-tuning job '{job_id}'.", param="fine_tuning_job_id")
        return stored

    def begin(self, job: Job, message: str, *, also: Sequence[Write] = ()) -> Stored[Job]:
        """Store a new job with its first event, and do ``also`` in the same commit. Raises AlreadyExists, Conflict."""
        line = Line(message=message, milestone=MILESTONES[job.status])
        first, pages = self._happened(msgspec.structs.replace(job, sequence=1), line)
        self.documents.commit(self.jobs.create(job.id, dated(first)), *pages, *also)
        return self.jobs.get(job.id)

    def write(
        self, stored: Stored[Job], job: Job, *told: Line | str, owed: bool = False, also: Sequence[Write] = ()
    ) -> Stored[Job]:
        """Put ``job`` in the place of what was read and keep what is ``told`` as events. Raises Conflict when stale.

        ``also`` is done in the same commit.

        ``owed`` leaves the announcement to the handler that is told next; otherwise the running one owes it.
        """
        lines = [Line(message=line) if isinstance(line, str) else line for line in told]
        sequence = job.sequence + len(lines)
        after = msgspec.structs.replace(job, sequence=sequence, announced=job.announced if owed else sequence)
        after, pages = self._happened(after, *lines)
        return self._commit(stored, after, *pages, *also)

    def move(
        self, stored: Stored[Job], status: Status, *told: Line | str, job: Job | None = None, owed: bool = False
    ) -> Stored[Job]:
        """Take what was read, or ``job`` made of it, to its next status.

        Raises Conflict: stale, or no such transition. A move that is owed keeps the job open for the one told next.
        """
        after = moved(job or stored.value, status, now=self.now())
        lines = _marked(told, status)
        return self.write(stored, msgspec.structs.replace(after, open=after.open or owed), *lines, owed=owed)

    def note(self, stored: Stored[Job], job: Job) -> Stored[Job]:
        """Put ``job`` in the place of what was read, without an event. Raises Conflict when stale."""
        return self._commit(stored, job)

    def settled(self, job_id: str, step: Callable[[Stored[Job]], Stored[Job]]) -> Stored[Job]:
        """What ``step`` makes of the job as it is when nobody writes in between. Raises TryLater, and as ``step``."""
        for _ in range(ATTEMPTS):
            try:
                return step(self.jobs.get(job_id))
            except Conflict:
                continue
        raise TryLater(f"Job {job_id} keeps changing. Ask again.")

    def announce(self, ref: JobRef) -> Stored[Job]:
        """Publish the job's events after ``since``. Repeating the call repeats the messages and changes nothing."""
        stored = self.jobs.get(ref.job_id)
        if stored.value.sequence > ref.since:
            later = self.history(stored.value).later(ref.since)
            self._events.publish(*map(_announcement, later), *_wakes(stored.value, later))
        if stored.value.announced < stored.value.sequence:
            return self.note(stored, msgspec.structs.replace(stored.value, announced=stored.value.sequence))
        return stored

    def send(self, topic: Topic, job: Job) -> None:
        """Tell the handler of ``topic`` about the job. Raises TryLater; the tick sends again what has not moved."""
        body = msgspec.json.encode(JobRef(job.id, job.announced))
        self._events.publish(Message(topic=topic, data=body, attributes={"job_id": job.id}))

    def publish(self, *messages: Message) -> None:
        """Send what is not about one job. Raises TryLater."""
        self._events.publish(*messages)

    def tell(self, topic: Topic, job: Job) -> None:
        """As ``send``, for a caller who must not wait for the bus: what cannot be sent now waits for the tick."""
        try:
            self.send(topic, job)
        except TryLater as fault:
            log.warning("The message on %s for %s waits for the next tick: %s", topic, job.id, fault.message)

    def _commit(self, stored: Stored[Job], job: Job, *also: Write) -> Stored[Job]:
        self.documents.commit(self.jobs.replace(stored, dated(job)), *also)
        return self.jobs.get(stored.id)

    def _happened(self, job: Job, *lines: Line) -> tuple[Job, list[Write]]:
        """The job as it is about to be written, with its events: the last of them has the job's own number."""
        now, before = self.now(), job.sequence - len(lines)
        happened = [event(job, line, sequence=before + n, now=now) for n, line in enumerate(lines, 1)]
        return with_events(self.documents, job, happened)


def _marked(told: Sequence[Line | str], status: Status) -> list[Line]:
    """The lines of a move; one is its milestone: the first of a beginning, whose progress follows, else the last."""
    lines = [Line(message=line) if isinstance(line, str) else line for line in told]
    at = 0 if status is Status.RUNNING else len(lines) - 1
    return [
        msgspec.structs.replace(line, milestone=MILESTONES[status]) if n == at else line for n, line in enumerate(lines)
    ]


def sweep_due(sweep_id: str) -> Message:
    """The message that has a sweep looked after."""
    return Message(
        topic=Topic.SWEEP_DUE, data=msgspec.json.encode(SweepRef(sweep_id)), attributes={"sweep_id": sweep_id}
    )


def _wakes(job: Job, later: Iterable[JobEvent]) -> list[Message]:
    """What is told of its job wakes a sweep, but for the progress of the training."""
    moves = any(happened.type == "message" and happened.status is not Status.RUNNING for happened in later)
    return [sweep_due(job.sweep)] if job.sweep is not None and moves else []


def _announcement(happened: JobEvent) -> Message:
    body = {
        "job_id": happened.job,
        "event_id": happened.id,
        "type": happened.type,
        "status": happened.status,
        "sequence": happened.sequence,
    }
    told = Event(
        id=happened.id,
        type=f"job.{happened.milestone or happened.type}",
        source=JOBS_SOURCE,
        subject=happened.job,
        time=happened.created_at,
        data=body,
    )
    return announced(told, job_id=happened.job, status=str(happened.status))
