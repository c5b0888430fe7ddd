"""Routes by hand: give a public alias to any endpoint this installation can call."""

import re
from collections.abc import Callable

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import change
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

    def put(self, alias: str, target: Target, *, owner: str | None) -> Route:
        """Point the alias at the target, new or not; ``owner`` None opens it to every key. Raises BadInput."""
        if not ALIAS.fullmatch(alias) or alias.isdigit():
            raise BadInput(
                f"'{alias}' cannot be an alias: 1 to 128 letters, digits and '._:@-', not digits alone.", param="alias"
            )
        route = Route(alias=alias, target=target, created_at=self._now(), owner=owner)
        change(self._documents, lambda snapshot: snapshot.with_route(route), self._routes.put(alias, route))
        return route

    def remove(self, alias: str) -> None:
        """Take the alias away. Raises NotFound."""
        self.get(alias)
        change(self._documents, lambda snapshot: snapshot.without_route(alias), self._routes.delete(alias))
