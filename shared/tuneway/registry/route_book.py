"""Routes by hand: give a public alias to any endpoint this installation can call."""

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import Snapshot, change
from tuneway.state import Collection

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
MOST_AT_ONCE = 400  # Firestore commits 500 writes at once


class RouteBook:
    """The aliases of an installation. A change and the snapshot that carries it are one commit."""

    def __init__(self, documents: Documents, *, now: Callable[[], float]) -> None:
        self._documents = documents
        self._routes = Collection(documents, "routes", Route)
        self._now = now

    def list(self) -> list[Route]:
        """Every route, oldest first."""
        return [found.value for found in self._routes.find(order_by="created_at")]

    def get(self, alias: str) -> Route:
        """The route. Raises NotFound."""
        try:
            return self._routes.get(alias).value
        except NotFound:
            raise NotFound(f"There is no route '{alias}'.", param="alias") from None

    def put(self, route: Route) -> Route:
        """Keep the route under its alias, new or not, as made now. Raises BadInput."""
        alias = _checked(route.alias)
        made = msgspec.structs.replace(route, created_at=self._now())
        change(self._documents, lambda snapshot: _without_circles(snapshot, made), self._routes.put(alias, made))
        return made

    def put_all(self, routes: Sequence[Route]) -> None:
        """Keep all of them in one change, or none; those that are there as they are stay untouched. Raises BadInput."""
        if len(routes) > MOST_AT_ONCE:
            raise BadInput(f"These are more than {MOST_AT_ONCE} routes. Put them in several parts.", param="routes")
        before, now = {route.alias: route for route in self.list()}, self._now()
        made = [msgspec.structs.replace(route, created_at=now) for route in routes if not _same(route, before)]
        writes = [self._routes.put(_checked(route.alias), route) for route in made]
        if made:
            change(self._documents, lambda snapshot: _all_without_circles(snapshot, made), *writes)

    def remove(self, alias: str) -> None:
        """Take the alias away. Raises NotFound."""
        self.get(alias)
        change(self._documents, lambda snapshot: snapshot.without_route(alias), self._routes.delete(alias))


def _checked(alias: str) -> str:
    if not ALIAS.fullmatch(alias) or alias.isdigit():
        raise BadInput(
            f"'{alias}' cannot be an alias: 1 to 128 letters, digits and '._:@-', not digits alone.", param="alias"
        )
    return alias


def _same(route: Route, before: Mapping[str, Route]) -> bool:
    """Whether the route is there already; when it was made says nothing."""
    there = before.get(route.alias)
    return there is not None and msgspec.structs.replace(route, created_at=there.created_at) == there


def _without_circles(snapshot: Snapshot, route: Route) -> Snapshot:
    """The snapshot with the route in it. Raises BadInput when its fallbacks lead back to it."""
    after = snapshot.with_route(route)
    _refuse_circle(after, route)
    return after


def _all_without_circles(snapshot: Snapshot, routes: Sequence[Route]) -> Snapshot:
    after = msgspec.structs.replace(snapshot, routes={**snapshot.routes, **{route.alias: route for route in routes}})
    for route in routes:
        _refuse_circle(after, route)
    return after


def _refuse_circle(after: Snapshot, route: Route) -> None:
    seen, waiting = set[str](), list(_fallbacks(route))
    while waiting:
        name = waiting.pop()
        if name == route.alias:
            raise BadInput(
                f"The fallbacks of '{route.alias}' lead back to it. Take one of them out.",
                param="fallbacks",
                code="invalid_value",
            )
        if name not in seen and (follows := after.routes.get(name)) is not None:
            waiting += _fallbacks(follows)
        seen.add(name)


def _fallbacks(route: Route) -> tuple[str, ...]:
    return route.fallbacks + route.context_fallbacks + route.content_fallbacks
