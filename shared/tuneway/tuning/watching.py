"""Bring all jobs of a place up to date from one listing of it: what has not changed is neither read nor written.

Each listed job is held against the roll (``beats``). One that differs is read, taken along and told of; one that is in
the roll and not in the listing has left it, and is asked for by itself. Where listings keep failing, every job of the
roll is. A job enters the roll before anything is done
for it and its print is renewed after all was told, so that what a crash leaves undone is done by the next look.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import ProviderJob, ProviderState, TuningBackend, TuningBackends
from tuneway.state import Stored
from tuneway.tuning.beats import (
    FOREIGN,
    UNTAKEN,
    Beat,
    Place,
    PlaceRef,
    Roll,
    Seen,
    beats,
    claimed,
    is_token,
    print_of,
    unpacked,
)
from tuneway.tuning.follow import FOLLOWED, Follower
from tuneway.tuning.jobs import Job, JobId, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.poll import Poller
from tuneway.tuning.tick import FEW, TRAINING

# Seconds between two looks: soon after a change, then ever later; the tick's own minute is the last word.
SOONEST, LATEST = 5.0, 55.0
# Seconds for the changes of one look; what is left waits for the next. A claim outlasts that, and a long listing.
BUSY = 400.0
CLAIM = 540.0
# When the tick would ask for a listed job by itself, had everything else forgotten it.
WATCHED = 7 * 86400.0
# Listings in a row that may fail before each job is asked for by itself, and answers in a row that may: then the
# provider is away.
LISTINGS = 3
ANSWERS = 5
UNFINISHED = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})

T = TypeVar("T")

log = logging.getLogger(__name__)


class Watcher:
    """The handler of ``poll-due`` for places; with half of ``few`` jobs left, a place is listed no longer."""

    def __init__(self, lifecycle: Lifecycle, backends: TuningBackends, *, few: int = FEW) -> None:
        self._few = few
        self._lifecycle = lifecycle
        self._backends = backends
        self._poll = Poller(lifecycle, backends)

    def __call__(self, ref: PlaceRef) -> None:
        """Bring the place's jobs up to date; repeating the call changes nothing. Raises TryLater, and Conflict."""
        started, place = self._lifecycle.now(), ref.place
        beat = claimed(self._lifecycle.documents, ref, now=started, seconds=CLAIM)
        if beat is None:
            return
        try:
            backend = self._backends.of(place.backend)
        except BadInput as fault:
            log.warning("%s could not be listed: %s", place.key, fault.message)
            self._rest(beat, started=started, pace=LATEST)
            return
        look = Look(self._lifecycle, backend, Roll(self._lifecycle.documents, place), poll=self._poll)
        try:
            changes = look(place, until=started + BUSY)
        except (TryLater, BadInput, NotFound, NotAllowed) as fault:
            # The next beat asks again; to fail this message would only repeat it sooner.
            log.warning("%s could not be listed: %s", place.key, fault.message)
            self._unlisted(beat, look, started=started)
            return
        self._listed(_noted(beat), look, started=started, changes=changes)

    def _listed(self, beat: Stored[Beat], look: "Look", *, started: float, changes: int) -> None:
        if look.late:
            self._rest(beat, started=started, pace=0.0)
        elif len(look.ours()) <= self._few // 2:
            self._dissolve(beat, look)
        else:
            pace = SOONEST if changes else min(LATEST, 2 * max(beat.value.pace, SOONEST))
            self._rest(beat, started=started, pace=pace, watched=len(look.ours()))

    def _unlisted(self, beat: Stored[Beat], look: "Look", *, started: float) -> None:
        """A listing that keeps failing must not hide what each job says of itself: its end, and what it costs."""
        failures, asked = beat.value.failures + 1, None
        if failures >= LISTINGS:
            asked = look.one_by_one(beat.value.asked, until=started + BUSY)
        beat = _noted(beat, failures=failures, asked=asked)
        self._rest(beat, started=started, pace=0.0 if look.late else LATEST)

    def _rest(self, beat: Stored[Beat], *, started: float, pace: float, watched: int | None = None) -> None:
        count = beat.value.watched if watched is None else watched
        after = msgspec.structs.replace(beat.value, due=started + pace, pace=pace, watched=count, claimed=None)
        self._lifecycle.documents.commit(beats(self._lifecycle.documents).replace(beat, after))

    def _dissolve(self, beat: Stored[Beat], look: "Look") -> None:
        """So few are left that they are asked for one by one again: first each is made due, then the roll goes."""
        for token in look.ours():
            look.release(JobId(token))
        gone = beats(self._lifecycle.documents).delete(beat.id)
        self._lifecycle.documents.commit(gone, *look.roll.gone())


class Look:
    """One listing, and what follows from it."""

    def __init__(self, lifecycle: Lifecycle, backend: TuningBackend, roll: Roll, *, poll: Poller) -> None:
        self.roll = roll
        self.late = False
        self._lifecycle = lifecycle
        self._backend = backend
        self._poll = poll
        self._follower = Follower(lifecycle)

    def __call__(self, place: Place, *, until: float) -> int:
        """Do all there is to do by then; how many jobs had changed, or left, or come."""
        known = self.roll.known()
        left = dict.fromkeys(known)
        differing: list[ProviderJob] = []
        for job in self._backend.unfinished(place.location):
            if job.token is not None and is_token(job.token):
                left.pop(job.token, None)
                if _differs(job, known.get(job.token)):
                    differing.append(job)
        self._enter([job for job in differing if job.token not in known])
        self._each(self._gone, left, until=until)
        self._each(self._taken, differing, until=until)
        self.roll.save()
        return len(differing) + len(left)

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
        stored = self._job(id_)
        if stored is not None and stored.value.status in TRAINING:
            now = self._lifecycle.now()
            self._lifecycle.note(stored, msgspec.structs.replace(stored.value, deadline=now))

    def _each(self, step: Callable[[T], None], things: Iterable[T], *, until: float) -> None:
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
            stored = self._job(JobId(job.token or ""))
            if stored is None:
                self.roll.put(job.token or "", FOREIGN)
            elif _is_of(stored.value, job):
                self.roll.put(job.token or "", Seen(UNTAKEN, stored.value.announced).packed())
        self.roll.save()

    def _gone(self, token: str) -> None:
        """A job that is listed no longer has ended, or was left out: it is asked for by itself."""
        seen = self.roll.get(token)
        if seen is not None and seen != FOREIGN and self._job(JobId(token)) is not None:
            stored = self._poll(JobRef(JobId(token), unpacked(seen).sequence))
            if stored.value.status in FOLLOWED:
                return
        self.roll.drop(token)

    def _asked(self, token: str) -> bool:
        """Whether there was an answer."""
        try:
            stored = self._job(JobId(token))
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

    def _taken(self, provider: ProviderJob) -> None:
        token = JobId(provider.token or "")
        seen = self.roll.get(token)
        stored = self._job(token) if seen not in {None, FOREIGN} else None
        if seen is None or stored is None:
            return
        after = self._followed(stored, provider) if _is_of(stored.value, provider) else stored
        after = self._poll.told(after, JobRef(token, unpacked(seen).sequence))
        self.roll.put(token, Seen(print_of(provider), after.value.sequence).packed())

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

    def _job(self, id_: JobId) -> Stored[Job] | None:
        try:
            return self._lifecycle.jobs.get(id_)
        except NotFound:
            return None


def _noted(beat: Stored[Beat], *, failures: int = 0, asked: str | None = None) -> Stored[Beat]:
    return Stored(beat.id, msgspec.structs.replace(beat.value, failures=failures, asked=asked), beat.version)


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
