"""Names of models: who may call what, and which route stands behind a name."""

import msgspec

from tuneway.access.keys import Grant, Scope
from tuneway.edge.surfaces.endpoints import Endpoints
from tuneway.errors import NotFound
from tuneway.routing import identifiers
from tuneway.routing.identifiers import (
    Alias,
    DedicatedEndpoint,
    Endpoint,
    HostedModel,
    PublisherModel,
    VertexIdentifier,
)
from tuneway.routing.live import LiveSnapshot
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route, Target
from tuneway.routing.served_names import publisher_of
from tuneway.routing.snapshot import Snapshot
from tuneway.routing.targets import Defaults, target_of


class Directory:
    """Aliases first; what is none may be an identifier, which is a route to one target.

    A model's bare name (``codestral``) is an identifier where no alias has it.
    """

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
                return await self._new_alias(alias, snapshot, grant)
            case identifier:
                return await self._one_target(identifier, model, snapshot=snapshot, grant=grant)

    async def _new_alias(self, alias: str, snapshot: Snapshot, grant: Grant) -> Route:
        """An alias that the known snapshot does not hold may be a moment old, or a model's bare name."""
        if route := visible(await self._live.renewed(), alias, grant):
            return route
        publisher = publisher_of(alias)
        if publisher is None:
            raise unknown(alias)
        published = PublisherModel(publisher=publisher, model=alias)
        return await self._one_target(published, alias, snapshot=snapshot, grant=grant)

    async def _one_target(
        self, identifier: VertexIdentifier | HostedModel, model: str, *, snapshot: Snapshot, grant: Grant
    ) -> Route:
        if self._places.snapshot is not snapshot:
            self._places = _Places(snapshot)
        return _alone(await self._identified(identifier, model, grant), model)

    async def _identified(self, identifier: VertexIdentifier | HostedModel, model: str, grant: Grant) -> Target:
        """What a route says of the place, else what the name says, else what the endpoint itself says."""
        named = target_of(identifier, self._defaults)
        leading = self._places.leading_to(named)
        mine = [target for route, target in leading if may_call(route, grant)]
        everybodys = "/publishers/" in named.resource  # a route to it makes nobody its owner
        if not mine and not everybodys and (leading or not self._places.open_to(grant, named)):
            raise unknown(model)
        for target in mine:
            if _is_meant(target, named, identifier):
                return target
        match identifier:
            case DedicatedEndpoint() | Endpoint(protocol=None) if not self._places.sleeps(named):
                return await self._resolved(named, model)
            case _:
                return named

    async def _resolved(self, named: Target, model: str) -> Target:
        try:
            return await self._endpoints.target(named)
        except NotFound as exc:
            raise unknown(model) from exc


class _Places:
    """A snapshot's targets by where they are, each with its route; and whose a place is that no route leads to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._leading: dict[str, list[tuple[Route, Target]]] = {}
        for route in snapshot.routes.values():
            for target in route.targets:
                self._leading.setdefault(place_of(target), []).append((route, target))

    def leading_to(self, target: Target) -> list[tuple[Route, Target]]:
        """Every tenant's routes to the place."""
        return self._leading.get(place_of(target), [])

    def sleeps(self, target: Target) -> bool:
        """Whether nothing answers there for now: then it need not be asked what it speaks."""
        return place_of(target) in self.snapshot.asleep

    def open_to(self, grant: Grant, target: Target) -> bool:
        """Whether the place is nobody's own, or this caller's."""
        return _is_open(self.snapshot.places.get(place_of(target)), grant)


def visible(snapshot: Snapshot, alias: str, grant: Grant) -> Route | None:
    """The route under ``alias``, if there is one that this caller may know of."""
    route = snapshot.routes.get(alias)
    return route if route is not None and may_call(route, grant) else None


def may_call(route: Route, grant: Grant) -> bool:
    """Everybody's routes, the caller's own, and all of them for an admin."""
    return _is_open(route.owner, grant)


def _is_meant(target: Target, named: Target, identifier: VertexIdentifier | HostedModel) -> bool:
    """Whether a route's target is what was named; a route to an endpoint may know the model that is served there."""
    if (target.resource, target.model) == (named.resource, named.model):
        return True
    open_ = isinstance(identifier, DedicatedEndpoint) or (isinstance(identifier, Endpoint) and not identifier.protocol)
    return open_ and target.resource == named.resource and not named.model


def unknown(model: str) -> NotFound:
    """One answer for what is not there and for what is another tenant's."""
    return NotFound(
        f"The model '{model}' does not exist or you do not have access to it. GET /v1/models lists what you can call.",
        param="model",
        code="model_not_found",
    )


def _is_open(owner: str | None, grant: Grant) -> bool:
    return owner is None or owner == grant.owner or Scope.ADMIN in grant.scopes


def _alone(target: Target, model: str) -> Route:
    """The route of a name that leads to one target by itself."""
    return Route(alias=model, targets=(msgspec.structs.replace(target, weight=1.0, order=0),), created_at=0.0)
