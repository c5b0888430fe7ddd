"""One look at a place: its listing, and what follows from it for every job that differs from what was last seen.

Jobs that train are listed at every look. Those that wait are not, where the provider lists jobs by their tokens: one
that begins is among the training ones, and what is left to find out is whether one has ended without; a share of them
is named at each look for that. So are those that came since, and those that have left the listing.
"""

import logging
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import ProviderJob, ProviderState, TuningBackend
from tuneway.state import Stored
from tuneway.tuning.beats import (
    FOREIGN,
    UNTAKEN,
    WAITS,
    Place,
    Roll,
    Seen,
    is_token,
    print_of,
    unpacked,
)
from tuneway.tuning.follow import FOLLOWED, Follower
from tuneway.tuning.jobs import Job, JobId, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.poll import Poller
from tuneway.tuning.tick import TRAINING, place_of

# When the tick would ask for a listed job by itself, had everything else forgotten it.
WATCHED = 7 * 86400.0
# Answers in a row that may fail: then the provider is away.
ANSWERS = 5
# In so many looks each job that waits is named once.
TURNS = 8
# Jobs that one call lists, and that one call names, at Vertex AI: what there is to name may cost more than it spares.
LISTED, NAMED = 100, 60
UNFINISHED = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})

T = TypeVar("T")

log = logging.getLogger(__name__)


class Look:
    """One listing, and what follows from it; ``turn`` says whose turn it is among those that wait."""

    def __init__(
        self, lifecycle: Lifecycle, backend: TuningBackend, roll: Roll, *, poll: Poller, turn: int = 0
    ) -> None:
        self.roll = roll
        self.late = False
        self._turn = turn
        self._lifecycle = lifecycle
        self._backend = backend
        self._poll = poll
        self._follower = Follower(lifecycle)

    def __call__(self, place: Place, *, until: float) -> int:
        """Do all there is to do by then; how many jobs had changed, or left, or come."""
        known = self.roll.known()
        left = dict.fromkeys(known)
        differing: list[ProviderJob] = []
        for job in self._shown(place, known, left):
            token = job.token
            if token is not None and is_token(token):
                left.pop(token, None)
                if _differs(job, known.get(token)):
                    differing.append(job)
        self._enter([job for job in differing if job.token not in known])
        ended = self._named(place, [token for token in left if known[token] != FOREIGN])
        told = {job.token for job in ended}
        self._each(self._gone, [token for token in left if token not in told], until=until)
        self._each(self._left, ended, until=until)
        self._each(self._taken, differing, until=until)
        self.roll.save()
        return len(differing) + len(left)

    def _shown(self, place: Place, known: dict[str, str], left: dict[str, None]) -> Iterator[ProviderJob]:
        """All that have not ended; of those that wait and are spared, none is ``left``."""
        waiting = [token for token, seen in known.items() if seen.startswith(WAITS)]
        named = self._in_turn(place, waiting, known)
        if named is None:
            yield from self._backend.unfinished(place.location)
            return
        asked, jobs = named
        for token in waiting:
            if token not in asked:
                del left[token]
        yield from jobs
        yield from self._backend.unfinished(place.location, waiting=False)

    def _in_turn(
        self, place: Place, waiting: Sequence[str], known: dict[str, str]
    ) -> tuple[frozenset[str], Sequence[ProviderJob]] | None:
        """Which jobs to name at this look, as they are now; None when all are to be listed."""
        if len(waiting) < LISTED:
            return None
        asked = frozenset([*(token for token in waiting if self._is_turn(token)), *self._arrived(place, known)])
        if len(asked) * LISTED >= (len(waiting) - len(asked)) * NAMED:
            return None
        jobs = self._backend.named(sorted(asked), location=place.location)
        return None if jobs is None else (asked, jobs)

    def _is_turn(self, token: str) -> bool:
        return zlib.crc32(token.encode()) % TURNS == self._turn % TURNS

    def _arrived(self, place: Place, known: dict[str, str]) -> Iterator[str]:
        """The jobs that came since: due, and not watched yet."""
        for stored in self._lifecycle.jobs.find(("due", "<=", self._lifecycle.now())):
            job = stored.value
            if job.status in TRAINING and job.provider_job and place_of(job) == place and job.id not in known:
                yield job.id

    def _named(self, place: Place, tokens: Sequence[str]) -> Sequence[ProviderJob]:
        """What became of those that have left the listing, as far as a listing by their tokens tells it."""
        jobs = self._backend.named(tokens, location=place.location) if len(tokens) > 1 else None
        return jobs or ()

    def one_by_one(self, after: str | None, *, until: float) -> str | None:
        """Ask for each watched job by itself, from the one after ``after`` on; the last one when the time was short."""
        tokens = sorted(self.ours())
        first = bisect_right(tokens, after or "")
        unanswered, last = 0, None
        for token in tokens[first:] + tokens[:first]:
            self.late = self._lifecycle.now() > until
            if self.late or unanswered >= ANSWERS:
                break
            unanswered, last = 0 if self._asked(token) else unanswered + 1, token
        self.roll.save()
        return last if self.late else None

    def ours(self) -> list[str]:
        """The jobs that are watched here."""
        return [token for token, seen in self.roll.known().items() if seen != FOREIGN]

    def release(self, id_: JobId) -> None:
        """Let the tick ask for the job by itself."""
        stored = self._lifecycle.jobs.known(id_)
        if stored is not None and stored.value.status in TRAINING:
            now = self._lifecycle.now()
            self._lifecycle.note(stored, msgspec.structs.replace(stored.value, deadline=now))

    def _each(self, step: Callable[[T], object], things: Iterable[T], *, until: float) -> None:
        """One that cannot be taken along now differs at the next look, too."""
        for thing in things:
            if self._lifecycle.now() > until:
                self.late = True
                return
            try:
                step(thing)
            except (TryLater, Conflict, NotFound, BadInput, NotAllowed) as fault:
                log.warning("A job waits for the next look: %s", fault.message)

    def _enter(self, jobs: Iterable[ProviderJob]) -> None:
        for job in jobs:
            stored = self._lifecycle.jobs.known(JobId(job.token or ""))
            if stored is None:
                self.roll.put(job.token or "", FOREIGN)
            elif _is_of(stored.value, job):
                self.roll.put(job.token or "", Seen(UNTAKEN, stored.value.announced).packed())
        self.roll.save()

    def _gone(self, token: str) -> None:
        """A job that is listed no longer has ended, or was left out: it is asked for by itself."""
        seen = self.roll.get(token)
        if seen is not None and seen != FOREIGN and self._lifecycle.jobs.known(JobId(token)) is not None:
            stored = self._poll(JobRef(JobId(token), unpacked(seen).sequence))
            if stored.value.status in FOLLOWED:
                return
        self.roll.drop(token)

    def _asked(self, token: str) -> bool:
        """Whether there was an answer."""
        try:
            stored = self._lifecycle.jobs.known(JobId(token))
            name = stored.value.provider_job if stored is not None and stored.value.status in FOLLOWED else None
            provider = None if name is None else self._found(name)
            if provider is None:
                self._gone(token)
            elif _differs(provider, self.roll.get(token)):
                self._taken(msgspec.structs.replace(provider, token=token))
        except (TryLater, Conflict, BadInput, NotAllowed) as fault:
            log.warning("A job waits for the next look: %s", fault.message)
            return False
        return True

    def _found(self, name: str) -> ProviderJob | None:
        try:
            return self._backend.get(name)
        except NotFound:
            return None

    def _left(self, provider: ProviderJob) -> None:
        """A job that is listed no longer, as it was told with others like it."""
        if not self._taken(provider):
            self._gone(provider.token or "")

    def _taken(self, provider: ProviderJob) -> bool:
        """Whether it was the very job that trains as that one, and is taken along."""
        token = JobId(provider.token or "")
        seen = self.roll.get(token)
        stored = self._lifecycle.jobs.known(token) if seen not in {None, FOREIGN} else None
        if seen is None or stored is None:
            return False
        ours = _is_of(stored.value, provider)
        after = self._followed(stored, provider) if ours else stored
        after = self._poll.told(after, JobRef(token, unpacked(seen).sequence))
        if after.value.status in FOLLOWED:
            self.roll.put(token, Seen(print_of(provider), after.value.sequence).packed())
        else:
            self.roll.drop(token)
        return ours

    def _followed(self, stored: Stored[Job], provider: ProviderJob) -> Stored[Job]:
        watched = msgspec.structs.replace(stored.value, deadline=self._lifecycle.now() + WATCHED)
        whole = provider if _tells_all(provider) else self._backend.get(provider.name)
        # What is written of the job says that it is watched; where there is nothing to write but that, it is noted.
        after = self._follower.seen(Stored(stored.id, watched, stored.version), whole)
        if after.value.status is Status.CANCELLING:
            self._backend.cancel(provider.name)
        elif after.version == stored.version and stored.value.deadline <= self._lifecycle.now():
            after = self._lifecycle.note(stored, watched)
        return after


def _differs(job: ProviderJob, seen: str | None) -> bool:
    """Whether there is something to do for it; one that had ended before it was ever seen is nobody's here."""
    if seen is None:
        return job.state in UNFINISHED
    return seen != FOREIGN and unpacked(seen).print != print_of(job)


def _is_of(job: Job, provider: ProviderJob) -> bool:
    """Whether the job trains as that one; one that is being cancelled is looked after by itself."""
    return job.status in TRAINING and job.provider_job == provider.name


def _tells_all(provider: ProviderJob) -> bool:
    """Whether a listing's word is enough: an end is not, without what was made, what it cost, or why."""
    match provider.state:
        case ProviderState.SUCCEEDED:
            return provider.tuned is not None and provider.billable_tokens is not None
        case ProviderState.FAILED:
            return provider.error is not None
        case ProviderState.QUEUED | ProviderState.RUNNING | ProviderState.CANCELLED:
            return True
