"""Names of models: who may call what, and which route stands behind a name."""

import msgspec

from tuneway.access.keys import Grant, Scope
from tuneway.edge.endpoints import Endpoints
from tuneway.errors import NotFound
from tuneway.routing import identifiers
from tuneway.routing.identifiers import Alias, DedicatedEndpoint, Endpoint, HostedModel, VertexIdentifier
from tuneway.routing.live import LiveSnapshot
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot
from tuneway.routing.targets import Defaults, target_of


class Directory:
    """Aliases first; what is none may be an identifier, which is a route to one target."""

    def __init__(self, live: LiveSnapshot, endpoints: Endpoints, defaults: Defaults) -> None:
        """``defaults`` stand in where an identifier leaves something open."""
        self._live = live
        self._endpoints = endpoints
        self._defaults = defaults
        self._places = _Places(Snapshot())

    async def route(self, model: str, snapshot: Snapshot, grant: Grant) -> Route:
        """What stands behind ``model`` for this caller. Raises NotFound, BadInput, UpstreamError, TryLater."""
        if route := visible(snapshot, model, grant):
            return route
        match identifiers.parse(model):
            case Alias(name=alias):
                return await self._new_alias(alias, grant)
            case identifier:
                if self._places.snapshot is not snapshot:
                    self._places = _Places(snapshot)
                return _alone(await self._identified(identifier, model, grant), model)

    async def _new_alias(self, alias: str, grant: Grant) -> Route:
        """An alias that the known snapshot does not hold may be a moment old."""
        route = visible(await self._live.renewed(), alias, grant)
        if route is None:
            raise unknown(alias)
        return route

    async def _identified(self, identifier: VertexIdentifier | HostedModel, model: str, grant: Grant) -> Target:
        """What a route says of the place, else what the name says, else what the endpoint itself says."""
        named = target_of(identifier, self._defaults)
        leading = self._places.leading_to(named)
        mine = [target for route, target in leading if may_call(route, grant)]
        if leading and not mine:
            raise unknown(model)
        for target in mine:
            if (target.resource, target.model) == (named.resource, named.model):
                return target
        match identifier:
            case DedicatedEndpoint() | Endpoint(protocol=None):
                return await self._resolved(named, model)
            case _:
                return named

    async def _resolved(self, named: Target, model: str) -> Target:
        try:
            return await self._endpoints.target(named)
        except NotFound as exc:
            raise unknown(model) from exc


class _Places:
    """A snapshot's targets by where they are, each with its route.

    A project has a name and a number, so a place is told without it: what is another tenant's stays so under both.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._leading: dict[str, list[tuple[Route, Target]]] = {}
        for route in snapshot.routes.values():
            for target in route.targets:
                self._leading.setdefault(_place(target), []).append((route, target))

    def leading_to(self, target: Target) -> list[tuple[Route, Target]]:
        """Every tenant's routes to the place."""
        return self._leading.get(_place(target), [])


def visible(snapshot: Snapshot, alias: str, grant: Grant) -> Route | None:
    """The route under ``alias``, if there is one that this caller may know of."""
    route = snapshot.routes.get(alias)
    return route if route is not None and may_call(route, grant) else None


def may_call(route: Route, grant: Grant) -> bool:
    """Everybody's routes, the caller's own, and all of them for an admin."""
    return route.owner is None or route.owner == grant.owner or Scope.ADMIN in grant.scopes


def unknown(model: str) -> NotFound:
    """One answer for what is not there and for what is another tenant's."""
    return NotFound(
        f"The model '{model}' does not exist or you do not have access to it. GET /v1/models lists what you can call.",
        param="model",
        code="model_not_found",
    )


def _alone(target: Target, model: str) -> Route:
    """The route of a name that leads to one target by itself."""
    return Route(alias=model, targets=(msgspec.structs.replace(target, weight=1.0, order=0),), created_at=0.0)


def _place(target: Target) -> str:
    return target.resource.partition("/locations/")[2] or f"{target.provider}/{target.model}"
