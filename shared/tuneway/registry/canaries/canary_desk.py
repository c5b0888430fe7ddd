"""Canaries by hand: started, paused, resumed, promoted, aborted, and told what a judge gave."""

from collections.abc import Callable, Sequence

import msgspec

from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import Write
from tuneway.registry.canaries.canary import ATTEMPTS, YIELDED, Canaries, tell_now
from tuneway.registry.canaries.canary_plan import (
    OPEN,
    Canary,
    Plan,
    Scores,
    State,
    checked,
    rivals,
    targets_at,
    with_moment,
)
from tuneway.registry.canaries.evidence import Mean
from tuneway.routing.history import Mark
from tuneway.routing.names import place
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change, current
from tuneway.state import Collection

BATCHES = 200


class CanaryDesk:
    """What is asked of canaries; ``new_id`` gives random letters."""

    def __init__(self, canaries: Canaries, *, new_id: Callable[[], str]) -> None:
        self.canaries = canaries
        self._new_id = new_id

    def start(self, alias: str, candidate: str, plan: Plan, *, by: str, also: Sequence[Write] = ()) -> Canary:
        """Give the candidate its first share of the route's calls; ``also`` is written in the same commit.

        ``candidate`` is another route with one target, or names one of the route's own targets. Raises NotFound,
        BadInput, Conflict when one is under way or ``also`` is stale.
        """
        routes, now = current(self.canaries.documents).routes, self.canaries.now()
        route = _route(routes.get(alias), alias)
        target = _candidate(routes, route, candidate)
        if any(place(each) == place(target) and not _alike(each, target) for each in route.targets):
            raise BadInput(
                f"'{alias}' has another target called {place(target)}: logs could not tell them apart. Serve it under "
                "another model name.",
                param="candidate",
                code="invalid_value",
            )
        if not rivals(route.targets, target):
            raise BadInput(
                f"'{alias}' leads to nothing but the candidate, so there is nothing to hold it against.",
                param="candidate",
            )
        fresh = Canary(
            id=f"can-{self._new_id()}",
            alias=alias,
            state=State.RUNNING,
            plan=checked(plan),
            candidate=target,
            before=route.targets,
            step=0,
            step_at=now,
            created_at=now,
        )
        if len(fresh.plan.steps) == 1:
            raise BadInput("A plan with one step of 100 % tries nothing. Put the route.", param="steps")
        made = with_moment(fresh, "started", _begun(fresh), at=now, by=by)
        self._begin(route, made, by=by, also=also)
        tell_now(self.canaries, alias)
        return self.canaries.stored(alias).value

    def pause(self, alias: str, *, by: str) -> Canary:
        """Let it grow no further; it is still taken back when it is worse. Paused again is paused."""
        return self._noted(alias, State.PAUSED, ("paused", "It keeps its share until it is resumed."), by=by)

    def resume(self, alias: str, *, by: str) -> Canary:
        """Let it grow again."""
        return self._noted(alias, State.RUNNING, ("resumed", "It grows again."), by=by)

    def promote(self, alias: str, *, by: str) -> Canary:
        """Give it all calls now, whatever was measured."""
        return self._ended(alias, State.PROMOTED, ("promoted", "Promoted by hand."), by=by)

    def abort(self, alias: str, *, by: str) -> Canary:
        """Put the route's targets back as they were."""
        return self._ended(alias, State.ABORTED, ("aborted", "Aborted: the route is as it was before."), by=by)

    def score(self, alias: str, batch: str, *, candidate: Sequence[float], stable: Sequence[float]) -> Canary:
        """Take a judge's scores, from 0 to 1; a batch that was taken is not taken twice. Raises NotFound, Conflict."""

        def scored(canary: Canary) -> Canary:
            known = canary.scores
            if batch in known.batches:
                return canary
            scores = Scores(
                candidate=_more(known.candidate, candidate),
                stable=_more(known.stable, stable),
                batches=(*known.batches, batch)[-BATCHES:],
            )
            # What is new is looked at with the next tick.
            return msgspec.structs.replace(canary, scores=scores, looked=0)

        return self._written(alias, scored)

    def past(self, alias: str) -> list[Canary]:
        """Those that were on the route before, oldest first."""
        kept = Collection(self.canaries.documents, f"canaries/{alias}/past", Canary)
        return sorted((stored.value for stored in kept.find()), key=lambda canary: canary.created_at)

    def _begin(self, route: Route, canary: Canary, *, by: str, also: Sequence[Write]) -> None:
        kept, past = self.canaries.kept, Collection(self.canaries.documents, f"canaries/{route.alias}/past", Canary)
        before = kept.known(route.alias)
        if before is None:
            writes: list[Write] = [kept.create(route.alias, canary)]
        else:
            if before.value.id == canary.id:
                raise _over(before.value)
            if before.value.state in OPEN:
                raise Conflict(f"A canary is under way on '{route.alias}'. Abort or promote it first.", param="alias")
            self.canaries.settle(before)
            self.canaries.forget(before.value)
            before = kept.get(route.alias)
            closed = msgspec.structs.replace(before.value, open=False)
            writes = [kept.replace(before, canary), past.put(before.value.id, closed)]
        change(
            self.canaries.documents,
            lambda snapshot: _with_canary(snapshot, route, canary),
            *writes,
            *also,
            mark=Mark(by=by, why=f"canary {canary.id}: {canary.moments[-1].message}"),
            now=self.canaries.now,
        )

    def _noted(self, alias: str, state: State, said: tuple[str, str], *, by: str) -> Canary:
        def noted(canary: Canary) -> Canary:
            if canary.state is state:
                return canary
            after = msgspec.structs.replace(canary, state=state)
            return with_moment(after, *said, at=self.canaries.now(), by=by)

        return self._written(alias, noted)

    def _written(self, alias: str, step: Callable[[Canary], Canary]) -> Canary:
        for _ in range(ATTEMPTS):
            stored = self.canaries.stored(alias)
            if stored.value.state not in OPEN:
                raise _over(stored.value)
            try:
                self.canaries.noted(stored, step(stored.value))
            except Conflict:
                continue
            tell_now(self.canaries, alias)
            return self.canaries.stored(alias).value
        raise TryLater(f"The canary on '{alias}' keeps changing. Ask again.")

    def _ended(self, alias: str, state: State, said: tuple[str, str], *, by: str) -> Canary:
        for _ in range(ATTEMPTS):
            stored = self.canaries.stored(alias)
            canary = stored.value
            if canary.state is state:
                return canary
            if canary.state not in OPEN:
                raise _over(canary)
            step = len(canary.plan.steps) - 1 if state is State.PROMOTED else canary.step
            now = self.canaries.now()
            after = with_moment(
                msgspec.structs.replace(canary, state=state, step=step, step_at=now), *said, at=now, by=by
            )
            try:
                self.canaries.moved(stored, after, by=by)
            except Conflict:
                continue
            tell_now(self.canaries, alias)
            return self._unless_taken(alias, state)
        raise TryLater(f"The canary on '{alias}' keeps changing. Ask again.")

    def _unless_taken(self, alias: str, state: State) -> Canary:
        canary = self.canaries.stored(alias).value
        if canary.state is not state:
            raise Conflict(YIELDED, param="alias")
        return canary


def _with_canary(snapshot: Snapshot, route: Route, canary: Canary) -> Snapshot:
    there = _route(snapshot.routes.get(route.alias), route.alias)
    if there.targets != route.targets:
        raise Conflict(f"The route '{route.alias}' has just been changed. Look at it, and start again.")
    return snapshot.with_route(msgspec.structs.replace(there, targets=targets_at(canary), trial=canary.mark))


def _route(found: Route | None, alias: str) -> Route:
    if found is None:
        raise NotFound(f"There is no route '{alias}'.", param="alias")
    return found


def _candidate(routes: dict[str, Route], route: Route, named: str) -> Target:
    """The target that is meant. Raises BadInput."""
    own = [target for target in route.targets if named in {place(target), f"{target.provider}/{place(target)}"}]
    other = routes.get(named) if named != route.alias else None
    found = own or list(other.targets if other else ())
    if len(found) != 1:
        raise BadInput(
            f"'{named}' is neither another route with one target nor one of the targets of '{route.alias}'. "
            f"Name the route of the tuned model, or one of {', '.join(place(target) for target in route.targets)}.",
            param="candidate",
            code="invalid_value",
        )
    return found[0]


def _alike(one: Target, other: Target) -> bool:
    return msgspec.structs.replace(one, weight=other.weight, order=other.order) == other


def _begun(canary: Canary) -> str:
    return f"{canary.tried} gets {canary.plan.steps[0]:g} % of the calls."


def _over(canary: Canary) -> Conflict:
    return Conflict(
        f"The canary on '{canary.alias}' is over: {canary.state.replace('_', ' ')}. Start another.", param="alias"
    )


def _more(mean: Mean, values: Sequence[float]) -> Mean:
    return Mean(
        count=mean.count + len(values),
        total=mean.total + sum(values),
        squares=mean.squares + sum(value * value for value in values),
    )
