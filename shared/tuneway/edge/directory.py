"""Names of models: who may call what, and which target stands behind a name."""

from tuneway.access.keys import Grant, Scope
from tuneway.edge.endpoints import Endpoints
from tuneway.errors import BadInput, NotFound
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
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot


class Directory:
    """Aliases first; what is none may be an identifier of Vertex AI."""

    def __init__(self, live: LiveSnapshot, endpoints: Endpoints, *, project: str, location: str) -> None:
        """``project`` and ``location`` stand in where an identifier leaves them open."""
        self._live = live
        self._endpoints = endpoints
        self._project = project
        self._location = location
        self._places = _Places(Snapshot())

    async def target(self, model: str, snapshot: Snapshot, grant: Grant) -> Target:
        """What stands behind ``model`` for this caller. Raises NotFound, BadInput, UpstreamError, TryLater."""
        if route := visible(snapshot, model, grant):
            return route.target
        match identifiers.parse(model):
            case Alias(name=alias):
                return await self._new_alias(alias, grant)
            case HostedModel(vendor=vendor):
                raise BadInput(
                    f"Models of '{vendor}' cannot be called by their name yet. Use an endpoint or an alias.",
                    param="model",
                    code="model_not_found",
                )
            case identifier:
                if self._places.snapshot is not snapshot:
                    self._places = _Places(snapshot)
                return await self._identified(identifier, model, grant)

    async def _new_alias(self, alias: str, grant: Grant) -> Target:
        """An alias that the known snapshot does not hold may be a moment old."""
        route = visible(await self._live.renewed(), alias, grant)
        if route is None:
            raise unknown(alias)
        return route.target

    async def _identified(self, identifier: VertexIdentifier, model: str, grant: Grant) -> Target:
        resource = identifiers.resource(identifier, project=self._project, location=self._location)
        routes = self._places.routes(resource)
        mine = [route for route in routes if may_call(route, grant)]
        if routes and not mine:
            raise unknown(model)
        for route in mine:
            if route.target.resource == resource:
                return route.target
        match identifier:
            case DedicatedEndpoint(host=host):
                return Target(resource=resource, dialect="instances", host=host)
            case PublisherModel():
                return _published(identifier, resource)
            case Endpoint(protocol="gemini"):
                return Target(resource=resource)
            case Endpoint():
                return await self._resolved(resource, model)

    async def _resolved(self, resource: str, model: str) -> Target:
        try:
            return await self._endpoints.target(resource)
        except NotFound as exc:
            raise unknown(model) from exc


class _Places:
    """A snapshot's routes by where they lead.

    A project has a name and a number, so a place is told without it: what is another tenant's stays so under both.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._routes: dict[str, list[Route]] = {}
        for route in snapshot.routes.values():
            self._routes.setdefault(_place(route.target.resource), []).append(route)

    def routes(self, resource: str) -> list[Route]:
        """Every tenant's routes to the place."""
        return self._routes.get(_place(resource), [])


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


def _published(model: PublisherModel, resource: str) -> Target:
    if model.publisher != "google" or not model.model.startswith("gemini"):
        raise BadInput(
            f"Models of the publisher '{model.publisher}' cannot be called by their name yet. Use a Gemini model, an "
            "endpoint or an alias.",
            param="model",
            code="model_not_supported",
        )
    return Target(resource=resource)


def _place(resource: str) -> str:
    return resource.partition("/locations/")[2]
