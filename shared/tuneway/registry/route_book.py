"""Routes by hand: give a public alias to any endpoint this installation can call."""

import re
from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import Snapshot, change
from tuneway.state import Collection

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")


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
        alias = route.alias
        if not ALIAS.fullmatch(alias) or alias.isdigit():
            raise BadInput(
                f"'{alias}' cannot be an alias: 1 to 128 letters, digits and '._:@-', not digits alone.", param="alias"
            )
        made = msgspec.structs.replace(route, created_at=self._now())
        change(self._documents, lambda snapshot: _without_circles(snapshot, made), self._routes.put(alias, made))
        return made

    def remove(self, alias: str) -> None:
        """Take the alias away. Raises NotFound."""
        self.get(alias)
        change(self._documents, lambda snapshot: snapshot.without_route(alias), self._routes.delete(alias))


def _without_circles(snapshot: Snapshot, route: Route) -> Snapshot:
    """The snapshot with the route in it. Raises BadInput when its fallbacks lead back to it."""
    after = snapshot.with_route(route)
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
    return after


def _fallbacks(route: Route) -> tuple[str, ...]:
    return route.fallbacks + route.context_fallbacks + route.content_fallbacks
