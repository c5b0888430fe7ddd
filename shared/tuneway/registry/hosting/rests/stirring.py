"""What a recorded call means for places that may sleep: they are in use, or are wanted back.

Which places these are is asked once in a while, not for each call; a use is noted once a minute. For many threads.
"""

from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, TryLater
from tuneway.registry.counts.tallies import Request
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.napping import NOTED_SECONDS, tried_again_at
from tuneway.registry.hosting.rests.resting import roused
from tuneway.registry.rest import Nap
from tuneway.registry.shelves import Deployment, DeploymentStatus
from tuneway.routing.places import place_at
from tuneway.state import Stored

ATTEMPTS = 15
# Seconds for which is remembered which places may sleep, and the shortest time between two looks for an unknown one.
KNOWN_SECONDS = 60.0
LOOK_SECONDS = 2.0
IN_USE = frozenset({DeploymentStatus.READY, DeploymentStatus.DRAINING})
# One that is ready waits for the feed; one that was put to sleep by hand is told of it at the end.
LISTENING = frozenset({*IN_USE, DeploymentStatus.FALLING_ASLEEP})

Change = Callable[[Stored[Deployment]], bool]


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's own id, come back through the feed of usage: so the feed works, and worked ``at`` that time."""

    deployment: str
    at: float


class Stirring:
    """Notes the uses of deployments that may sleep, and wakes those that are called while they do."""

    def __init__(self, deploying: Deploying) -> None:
        self._deploying = deploying
        self._known: dict[str, tuple[str, ...]] = {}
        self._looked = float("-inf")
        self._noted: dict[str, Nap] = {}

    def used(self, request: Request) -> None:
        """Note a call's end where it was answered, and wake what it found asleep; repeating it changes nothing.

        Raises TryLater: it is noted when it comes again.
        """
        if self._deploying.now() - self._looked >= KNOWN_SECONDS:
            self._look()
        for place in {place_at(name) for name in (request.target, *request.failed)} & self._known.keys():
            for id_ in self._known[place]:
                self._use(id_, Nap(last_used=request.at, longest=request.ms / 1000))
        for place in {place_at(name) for name in request.asleep}:
            for id_ in self._sleepers(place, request.at):
                self._changed(id_, lambda stored: self._wanted(stored, request.at))

    def heard(self, echo: Echo) -> None:
        """The feed works; repeating it changes nothing. Raises TryLater."""
        self._changed(echo.deployment, lambda stored: self._heard(stored, echo.at))

    def _sleepers(self, place: str, at: float) -> tuple[str, ...]:
        """Who slept there ``at`` that time; one that is not known yet may have been put to sleep just now."""
        if place not in self._known and self._deploying.now() - self._looked >= LOOK_SECONDS:
            self._look()
        if place not in self._known and at > self._looked:
            raise TryLater(f"Who sleeps at {place} is looked up in a moment. The call is noted when it comes again.")
        return self._known.get(place, ())

    def _look(self) -> None:
        looked = self._deploying.now()
        known: dict[str, tuple[str, ...]] = {}
        for each in self._deploying.shelf.find(("rests", "==", True)):
            if place := place_at(each.value.endpoint):
                known[place] = (*known.get(place, ()), each.id)
        self._known, self._looked = known, looked

    def _use(self, id_: str, use: Nap) -> None:
        noted = self._noted.get(id_)
        if noted is not None and not _says_more(use, noted):
            return
        self._changed(id_, lambda stored: self._in_use(stored, use))

    def _in_use(self, stored: Stored[Deployment], use: Nap) -> bool:
        """The last use and the longest call; what comes late moves neither back."""
        nap, status = stored.value.nap, stored.value.status
        self._noted[stored.id] = nap
        if status not in IN_USE or not _says_more(use, nap):
            return False
        after = msgspec.structs.replace(
            nap, last_used=max(nap.last_used, use.last_used), longest=max(nap.longest, use.longest)
        )
        draining = status is DeploymentStatus.DRAINING
        self._note(stored, after, at_once=draining)
        self._noted[stored.id] = after
        return draining

    def _wanted(self, stored: Stored[Deployment], at: float) -> bool:
        """Whether the handler has to be told: it is to stay, or to come back, for a call that was turned away then."""
        deployment, nap = stored.value, stored.value.nap
        if (deployment.rest is not None and deployment.rest.strict) or _answered_since(deployment, at):
            return False
        match deployment.status:
            case DeploymentStatus.DRAINING | DeploymentStatus.FALLING_ASLEEP if not nap.wanted:
                self._note(stored, msgspec.structs.replace(nap, wanted=True), at_once=True)
                return True
            case DeploymentStatus.ASLEEP if tried_again_at(nap) is None:
                wanted = msgspec.structs.replace(nap, wanted=True, failures=0)
                roused(self._deploying, stored, msgspec.structs.replace(deployment, nap=wanted))
                return True
            case _:
                return False

    def _heard(self, stored: Stored[Deployment], at: float) -> bool:
        nap, ready = stored.value.nap, stored.value.status is DeploymentStatus.READY
        if stored.value.status not in LISTENING or not nap.heard_at < nap.asked_at <= at:
            return False
        self._note(stored, msgspec.structs.replace(nap, heard_at=at), at_once=ready)
        return ready

    def _note(self, stored: Stored[Deployment], nap: Nap, *, at_once: bool) -> None:
        deadline = self._deploying.now() if at_once else stored.value.deadline
        self._deploying.note(stored, msgspec.structs.replace(stored.value, nap=nap, deadline=deadline))

    def _changed(self, id_: str, change: Change) -> None:
        """Make the change in what is there now; if it says so, wake the handler."""
        for _ in range(ATTEMPTS):
            stored = self._deploying.shelf.known(id_)
            if stored is None:
                return
            try:
                moved_on = change(stored)
            except Conflict:
                continue
            if moved_on:
                self._deploying.tell(id_)
            return
        raise TryLater(f"Deployment {id_} keeps changing. The call is noted when it comes again.")


def _answered_since(deployment: Deployment, at: float) -> bool:
    """Whether it has been awake meanwhile: then this is told late, or again, and nobody waits any more."""
    return any(moment.at > at for moment in deployment.history if moment.status is DeploymentStatus.READY)


def _says_more(use: Nap, known: Nap) -> bool:
    """Whether a call is worth a write: a minute later than the last, or much longer than the longest."""
    return use.last_used >= known.last_used + NOTED_SECONDS or use.longest > max(2 * known.longest, NOTED_SECONDS)
