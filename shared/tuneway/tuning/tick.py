"""One beat: wake every open job that needs somebody, so that nothing accepted is ever forgotten.

Jobs that train are looked after one by one while they are few; where there are more of them, their place is listed,
and the tick sends one message for all of it. Which jobs are due is asked of the state, so that what a tick reads
follows what there is to do, not how much there is.
"""

import logging
from collections import Counter
from collections.abc import Iterable

from tuneway.errors import AlreadyExists
from tuneway.ports import Topic
from tuneway.tuning.beats import Beat, Place, beats, look
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import Lifecycle

WAKES: dict[Status, Topic] = {
    Status.REQUESTED: Topic.JOB_REQUESTED,
    Status.VALIDATING: Topic.JOB_REQUESTED,
    Status.HELD: Topic.JOB_REQUESTED,
    Status.SUBMITTING: Topic.JOB_REQUESTED,
    Status.QUEUED: Topic.POLL_DUE,
    Status.RUNNING: Topic.POLL_DUE,
    Status.CANCELLING: Topic.POLL_DUE,
    Status.SUCCEEDED: Topic.JOB_FINISHED,
    Status.FAILED: Topic.POLL_DUE,
    Status.CANCELLED: Topic.POLL_DUE,
}
TRAINING = frozenset({Status.QUEUED, Status.RUNNING})
# Up to so many jobs of a place are cheaper to ask for one by one, and tell more that way.
FEW = 20
# One that its place's listing has not shown for so long is asked for by itself, the oldest first, so many in a tick.
UNLISTED_SECONDS = 180.0
MOST_UNLISTED = 100
# What our own functions move is moved within minutes: who has not been by now is told of in the log, each beat again.
STILL_SECONDS = 600.0
TOLD = 5  # by name; the rest are counted

log = logging.getLogger(__name__)


def tick(lifecycle: Lifecycle, *, few: int = FEW) -> int:
    """Publish a message for each open job, and each listed place, that is due; how many. With no open job: one read.

    ``few`` jobs of a place are not listed.

    Repeating the call repeats messages, whose handlers are idempotent. Raises TryLater when the bus is away.
    """
    soonest = lifecycle.jobs.find(("due", ">=", 0.0), order_by="due", limit=1)
    if not soonest:
        return 0
    now = lifecycle.now()
    jobs = _due(lifecycle, now) if (soonest[0].value.due or 0.0) <= now else []
    _tell_of_the_still(jobs, now=now)
    listed = _listed(lifecycle, jobs, few=few)
    alone = [*_alone(jobs, listed), *_unlisted(jobs, listed, now=now)]
    for job in alone:
        lifecycle.send(WAKES[job.status], job)
    looks = [look(beat) for beat in listed.values() if beat.due <= now]
    lifecycle.publish(*looks)
    return len(alone) + len(looks)


def _due(lifecycle: Lifecycle, now: float) -> list[Job]:
    return [stored.value for stored in lifecycle.jobs.find(("due", "<=", now))]


def _tell_of_the_still(jobs: Iterable[Job], *, now: float) -> None:
    """Tell of who does not move though only we had to move it.

    Training takes its time, a held job waits for a person, and one that is trained for its machines, which have a
    patience of their own.
    """
    theirs = TRAINING | {Status.HELD, Status.SUCCEEDED}
    still = sorted(job.id for job in jobs if job.status not in theirs and now - job.moved_at >= STILL_SECONDS)
    if still:
        log.warning("%d of the jobs have not moved for ten minutes: %s", len(still), ", ".join(still[:TOLD]))


def _listed(lifecycle: Lifecycle, jobs: Iterable[Job], *, few: int) -> dict[Place, Beat]:
    """The places that are listed, and those that are to be from now on: too many jobs of theirs ask for somebody."""
    known = {stored.value.place: stored.value for stored in beats(lifecycle.documents).find()}
    crowds = Counter(place_of(job) for job in jobs if job.status in TRAINING)
    new = [place for place, count in crowds.items() if count > few and place not in known]
    return known | {place: _begun(lifecycle, place) for place in new}


def _begun(lifecycle: Lifecycle, place: Place) -> Beat:
    beat = Beat(place=place, due=lifecycle.now(), pace=0.0)
    try:
        lifecycle.documents.commit(beats(lifecycle.documents).create(place.key, beat))
    except AlreadyExists:
        return beats(lifecycle.documents).get(place.key).value
    return beat


def _alone(jobs: Iterable[Job], listed: dict[Place, Beat]) -> list[Job]:
    return [job for job in jobs if job.status not in TRAINING or place_of(job) not in listed]


def _unlisted(jobs: Iterable[Job], listed: dict[Place, Beat], *, now: float) -> list[Job]:
    """Jobs that a listing should have shown: one that ended before it was ever listed leaves no trace there."""
    late = [job for job in jobs if job.status in TRAINING and place_of(job) in listed]
    late = [job for job in late if now - job.deadline >= UNLISTED_SECONDS]
    return sorted(late, key=lambda job: job.deadline)[:MOST_UNLISTED]


def place_of(job: Job) -> Place:
    """Where the job is listed with others."""
    return Place(job.backend, job.location)
