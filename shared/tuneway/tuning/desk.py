"""What callers ask of tuning jobs: create, list, retrieve, cancel, history, checkpoints; each for one owner.

Where ``owner`` may be None, that asks for anybody's job: for admins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from tuneway.errors import AlreadyExists, BadInput, NotFound, TryLater
from tuneway.ports import Checkpoint, Topic, Write
from tuneway.state import Stored
from tuneway.tuning.allowance import Allowance
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.cancelling import cancelled
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.files import FileRecords
from tuneway.tuning.installation import Installation
from tuneway.tuning.jobs import Job, JobEvent, Status, checkpoint_id
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.orders import (
    PLACES,
    JobOrder,
    Subject,
    Terms,
    accepted,
    asked_for,
    check_uri,
    job_id,
)
from tuneway.tuning.subjects import Subjects

PAGE = 100


class JobDesk:
    """The use cases of ``/v1/fine_tuning/jobs``."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        shelf: FileRecords,
        *,
        catalogue: Catalogue,
        installation: Installation,
        new_id: Callable[[], str],
    ) -> None:
        self._lifecycle = lifecycle
        self._shelf = shelf
        self._installation = installation
        self._new_id = new_id
        self._subjects = Subjects(lifecycle, catalogue)

    def base(self, model: str, *, owner: str | None = None) -> BaseModel:
        """The base model of that name, if the owner may tune it today. Raises BadInput."""
        return self._subjects.base(model, owner=owner)

    def subject(self, model: str, *, owner: str) -> Subject:
        """What that name lets one tune: a base model, or a tuned model of the owner's. Raises BadInput."""
        return self._subjects.named(model, owner=owner)

    def create(
        self,
        order: JobOrder,
        *,
        owner: str,
        key_limit: float | None = None,
        also: Callable[[Job], Sequence[Write]] = lambda _: (),
    ) -> Job:
        """Accept a job: state first, then the message that starts it; if that is lost, the tick sends it again.

        ``key_limit`` is what the caller's key may spend on one job, ``also`` what is written in the commit that makes
        the job. The same idempotency key brings back the same job, whatever has become of its files since.
        Raises BadInput, naming the field; also when the key was used for a job that is not the same: no 409, which
        clients would only send again.
        """
        subject = self.subject(order.model, owner=owner)
        job = self._accepted(order, subject, owner=owner, key_limit=key_limit)
        stored = self._earlier(order, owner)
        if stored is None:
            self.check_base(subject.base)
            self.check_files(order, owner=owner)
            stored = self._begun(job, *subject.base.warnings(self._today()), also=also(job))
        if asked_for(stored.value) != asked_for(job):
            raise BadInput(
                f"This Idempotency-Key was used for job {stored.id}, which is another. Send a new key.",
                code="idempotency_key_reused",
            )
        # A job that was there already is asked for again because an answer was lost: so the message may have been, too.
        if stored.value.status is Status.REQUESTED and not order.on_beat:
            self._lifecycle.tell(Topic.JOB_REQUESTED, stored.value)
        return stored.value

    def knows(self, order: JobOrder, *, owner: str) -> bool:
        """Whether its idempotency key has made a job before, whose files and base need not be there any more."""
        return self._earlier(order, owner) is not None

    def get(self, job_id: str, *, owner: str | None) -> Job:
        """The job now. Raises NotFound."""
        return self._lifecycle.owned(job_id, owner).value

    def newest(
        self, *, owner: str, after: str | None, limit: int, metadata: Mapping[str, str] | None = None
    ) -> list[Job]:
        """The owner's jobs, newest first; those with ``metadata`` alone. Raises NotFound when ``after`` is gone."""
        if after is not None:
            self._lifecycle.owned(after, owner)
        if metadata is None:
            return self._page(owner, after, limit)
        found: list[Job] = []
        for job in self._walk(owner, after):
            if _bears(job, metadata):
                found.append(job)
            if len(found) == limit:
                break
        return found

    def history(self, job_id: str, *, owner: str | None, after: str | None, limit: int) -> list[JobEvent]:
        """The job's events, newest first. Raises NotFound, also when ``after`` is no event of the job."""
        job = self._lifecycle.owned(job_id, owner).value
        before = _event_number(job, after) if after else None
        return self._lifecycle.history(job).newest(limit, before=before)

    def checkpoints(self, job_id: str, *, owner: str | None, after: str | None, limit: int) -> list[Checkpoint]:
        """The saved points of a job that has succeeded, newest first. Raises NotFound, also when ``after`` is none."""
        job = self._lifecycle.owned(job_id, owner).value
        points = sorted(job.tuned.checkpoints if job.tuned else (), key=lambda point: point.step, reverse=True)
        ids = [checkpoint_id(job, point) for point in points]
        if after is not None and after not in ids:
            raise NotFound(f"Job {job.id} has no checkpoint '{after[:80]}' to go on after.", param="after")
        return points[ids.index(after) + 1 if after is not None else 0 :][:limit]

    def cancel(self, job_id: str, *, owner: str | None) -> Job:
        """End the job: at once before it is submitted, else as soon as the provider has stopped it.

        Repeating the call changes nothing. Raises NotFound, and BadInput when the job has ended otherwise.
        """
        self._lifecycle.owned(job_id, owner)
        return cancelled(self._lifecycle, job_id)

    def check_base(self, base: BaseModel) -> None:
        """Whether a job on ``base`` can run here. Raises BadInput."""
        self._installation.check_base(base)

    def check_files(self, order: JobOrder, *, owner: str) -> None:
        """Whether the owner may name the order's files. Raises BadInput, naming the field."""
        for field in ("training_file", "validation_file"):
            self._check_file(field, getattr(order, field), owner)

    def _accepted(self, order: JobOrder, subject: Subject, *, owner: str, key_limit: float | None) -> Job:
        most = Allowance(caller=order.max_cost_usd, key=key_limit, installation=self._installation.max_cost_usd)
        terms = Terms(owner=owner, allowance=most, location=self._installation.location, now=self._lifecycle.now())
        return accepted(order, subject, id_=job_id(order, owner, random=self._new_id()), terms=terms)

    def _earlier(self, order: JobOrder, owner: str) -> Stored[Job] | None:
        if order.idempotency_key is None:
            return None
        return self._lifecycle.jobs.known(job_id(order, owner, random=""))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._lifecycle.now(), UTC).date()

    def _begun(self, job: Job, *warnings: str, also: Sequence[Write] = ()) -> Stored[Job]:
        try:
            return self._lifecycle.begin(job, " ".join(("Created fine-tuning job.", *warnings)), also=also)
        except AlreadyExists:
            if (kept := self._lifecycle.jobs.known(job.id)) is None:
                raise  # what was to be written with it is there
            return kept
        except TryLater as fault:
            # The store's answer may have been lost after the write: a job that is there is accepted.
            if (kept := self._lifecycle.jobs.known(job.id)) is not None:
                return kept
            raise TryLater("The job could not be stored. Ask again.") from fault

    def _page(self, owner: str, after: str | None, limit: int) -> list[Job]:
        found = self._lifecycle.jobs.find(
            ("owner", "==", owner), order_by="created_at", descending=True, after=after, limit=limit
        )
        return [stored.value for stored in found]

    def _walk(self, owner: str, after: str | None) -> Iterator[Job]:
        """All of the owner's jobs, page by page: a caller's own keys of metadata can have no index."""
        while page := self._page(owner, after, PAGE):
            yield from page
            after = page[-1].id

    def _check_file(self, field: str, name: str | None, owner: str) -> None:
        if name is None:
            return
        if check_uri(name, field=field, keeps=self._shelf.keeps):
            self._installation.check_place(name, field=field)
            return
        try:
            self._shelf.get(name, owner=owner)
        except NotFound as missing:
            raise BadInput(
                f"{missing.message} Or name a file as {PLACES}.", param=field, code="file_not_found"
            ) from missing


def _bears(job: Job, metadata: Mapping[str, str]) -> bool:
    """Whether the job bears all of it; none at all asks for jobs without any."""
    own = job.metadata or {}
    return all(own.get(name) == value for name, value in metadata.items()) if metadata else not own


def _event_number(job: Job, event_id: str) -> int:
    """The event's number. Raises NotFound."""
    before, _, key = event_id.rpartition("-")
    numbered = key.isascii() and key.isdecimal() and 1 <= int(key) <= job.sequence
    if before != f"ftevent-{job.id.removeprefix('ftjob-')}" or not numbered:
        raise NotFound(f"Job {job.id} has no event '{event_id[:80]}' to go on after.", param="after")
    return int(key)
