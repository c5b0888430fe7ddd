"""Bring all jobs of a place up to date from one listing of it: what has not changed is neither read nor written.

Each listed job is held against the roll (``beats``). One that differs is read, taken along and told of; one that is in
the roll and not in the listing has left it, and is asked for: with others like it where the provider lists jobs by
their tokens, otherwise by itself. Where listings keep failing, every job of the roll is. A job enters the roll before
anything is done for it and its print is renewed after all was told, so that what a crash leaves undone is done by the
next look.
"""

import logging

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import TuningBackends
from tuneway.state import Stored
from tuneway.tuning.beats import Beat, PlaceRef, Roll, beats, claimed
from tuneway.tuning.jobs import JobId
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.looking import Look
from tuneway.tuning.poll import Poller
from tuneway.tuning.tick import FEW

# Seconds between two looks: soon after a change, then ever later; the tick's own minute is the last word.
SOONEST, LATEST = 5.0, 55.0
# Seconds for the changes of one look; what is left waits for the next. A claim outlasts that, and a long listing.
BUSY = 400.0
CLAIM = 540.0
# Listings in a row that may fail before each job is asked for by itself.
LISTINGS = 3

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
        roll = Roll(self._lifecycle.documents, place)
        look = Look(self._lifecycle, backend, roll, poll=self._poll, turn=beat.value.looks)
        try:
            changes = look(place, until=started + BUSY)
        except (TryLater, BadInput, NotFound, NotAllowed) as fault:
            # The next beat asks again; to fail this message would only repeat it sooner.
            log.warning("%s could not be listed: %s", place.key, fault.message)
            self._unlisted(beat, look, started=started)
            return
        self._listed(_noted(beat), look, started=started, changes=changes)

    def _listed(self, beat: Stored[Beat], look: Look, *, started: float, changes: int) -> None:
        if look.late:
            self._rest(beat, started=started, pace=0.0)
        elif len(look.ours()) <= self._few // 2:
            self._dissolve(beat, look)
        else:
            pace = SOONEST if changes else min(LATEST, 2 * max(beat.value.pace, SOONEST))
            self._rest(beat, started=started, pace=pace, watched=len(look.ours()))

    def _unlisted(self, beat: Stored[Beat], look: Look, *, started: float) -> None:
        """A listing that keeps failing must not hide what each job says of itself: its end, and what it costs."""
        failures, asked = beat.value.failures + 1, None
        if failures >= LISTINGS:
            asked = look.one_by_one(beat.value.asked, until=started + BUSY)
        beat = _noted(beat, failures=failures, asked=asked)
        self._rest(beat, started=started, pace=0.0 if look.late else LATEST)

    def _rest(self, beat: Stored[Beat], *, started: float, pace: float, watched: int | None = None) -> None:
        count = beat.value.watched if watched is None else watched
        looks = beat.value.looks + 1
        after = msgspec.structs.replace(
            beat.value, due=started + pace, pace=pace, watched=count, claimed=None, looks=looks
        )
        self._lifecycle.documents.commit(beats(self._lifecycle.documents).replace(beat, after))

    def _dissolve(self, beat: Stored[Beat], look: Look) -> None:
        """So few are left that they are asked for one by one again: first each is made due, then the roll goes."""
        for token in look.ours():
            look.release(JobId(token))
        gone = beats(self._lifecycle.documents).delete(beat.id)
        self._lifecycle.documents.commit(gone, *look.roll.gone())


def _noted(beat: Stored[Beat], *, failures: int = 0, asked: str | None = None) -> Stored[Beat]:
    return Stored(beat.id, msgspec.structs.replace(beat.value, failures=failures, asked=asked), beat.version)
