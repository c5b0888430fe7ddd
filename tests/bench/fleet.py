"""A provider with any number of jobs that live and end by the clock: what the polling benchmark runs on."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tuneway.adapters.vertex_jobs import NAMES
from tuneway.errors import NotFound
from tuneway.ports import (
    ProviderJob,
    ProviderState,
    TunedModel,
    TuningRequest,
)
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job, JobId, Status

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


class Fleet:
    """A ``TuningBackend`` whose jobs live and end by the clock; for each that ends, one more begins a minute later."""

    def __init__(
        self, size: int, now: Callable[[], float], *, shows_ended: bool, names: bool, dice: random.Random
    ) -> None:
        self._names = names
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

    def unfinished(self, location: str, *, waiting: bool = True) -> Iterator[ProviderJob]:
        """As ``listed``, by pages; who waits is left out of a listing that takes filters."""
        del location
        shown = (job for job in self.listed() if waiting or not self._names or job.state is not ProviderState.QUEUED)
        count = 0
        for count, job in enumerate(shown):
            self.calls += count % PAGE == 0
            yield job
        self.calls += count == 0

    def named(self, tokens: Sequence[str], *, location: str) -> list[ProviderJob] | None:
        """By filters, as many for each call as Vertex AI is asked for."""
        del location
        if not self._names:
            return None
        self.calls += -(-len(tokens) // NAMES)
        lives = (self._living(token) for token in tokens)
        return [_provider(life, self._now()) for life in lives if life is not None]

    def get(self, name: str) -> ProviderJob:
        """One job."""
        self.calls += 1
        life = self._living(name.rpartition("/")[2])
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

    def _living(self, token: str) -> Life | None:
        number = int(token.removeprefix("ftjob-"), 16)
        return self._lives.get(number) or self._ended.get(number)

    def _add(self, born: float, takes: float) -> Life:
        if not self._numbers:
            self._begun = self._now()
        life = Life(self._numbers, born, takes)
        self._lives[life.number] = life
        self._numbers += 1
        return life


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
