"""A provider with any number of jobs, and documents that count: what the polling benchmark runs on.

A million jobs are not kept as documents: one that nobody has written since the beginning is made when it is read.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator

import msgspec

from tuneway.errors import Conflict, NotFound
from tuneway.ports import (
    Create,
    Delete,
    Document,
    Key,
    Message,
    ProviderJob,
    ProviderState,
    Put,
    Query,
    Replace,
    TunedModel,
    TuningRequest,
    Where,
    Write,
)
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job, JobId, Status, dated

PAGE = 100
SHORTEST, LONGEST = 3600.0, 4 * 3600.0
SHOWN_SECONDS = 60.0  # how long a listing that shows ended jobs shows them
# When, in the life of a job, it enters each phase: shares of its time.
PHASES = (
    (0.0, ProviderState.QUEUED, "waiting_for_quota"),
    (0.05, ProviderState.RUNNING, "processing_dataset"),
    (0.10, ProviderState.RUNNING, "waiting_for_capacity"),
    (0.20, ProviderState.RUNNING, "tuning"),
    (0.95, ProviderState.RUNNING, "post_processing"),
)
STATUSES = {ProviderState.QUEUED: Status.QUEUED, ProviderState.RUNNING: Status.RUNNING}
LAST = len(PHASES)
BEGINS = [begins for begins, _, _ in PHASES]
AHEAD = 7 * 86400.0


class Life(msgspec.Struct, frozen=True):
    """When a job began and how long it takes, in seconds."""

    number: int
    born: float
    takes: float

    def phase(self, now: float) -> int:
        """The number of its phase; ``LAST`` when it has ended."""
        share = (now - self.born) / self.takes
        return LAST if share >= 1 else bisect_right(BEGINS, share) - 1


class Counted(msgspec.Struct):
    """What Firestore would bill, and how many commits there were."""

    reads: int = 0
    commits: int = 0
    written: int = 0


class Outbox:
    """A bus that keeps what was published until it is taken."""

    def __init__(self) -> None:
        self._sent: list[Message] = []

    def publish(self, *messages: Message) -> None:
        """Keep them."""
        self._sent.extend(messages)

    def taken(self) -> list[Message]:
        """All that came since the last time."""
        sent, self._sent = self._sent, []
        return sent


class Fleet:
    """A ``TuningBackend`` whose jobs live and end by the clock; for each that ends, one more begins a minute later."""

    def __init__(self, size: int, now: Callable[[], float], *, shows_ended: bool, dice: random.Random) -> None:
        self.calls = 0
        self._now = now
        self._dice = dice
        self._shows_ended = shows_ended
        self._lives: dict[int, Life] = {}
        self._ended: dict[int, Life] = {}
        self._new: list[Life] = []
        self._places = 0
        self._numbers = 0
        for _ in range(size):
            takes = dice.uniform(SHORTEST, LONGEST)
            self._add(now() - takes * dice.random() * 0.999, takes)
        self._seeded = self._numbers
        self._phases = {number: life.phase(now()) for number, life in self._lives.items()}

    def pass_by(self) -> int:
        """What the time since the last call has changed: jobs in another phase, ended and begun ones."""
        now, changed = self._now(), 0
        self._ended = {n: life for n, life in self._ended.items() if now - life.born - life.takes < 3 * SHOWN_SECONDS}
        self._new = [self._add(now, self._dice.uniform(SHORTEST, LONGEST)) for _ in range(self._places)]
        self._phases |= {life.number: 0 for life in self._new}
        self._places = 0
        for number, life in list(self._lives.items()):
            phase = life.phase(now)
            if phase != self._phases[number]:
                changed += 1
                self._phases[number] = phase
            if phase == LAST:
                self._ended[number] = self._lives.pop(number)
                self._places += 1
        return changed + len(self._new)

    def newcomers(self) -> Iterator[Job]:
        """The jobs that began since, as their submission leaves them."""
        now = self._now()
        return (_job(life, now, status=Status.QUEUED, deadline=now) for life in self._new)

    def jobs_alone(self) -> Iterator[Job]:
        """All jobs, as they are where they are asked for one by one."""
        now = self._now()
        return (_job(life, now, status=_status(life, now), deadline=now) for life in self._lives.values())

    def document(self, id_: str) -> Job | None:
        """A job of the beginning, as it was then."""
        number = int(id_.removeprefix("ftjob-"), 16)
        life = self._lives.get(number) or self._ended.get(number)
        if life is None or number >= self._seeded:
            return None
        begun = self._begun
        return _job(life, begun, status=_status(life, begun), deadline=begun + AHEAD)

    def statuses(self) -> Iterator[tuple[str, Status]]:
        """Every unfinished job, and each that ended lately, with the status it should have."""
        now = self._now()
        return ((_id(life), _status(life, now)) for life in (*self._lives.values(), *self._ended.values()))

    def listed(self) -> Iterator[ProviderJob]:
        """The unfinished jobs, and perhaps some that have ended; not counted."""
        now = self._now()
        for life in self._lives.values():
            yield _provider(life, now)
        if self._shows_ended:
            for life in self._ended.values():
                if now - life.born - life.takes <= SHOWN_SECONDS:
                    yield _provider(life, now)

    def unfinished(self, location: str) -> Iterator[ProviderJob]:
        """As ``listed``, by pages."""
        del location
        count = 0
        for count, job in enumerate(self.listed()):
            self.calls += count % PAGE == 0
            yield job
        self.calls += count == 0

    def get(self, name: str) -> ProviderJob:
        """One job."""
        self.calls += 1
        number = int(name.rpartition("/")[2], 16)
        life = self._lives.get(number) or self._ended.get(number)
        if life is None:
            raise NotFound(name)
        return _provider(life, self._now())

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """Nothing here is ever lost."""
        raise NotImplementedError((token, location))

    def create(self, request: TuningRequest) -> ProviderJob:
        """Jobs begin by themselves."""
        raise NotImplementedError(request)

    def cancel(self, name: str) -> None:
        """Nobody cancels."""
        raise NotImplementedError(name)

    def _add(self, born: float, takes: float) -> Life:
        if not self._numbers:
            self._begun = self._now()
        life = Life(self._numbers, born, takes)
        self._lives[life.number] = life
        self._numbers += 1
        return life


class MemoryDocuments:
    """``ports.Documents`` that count; a job that was never written is made by ``unwritten``."""

    def __init__(self, unwritten: Callable[[str], Job | None]) -> None:
        self.counted = Counted()
        self._unwritten = unwritten
        self._held: dict[str, dict[str, tuple[dict[str, object], int]]] = {}
        self._version = 0

    def lay(self, path: str, value: Job) -> None:
        """Put a job there that somebody else wrote."""
        collection, _, id_ = path.rpartition("/")
        self._put(Key(collection, id_), _fields(dated(value)))

    def close(self, id_: JobId) -> None:
        """As the registry does once it has the model; not part of polling."""
        fields, _ = self._held["jobs"][id_]
        self._put(Key("jobs", id_), fields | {"open": False, "due": None})

    def get(self, key: Key) -> Document | None:
        """One read, found or not."""
        self.counted.reads += 1
        return self._at(key)

    def find(self, query: Query) -> list[Document]:
        """A read for each that is found, and one when none is."""
        held = self._held.get(query.collection, {})
        found = [id_ for id_, (fields, _) in held.items() if all(_fits(fields, where) for where in query.where)]
        if query.order_by is not None:
            by = query.order_by
            found.sort(key=lambda id_: (held[id_][0][by], id_))
        found = found[: query.limit]
        self.counted.reads += max(1, len(found))
        documents = [document for id_ in found if (document := self._at(Key(query.collection, id_)))]
        return documents or self._one_unwritten(query)

    def commit(self, *writes: Write) -> None:
        """All writes or none."""
        self.counted.commits += 1
        self.counted.written += len(writes)
        for write in writes:
            match write:
                case Replace(version=version) if (found := self._at(write.key)) is None or found.version != version:
                    raise Conflict(write.key.id)
                case Delete():
                    self._held.get(write.key.collection, {}).pop(write.key.id, None)
                case Create(fields=fields) | Replace(fields=fields) | Put(fields=fields):
                    self._put(write.key, fields)

    def _put(self, key: Key, fields: dict[str, object]) -> None:
        self._version += 1
        self._held.setdefault(key.collection, {})[key.id] = (fields, self._version)

    def _at(self, key: Key) -> Document | None:
        found = self._held.get(key.collection, {}).get(key.id)
        if found is not None:
            return Document(key, found[0], str(found[1]))
        job = self._unwritten(key.id) if key.collection == "jobs" else None
        return None if job is None else Document(key, _fields(dated(job)), "0")

    def _one_unwritten(self, query: Query) -> list[Document]:
        """Unwritten jobs are watched: they are due in days, so that one answers for all that are asked by limit."""
        if query.collection != "jobs" or query.limit != 1:
            return []
        found = self._at(Key("jobs", "ftjob-0"))
        return [] if found is None else [found]


def _job(life: Life, now: float, *, status: Status, deadline: float) -> Job:
    return Job(
        id=JobId(_id(life)),
        owner="acme",
        base_model="gemini-3.5-flash",
        location="us-central1",
        alias=f"ft:gemini-3.5-flash:acme::{life.number}",
        training_file="file-1",
        hyperparameters=Hyperparameters(),
        created_at=life.born,
        moved_at=now,
        deadline=deadline,
        status=status,
        sequence=1,
        announced=1,
        attempts=1,
        provider_job=_name(life),
    )


def _provider(life: Life, now: float) -> ProviderJob:
    phase = life.phase(now)
    if phase == LAST:
        tuned = TunedModel(model=f"models/{life.number}", endpoint=f"endpoints/{life.number}")
        state = ProviderState.SUCCEEDED
        return ProviderJob(name=_name(life), state=state, token=_id(life), tuned=tuned, billable_tokens=1)
    _, state, word = PHASES[phase]
    return ProviderJob(name=_name(life), state=state, token=_id(life), phase=word)


def _status(life: Life, now: float) -> Status:
    phase = life.phase(now)
    return Status.SUCCEEDED if phase == LAST else STATUSES[PHASES[phase][1]]


def _id(life: Life) -> str:
    return f"ftjob-{life.number:x}"


def _name(life: Life) -> str:
    return f"projects/p/locations/us-central1/tuningJobs/{life.number:x}"


def _fields(value: object) -> dict[str, object]:
    return msgspec.convert(msgspec.to_builtins(value), dict[str, object])


def _fits(fields: dict[str, object], where: Where) -> bool:
    held, asked = fields.get(where.field), where.value
    if not isinstance(held, (int, float)) or not isinstance(asked, (int, float)):
        return held == asked and where.operator == "=="
    compared = {"==": held == asked, "<": held < asked, "<=": held <= asked, ">": held > asked, ">=": held >= asked}
    return compared[where.operator]
