"""Routes by hand: give a public alias to any endpoint this installation can call."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput, NotFound, Stale
from tuneway.ports import Documents
from tuneway.registry.models.followed import Followed, astray, followed, led_along, unnamed
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.version_names import VersionName, off_the_record
from tuneway.routing.fragments import Asleep
from tuneway.routing.history import Entry, Mark, entry_id, same, versions
from tuneway.routing.probes import RouteProbe, TargetProbe
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import Snapshot, change, current
from tuneway.state import Collection

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
MOST_AT_ONCE = 400  # with their history they still fit one commit


class Guard(msgspec.Struct, frozen=True):
    """The version of a route that a change is meant for; None where there is to be no such route yet."""

    version: int | None


class RouteBook:
    """The aliases of an installation. A change, its history and the snapshot that carries it are one commit."""

    def __init__(self, documents: Documents, *, now: Callable[[], float]) -> None:
        self._documents = documents
        self._routes = Collection(documents, "routes", Route)
        self._probes = Collection(documents, "probes", RouteProbe)
        self._now = now

    def list(self) -> list[Route]:
        """Every route, oldest first."""
        return [found.value for found in self._routes.find(order_by="created_at")]

    def get(self, alias: str) -> Route:
        """The route. Raises NotFound."""
        stored = self._routes.known(alias)
        if stored is None:
            raise NotFound(f"There is no route '{alias}'.", param="alias")
        return stored.value

    def seen(self, alias: str) -> Guard:
        """What a change that begins now is meant for."""
        stored = self._routes.known(alias)
        return Guard(stored.value.version if stored else None)

    def put(self, route: Route, *, guard: Guard | None = None, mark: Mark | None = None) -> Route:
        """Keep the route under its alias, new or not, as made now. Raises BadInput, Stale when ``guard`` fails."""
        alias = _checked(route.alias)
        made = msgspec.structs.replace(route, created_at=self._now())
        stored = self._routes.known(alias)
        along = self._along(stored.value, made, by=(mark or Mark()).by) if stored else Followed()

        def apply(snapshot: Snapshot) -> Snapshot:
            _refuse_stale(snapshot, alias, guard)
            there = snapshot.routes.get(alias)
            kept = there.trial if there is not None and there.targets == made.targets else made.trial
            after = _without_circles(snapshot, msgspec.structs.replace(made, trial=kept))
            return led_along(after, along, before=there.targets if there else (), after=made.targets)

        writes = (self._routes.put(alias, made), *along.writes)
        after = change(self._documents, apply, *writes, mark=mark, now=self._now)
        return after.routes[alias]

    def put_all(self, routes: Sequence[Route], *, mark: Mark | None = None) -> None:
        """Keep all of them in one change, or none; those that are there as they are stay untouched. Raises BadInput."""
        if len(routes) > MOST_AT_ONCE:
            raise BadInput(f"These are more than {MOST_AT_ONCE} routes. Put them in several parts.", param="routes")
        before, now = {route.alias: route for route in self.list()}, self._now()
        made = [msgspec.structs.replace(route, created_at=now) for route in routes if not _is_there(route, before)]
        writes = [self._routes.put(_checked(route.alias), route) for route in made]
        if made:
            change(
                self._documents,
                lambda snapshot: _all_without_circles(snapshot, made),
                *writes,
                mark=mark,
                now=self._now,
            )

    def off_the_record(self, routes: Sequence[Route]) -> dict[str, VersionName]:
        """Those that would lead the name of a version's alias elsewhere than the registry says, by their names."""
        shelf, before = ModelShelf(self._documents, now=self._now), {route.alias: route for route in self.list()}
        found = {route.alias: off_the_record(shelf, route, before.get(route.alias)) for route in routes}
        return {alias: named for alias, named in found.items() if named is not None}

    def astray(self, route: Route) -> tuple[VersionName, str] | None:
        """The version alias, and its version's number, that the route is the name of and does not lead to."""
        return astray(ModelShelf(self._documents, now=self._now), route)

    def remove(self, alias: str, *, guard: Guard | None = None, mark: Mark | None = None) -> None:
        """Take the alias away, and that of the version which it names; its history stays. Raises NotFound, Stale."""
        along = unnamed(ModelShelf(self._documents, now=self._now), self.get(alias), by=(mark or Mark()).by)

        def apply(snapshot: Snapshot) -> Snapshot:
            _refuse_stale(snapshot, alias, guard)
            return snapshot.without_route(alias)

        change(self._documents, apply, self._routes.delete(alias), *along, mark=mark, now=self._now)

    def versions(self, alias: str, *, below: int | None = None, limit: int) -> Sequence[Entry]:
        """The newest entries of its history, of numbers ``below``. Raises NotFound."""
        top = 2**53 if below is None else below
        found = self._history(alias).find(("number", "<", top), order_by="number", descending=True, limit=limit)
        if not found and below is None:
            raise NotFound(f"There never was a route '{alias}'.", param="alias")
        return [stored.value for stored in found]

    def version(self, alias: str, number: int) -> Entry:
        """One entry of its history. Raises NotFound."""
        stored = self._history(alias).known(entry_id(number))
        if stored is None:
            said = f"The route '{alias}' has no version {number}, or no longer. See its history."
            raise NotFound(said, param="version")
        return stored.value

    def asleep(self) -> Mapping[str, Asleep]:
        """The places where nothing answers for now."""
        return current(self._documents).asleep

    def probe(self, alias: str) -> RouteProbe:
        """What the last probe of it found. Raises NotFound."""
        stored = self._probes.known(alias)
        if stored is None:
            said = f"The route '{alias}' has not been probed. Do it with POST …/routes/{alias}:probe."
            raise NotFound(said, param="alias")
        return stored.value

    def keep_probe(self, route: Route, found: Sequence[TargetProbe], *, by: str) -> RouteProbe:
        """Keep what a probe found out now, in the place of the one before."""
        probe = RouteProbe(
            alias=route.alias,
            version=route.version,
            at=self._now(),
            by=by,
            targets=tuple(found),
            cost_usd=_sum(target.cost_usd for target in found),
        )
        self._documents.commit(self._probes.put(route.alias, probe))
        return probe

    def _along(self, there: Route, made: Route, *, by: str) -> Followed:
        """The version alias whose name is led to another version by hand."""
        if there.targets == made.targets or there.owner != made.owner:
            return Followed()
        return followed(ModelShelf(self._documents, now=self._now), there, made.targets, by=by)

    def _history(self, alias: str) -> Collection[Entry]:
        return versions(self._documents, alias)


def _sum(costs: Iterable[float | None]) -> float | None:
    """All of them; unknown where one is."""
    known = list(costs)
    return None if None in known else sum(cost for cost in known if cost is not None)


def _checked(alias: str) -> str:
    if not ALIAS.fullmatch(alias) or alias.isdigit():
        raise BadInput(
            f"'{alias}' cannot be an alias: 1 to 128 letters, digits and '._:@-', not digits alone.", param="alias"
        )
    return alias


def _is_there(route: Route, before: Mapping[str, Route]) -> bool:
    """Whether the route is there already; when it was made says nothing."""
    there = before.get(route.alias)
    return there is not None and same(route, there)


def _refuse_stale(snapshot: Snapshot, alias: str, guard: Guard | None) -> None:
    there = snapshot.routes.get(alias)
    if guard is None or guard.version == (there.version if there else None):
        return
    if there is None:
        said = f"The route '{alias}' has been removed meanwhile. Leave the version away to make it anew."
    elif guard.version is None:
        said = f"There is a route '{alias}' already, at version {there.version}. Read it, and change that version."
    else:
        said = f"The route '{alias}' is at version {there.version} now, not {guard.version}. Put your change into that."
    raise Stale(said, current=there.version if there else 0, there=there, param="version")


def _without_circles(snapshot: Snapshot, route: Route) -> Snapshot:
    """The snapshot with the route in it. Raises BadInput when fallbacks lead back to where they came from."""
    after = snapshot.with_route(route)
    _refuse_circle(after, route)
    return after


def _all_without_circles(snapshot: Snapshot, routes: Sequence[Route]) -> Snapshot:
    after = msgspec.structs.replace(snapshot, routes={**snapshot.routes, **{route.alias: route for route in routes}})
    for route in routes:
        _refuse_circle(after, route)
    return after


def _refuse_circle(after: Snapshot, route: Route) -> None:
    """A circle that a change closes goes through the route that it changes."""
    way = _way_back(after, route)
    if way:
        raise BadInput(
            f"The fallbacks of '{route.alias}' lead back to it: {' → '.join([*way, route.alias])}. Take one of them "
            "out.",
            param="fallbacks",
            code="invalid_value",
        )


def _way_back(after: Snapshot, route: Route) -> tuple[str, ...]:
    """The aliases along which the fallbacks come back to the route; none where they do not."""
    seen = set[str]()
    waiting: list[tuple[str, ...]] = [(route.alias,)]
    while waiting:
        way = waiting.pop()
        there = after.routes.get(way[-1])
        for name in _fallbacks(there) if there else ():
            if name == route.alias:
                return way
            if name not in seen:
                seen.add(name)
                waiting.append((*way, name))
    return ()


def _fallbacks(route: Route) -> tuple[str, ...]:
    return route.fallbacks + route.context_fallbacks + route.content_fallbacks
