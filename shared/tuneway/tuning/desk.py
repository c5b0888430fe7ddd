"""What callers ask of tuning jobs: create, list, retrieve, cancel, history; each for one owner."""

import hashlib
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from tuneway.errors import AlreadyExists, BadInput, Conflict, NotFound, TryLater
from tuneway.ports import Topic
from tuneway.state import Stored
from tuneway.tuning.catalogue import BaseModel, Catalogue
from tuneway.tuning.files import FileShelf
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import ENDED, PATIENCE, Job, JobEvent, JobId, Status
from tuneway.tuning.lifecycle import Lifecycle

CANCEL_ATTEMPTS = 20
MOST_ALIAS = 128
NO_ALIAS = re.compile(r"[^A-Za-z0-9._@-]")
URI = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/[^\0\r\n]{1,1024}")
NOT_STARTED = frozenset({Status.REQUESTED, Status.VALIDATING})

log = logging.getLogger(__name__)


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a tuning job, checked as far as its own words go."""

    model: str
    training_file: str
    hyperparameters: Hyperparameters
    validation_file: str | None = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    idempotency_key: str | None = None


class JobDesk:
    """The use cases of ``/v1/fine_tuning/jobs``."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        shelf: FileShelf,
        *,
        catalogue: Catalogue,
        location: str,
        new_id: Callable[[], str],
    ) -> None:
        self._lifecycle = lifecycle
        self._shelf = shelf
        self._catalogue = catalogue
        self._location = location
        self._new_id = new_id

    def base(self, model: str) -> BaseModel:
        """The base model of that name, if it can be tuned today. Raises BadInput."""
        return self._catalogue.base(model, today=datetime.fromtimestamp(self._lifecycle.now(), UTC).date())

    def create(self, order: JobOrder, *, owner: str) -> Job:
        """Accept a job: state first, then the message that starts it; if that is lost, the tick sends it again.

        The same idempotency key brings back the same job. Raises BadInput, naming the field; also when the
        key was used for a job that is not the same: no 409, which clients would only send again.
        """
        base = self.base(order.model)
        for field in ("training_file", "validation_file"):
            self._check_file(field, getattr(order, field), owner)
        job_id = self._job_id(order, owner)
        job = _accepted(order, base.name, job_id=job_id, owner=owner, now=self._lifecycle.now())
        job = msgspec.structs.replace(job, location=_location(base, self._location))
        stored = self._begun(job)
        if _asked_for(stored.value) != _asked_for(job):
            raise BadInput(
                f"This Idempotency-Key was used for job {stored.id}, which is another. Send a new key.",
                code="idempotency_key_reused",
            )
        # A job that was there already is asked for again because an answer was lost: so the message may have been, too.
        if stored.value.status is Status.REQUESTED:
            self._tell(Topic.JOB_REQUESTED, stored.value)
        return stored.value

    def get(self, job_id: str, *, owner: str) -> Job:
        """The job now. Raises NotFound."""
        return self._mine(job_id, owner).value

    def newest(self, *, owner: str, after: str | None, limit: int) -> list[Job]:
        """The owner's jobs, newest first. Raises NotFound when ``after`` is gone."""
        if after is not None:
            self._mine(after, owner)
        found = self._lifecycle.jobs.find(
            ("owner", "==", owner), order_by="created_at", descending=True, after=after, limit=limit
        )
        return [stored.value for stored in found]

    def history(self, job_id: str, *, owner: str, after: str | None, limit: int) -> list[JobEvent]:
        """The job's events, newest first. Raises NotFound, also when ``after`` is no event of the job."""
        job = self._mine(job_id, owner).value
        events = self._lifecycle.history(job.id)
        cursor = _event_key(job, after) if after else None
        found = events.find(order_by="sequence", descending=True, after=cursor, limit=limit)
        return [stored.value for stored in found]

    def cancel(self, job_id: str, *, owner: str) -> Job:
        """End the job: at once before it is submitted, else as soon as the provider has stopped it.

        Repeating the call changes nothing. Raises NotFound, and BadInput when the job has ended otherwise.
        """
        for _ in range(CANCEL_ATTEMPTS):
            stored = self._mine(job_id, owner)
            try:
                return self._cancelled(stored)
            except Conflict:
                continue
        raise TryLater(f"Job {job_id} keeps changing. Ask again.")

    def _cancelled(self, stored: Stored[Job]) -> Job:
        job = stored.value
        if job.status in {Status.CANCELLING, Status.CANCELLED}:
            return job
        if job.status in ENDED:
            raise BadInput(f"Job {job.id} has already {job.status}; it cannot be cancelled.", code="job_ended")
        if job.status in NOT_STARTED:
            after = self._lifecycle.move(stored, Status.CANCELLED, "Cancelled before it was submitted.", owed=True)
        else:
            after = self._lifecycle.move(stored, Status.CANCELLING, "Cancellation requested.", owed=True)
        self._tell(Topic.POLL_DUE, after.value)
        return after.value

    def _begun(self, job: Job) -> Stored[Job]:
        try:
            return self._lifecycle.begin(job, "Created fine-tuning job.")
        except AlreadyExists:
            return self._lifecycle.jobs.get(job.id)
        except TryLater as fault:
            # The store's answer may have been lost after the write: a job that is there is accepted.
            with suppress(NotFound):
                return self._lifecycle.jobs.get(job.id)
            raise TryLater("The job could not be stored. Ask again.") from fault

    def _tell(self, topic: Topic, job: Job) -> None:
        try:
            self._lifecycle.send(topic, job)
        except TryLater as fault:
            log.warning("The message on %s for %s waits for the next tick: %s", topic, job.id, fault.message)

    def _check_file(self, field: str, name: str | None, owner: str) -> None:
        if name is None:
            return
        if name.startswith("gs://"):
            if self._shelf.keeps(name):
                raise BadInput(f"'{name}' is a file of tuneway's own. Name it by its id, file-….", param=field)
            if not URI.fullmatch(name):
                raise BadInput(f"'{name}' is no object in Cloud Storage: write gs://bucket/path.", param=field)
            return
        try:
            self._shelf.get(name, owner=owner)
        except NotFound as missing:
            raise BadInput(
                f"{missing.message} Or name an object as gs://bucket/path.", param=field, code="file_not_found"
            ) from missing

    def _job_id(self, order: JobOrder, owner: str) -> JobId:
        if order.idempotency_key is None:
            return JobId(f"ftjob-{self._new_id()}")
        digest = hashlib.sha256(f"{owner}\0{order.idempotency_key}".encode()).hexdigest()
        return JobId(f"ftjob-{digest[:24]}")

    def _mine(self, job_id: str, owner: str) -> Stored[Job]:
        missing = NotFound(f"There is no fine-tuning job '{job_id}'.", param="fine_tuning_job_id")
        try:
            stored = self._lifecycle.jobs.get(job_id)
        except NotFound:
            raise missing from None
        if stored.value.owner != owner:
            raise missing
        return stored


def _accepted(order: JobOrder, base: str, *, job_id: JobId, owner: str, now: float) -> Job:
    return Job(
        id=job_id,
        owner=owner,
        base_model=base,
        location="",
        alias=_alias(base, owner, suffix=order.suffix or "", end=job_id[-8:]),
        training_file=order.training_file,
        validation_file=order.validation_file,
        hyperparameters=order.hyperparameters,
        suffix=order.suffix,
        metadata=order.metadata,
        created_at=now,
        moved_at=now,
        deadline=now + PATIENCE[Status.REQUESTED],
    )


def _asked_for(job: Job) -> tuple[object, ...]:
    """What the caller chose."""
    return (
        job.base_model,
        job.training_file,
        job.validation_file,
        job.hyperparameters,
        job.suffix,
        job.metadata,
    )


def _alias(base: str, owner: str, *, suffix: str, end: str) -> str:
    """OpenAI's ``ft:{base}:{owner}:{suffix}:{end}``, of letters and of a length that every name of a model may have."""
    room = MOST_ALIAS - len(f"ft:{base}::{suffix}:{end}")
    return f"ft:{base}:{NO_ALIAS.sub('-', owner)[:room]}:{suffix}:{end}"


def _event_key(job: Job, event_id: str) -> str:
    """What the event is kept under. Raises NotFound."""
    before, _, key = event_id.rpartition("-")
    numbered = key.isascii() and key.isdecimal() and 1 <= int(key) <= job.sequence
    if before != f"ftevent-{job.id.removeprefix('ftjob-')}" or not numbered:
        raise NotFound(f"Job {job.id} has no event '{event_id[:80]}' to go on after.", param="after")
    return key


def _location(base: BaseModel, preferred: str) -> str:
    """The installation's own location where the base can be tuned there, else the base's first one."""
    locations = base.tuning_locations
    return preferred if preferred in locations or not locations else locations[0]
