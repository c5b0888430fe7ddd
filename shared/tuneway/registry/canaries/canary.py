"""Move canaries along: on every tick by what was measured, and at any time by those who run the installation.

A canary and its route change in one commit, or not at all, so there is nothing between the two for a crash to leave.
Whoever changes the route by hand has the last word: the canary finds its mark or its targets gone, and yields.
"""

import logging
from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater, TunewayError
from tuneway.ports import Documents, Events, Message
from tuneway.registry.canaries.canary_plan import (
    OPEN,
    WHOLE,
    Canary,
    Moment,
    Scores,
    State,
    is_as_left,
    targets_at,
    with_moment,
)
from tuneway.registry.canaries.canary_said import advanced, given_up, rolled_back
from tuneway.registry.canaries.canary_verdict import Measured, Verdict, verdict
from tuneway.registry.counts.tallies import total
from tuneway.registry.counts.usage import counted_of, forgotten
from tuneway.registry.models.followed import Followed, followed, led_along
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.routing.history import Mark
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import Snapshot, change
from tuneway.state import Collection, Stored

ATTEMPTS = 20
# Log lines come late: what is counted for a canary that has ended is kept for so many seconds, and then goes.
LINGER = 4000.0
YIELDED = "The route was changed by somebody else, so it stays as it is now, and the canary is over."

Announce = Callable[[Canary, Moment], Message]

log = logging.getLogger(__name__)


class _Taken(Exception):
    """The route is not as the canary left it."""


class Canaries:
    """The canaries of an installation, at most one on each route; ``announce`` makes an event of a moment."""

    def __init__(self, documents: Documents, events: Events, *, now: Callable[[], float], announce: Announce) -> None:
        self.documents = documents
        self.now = now
        self.kept = Collection(documents, "canaries", Canary)
        self._events = events
        self._announce = announce

    def stored(self, alias: str) -> Stored[Canary]:
        """The route's canary, the last one if it is over. Raises NotFound."""
        stored = self.kept.known(alias)
        if stored is None:
            raise NotFound(f"There is no canary on '{alias}'. Start one.", param="alias")
        return stored

    def tick(self) -> int:
        """Look after every open canary; how many there are. With none this is one read. Repeating it changes nothing.

        One that cannot be looked after now waits for the next tick, and holds up no other.
        """
        found = self.kept.find(("open", "==", True))
        for stored in found:
            try:
                self.look_after(stored)
            except TunewayError as fault:
                log.warning("The canary on %s waits for the next tick: %s", stored.id, fault.message)
        return len(found)

    def look_after(self, stored: Stored[Canary]) -> None:
        """Judge it if it is under way, and tell what happened. Raises Conflict when somebody else writes, TryLater."""
        if stored.value.state in OPEN:
            self._judge(stored)
        self.settle(self.kept.get(stored.id))

    def measured(self, canary: Canary) -> Measured:
        """What was counted in its step."""
        found = [counted for _, counted in counted_of(self.documents, canary.mark)]
        return Measured(
            candidate=total(each.tally for each in found if each.target == canary.tried),
            stable=total(each.tally for each in found if each.target in canary.stable),
        )

    def moved(self, stored: Stored[Canary], after: Canary, *, by: str = "tuneway") -> None:
        """Put ``after`` in its place, and its targets into the route. Raises Conflict; a taken route ends it."""
        said = Mark(by=by, why=f"canary {after.id}: {after.moments[-1].message}")
        along = self._along(after, by=by)

        def apply(snapshot: Snapshot) -> Snapshot:
            there = snapshot.routes.get(stored.id)
            if there is None or not is_as_left(there, stored.value):
                raise _Taken
            now = _set(there, after)
            return led_along(snapshot.with_route(now), along, before=after.before, after=now.targets)

        try:
            change(self.documents, apply, self.kept.replace(stored, after), *along.writes, mark=said, now=self.now)
        except _Taken:
            self._yield(stored)

    def noted(self, stored: Stored[Canary], after: Canary) -> None:
        """Put ``after`` in its place; the route stays. Raises Conflict."""
        if after != stored.value:
            self.documents.commit(self.kept.replace(stored, after))

    def settle(self, stored: Stored[Canary]) -> None:
        """Tell what was not told yet; one that is over is closed in the end. Raises TryLater, Conflict."""
        canary = stored.value
        untold = [moment for moment in canary.moments if moment.number > canary.told]
        self._events.publish(*(self._announce(canary, moment) for moment in untold))
        after = msgspec.structs.replace(canary, told=canary.moments[-1].number)
        if canary.state not in OPEN and self.now() - canary.step_at >= LINGER:
            self.forget(canary)
            after = msgspec.structs.replace(after, open=False)
        self.noted(stored, after)

    def forget(self, canary: Canary) -> None:
        """Take away what was counted for it."""
        for step in range(len(canary.plan.steps)):
            writes = forgotten(self.documents, msgspec.structs.replace(canary, step=step).mark)
            if writes:
                self.documents.commit(*writes)

    def _judge(self, stored: Stored[Canary]) -> None:
        canary = stored.value
        route = self._route(canary.alias)
        if route is None or not is_as_left(route, canary):
            self._yield(stored)
            return
        measured = self.measured(canary)
        found = verdict(canary, measured, now=self.now())
        match found.move:
            case "wait":
                self.noted(stored, _looked(canary, found, measured.candidate.requests))
            case "advance":
                self.moved(stored, self._advanced(_looked(canary, found, 0), found))
            case "roll_back":
                self.moved(stored, self._rolled_back(_looked(canary, found, 0), found, rolled_back(canary, found)))
            case "give_up":
                self.moved(stored, self._rolled_back(_looked(canary, found, 0), found, given_up(canary, found)))

    def _advanced(self, canary: Canary, found: Verdict) -> Canary:
        step, now = canary.step + 1, self.now()
        whole = canary.plan.steps[step] >= WHOLE
        state = State.PROMOTED if whole else canary.state
        scores = Scores(batches=canary.scores.batches)
        after = msgspec.structs.replace(canary, step=step, step_at=now, state=state, scores=scores)
        what = "promoted" if whole else "advanced"
        return with_moment(after, what, advanced(canary, after, found), at=now, findings=found.findings)

    def _rolled_back(self, canary: Canary, found: Verdict, said: str) -> Canary:
        now = self.now()
        after = msgspec.structs.replace(canary, state=State.ROLLED_BACK, step_at=now)
        return with_moment(after, "rolled_back", said, at=now, findings=found.findings)

    def _yield(self, stored: Stored[Canary]) -> None:
        """Let the route be as it is, but for the canary's mark. Raises Conflict."""
        now = self.now()
        over = msgspec.structs.replace(stored.value, state=State.YIELDED, step_at=now)
        after = with_moment(over, "yielded", YIELDED, at=now)

        def apply(snapshot: Snapshot) -> Snapshot:
            there = snapshot.routes.get(stored.id)
            if there is None or there.trial is None:
                return snapshot
            return snapshot.with_route(msgspec.structs.replace(there, trial=None))

        mark = Mark(why=f"canary {over.id} is over")
        change(self.documents, apply, self.kept.replace(stored, after), mark=mark, now=self.now)

    def _along(self, after: Canary, *, by: str) -> Followed:
        """The version alias whose name the candidate has won."""
        route = self._route(after.alias) if after.state is State.PROMOTED else None
        if route is None:
            return Followed()
        return followed(ModelShelf(self.documents, now=self.now), route, targets_at(after), by=by)

    def _route(self, alias: str) -> Route | None:
        stored = Collection(self.documents, "routes", Route).known(alias)
        return stored.value if stored else None


def tell_now(canaries: Canaries, alias: str) -> None:
    """Tell what has just happened; what cannot be told now waits for the tick."""
    try:
        canaries.settle(canaries.stored(alias))
    except (TryLater, Conflict) as fault:
        log.warning("The events of the canary on %s wait for the next tick: %s", alias, fault.message)


def _set(route: Route, canary: Canary) -> Route:
    """The route as the canary wants it; all but targets and mark is left as it is."""
    match canary.state:
        case State.RUNNING | State.PAUSED:
            return msgspec.structs.replace(route, targets=targets_at(canary), trial=canary.mark)
        case State.PROMOTED:
            return msgspec.structs.replace(route, targets=targets_at(canary), trial=None)
        case State.ROLLED_BACK | State.ABORTED | State.YIELDED:
            return msgspec.structs.replace(route, targets=canary.before, trial=None)


def _looked(canary: Canary, found: Verdict, count: int) -> Canary:
    if not found.looked:
        return canary
    return msgspec.structs.replace(canary, looks=canary.looks + 1, looked=count, findings=found.findings)
