"""``/v1/registry/routes``: public names for one target or several, and how a call goes along them."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.access.keys import Scope
from tuneway.edge import deployments
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput, NotFound, UpstreamError
from tuneway.prediction.dialects.openai.servers import SERVERS
from tuneway.prediction.profiles import profile_of
from tuneway.prediction.providers import table
from tuneway.registry.deployments import Deployments
from tuneway.registry.route_book import RouteBook
from tuneway.routing import names
from tuneway.routing.identifiers import Alias, DedicatedEndpoint, Endpoint, Identifier, parse
from tuneway.routing.references import is_reference
from tuneway.routing.routes import Dialect, Limits, Route, Target
from tuneway.routing.targets import Defaults, Place, target_of

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Detect = Callable[[Target], Target]
MOST_TARGETS = 64
ROOT = "/v1/registry/routes"
RESOLVE = "/v1/registry/endpoints:resolve"


class PutTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target: an identifier such as ``vertex_ai/my-project/us-central1/endpoints/123``, and what it leaves open."""

    identifier: str
    dialect: Dialect | None = None
    weight: Annotated[float, Meta(ge=0, le=1_000_000)] = 1.0
    order: Annotated[int, Meta(ge=0, le=1_000)] = 0
    base_url: str | None = None
    region: str | None = None
    api_version: str | None = None
    secret: str | None = None
    profile: str | None = None
    host: str | None = None
    raw: bool = False
    drop_params: tuple[str, ...] = ()


class PutLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds."""

    total: Seconds | None = None
    first: Seconds | None = None
    between: Seconds | None = None


class PutRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a route. One target alone may stand in it without its list: ``{"identifier": …, "owner": …}``."""

    targets: Annotated[tuple[PutTarget, ...], Meta(min_length=1, max_length=MOST_TARGETS)]
    owner: str | None = None
    fallbacks: tuple[str, ...] = ()
    context_fallbacks: tuple[str, ...] = ()
    content_fallbacks: tuple[str, ...] = ()
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    timeouts: PutLimits = PutLimits()
    cooldown: Annotated[float, Meta(ge=0, le=86_400)] = 30.0
    log_prompts: bool = False


class Resolve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a question what an endpoint speaks."""

    identifier: str


class _Reading:
    """Whose body is read, and what they should know about it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.warnings: list[str] = []


_OF_A_TARGET = frozenset(PutTarget.__struct_fields__)
_ONE = "targets[0]."


class RouteDesk:
    """Reads, checks and keeps the routes of an installation."""

    def __init__(self, book: RouteBook, deployments: Deployments, *, defaults: Defaults, detect: Detect) -> None:
        """``detect`` asks an endpoint what it speaks. Raises NotFound, UpstreamError."""
        self._book = book
        self._deployments = deployments
        self._defaults = defaults
        self._detect = detect

    def resolve(self, call: Call) -> Body:
        """``POST /v1/registry/endpoints:resolve``: ask the endpoint again, and write the answer down."""
        identifier = parse(decoded(call.body(), Resolve).identifier)
        if not isinstance(identifier, Endpoint | DedicatedEndpoint):
            raise BadInput("This names no endpoint. Use vertex_ai/endpoints/{id}.", param="identifier")
        found = self._detect(target_of(identifier, self._defaults))
        return deployments.shown(self._deployments.found(found, owner=call.grant.owner))

    @property
    def defaults(self) -> Defaults:
        """What stands in where identifiers leave something open."""
        return self._defaults

    def settled(self, target: Target, identifier: Identifier | None, *, owner: str) -> tuple[Target, list[str]]:
        """A target that came in a file, asked what it speaks where its identifier leaves that open, and warnings.

        Raises BadInput for one that could never be called.
        """
        reading = _Reading(owner)
        if identifier is not None and _open(identifier):
            target = self._detected(target, PutTarget(identifier=names.place(target), host=target.host), reading)
        _refuse_nowhere(target)
        return target, reading.warnings

    def put(self, call: Call) -> Body:
        """``PUT /v1/registry/routes/{alias}``."""
        reading = _Reading(call.grant.owner)
        plan, listed = put_route(call.body())
        if listed:
            targets = tuple(self._listed(one, place, reading) for place, one in enumerate(plan.targets))
        else:
            targets = (self._target(plan.targets[0], reading),)
        _refuse_idle(targets)
        answer = shown(self._book.put(_route(call.path["alias"], targets, plan)))
        return {**answer, "warnings": reading.warnings} if reading.warnings else answer

    def _listed(self, given: PutTarget, place: int, reading: _Reading) -> Target:
        """One of several targets; what is wrong with it says which."""
        try:
            return self._target(given, reading)
        except BadInput as fault:
            param = "identifier" if fault.param in {None, "model"} else fault.param
            raise BadInput(fault.message, param=f"targets[{place}].{param}", code=fault.code) from fault

    def _target(self, given: PutTarget, reading: _Reading) -> Target:
        identifier = parse(given.identifier)
        if isinstance(identifier, Alias):
            raise BadInput(
                f"'{given.identifier}' is an alias. Write vertex_ai/{{project}}/{{location}}/endpoints/{{id}}.",
                param="identifier",
            )
        _refuse_values(given.secret)
        target = _completed(target_of(identifier, _over(self._defaults, given)), given)
        if given.dialect is None and _open(identifier):
            target = self._detected(target, given, reading)
        _refuse_nowhere(target)
        return target

    def _detected(self, target: Target, given: PutTarget, reading: _Reading) -> Target:
        """The target in the words it really speaks; where it cannot be asked, in those most endpoints speak."""
        try:
            found = self._detect(target)
        except (NotFound, UpstreamError) as fault:
            reading.warnings.append(
                f"'{given.identifier}' could not be asked what it speaks ({fault.message.rstrip('.')}), so "
                f"'{target.dialect}' is assumed. Put the route again when it is there, or give its dialect."
            )
            return target
        self._deployments.found(found, owner=reading.owner)
        return msgspec.structs.replace(
            target, dialect=found.dialect, host=given.host or found.host or target.host, raw=found.raw or given.raw
        )


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """Routes are for admins."""
    one = f"{ROOT}/{{alias}}"

    def remove(call: Call) -> Body:
        book.remove(call.path["alias"])
        return {"object": "route", "alias": call.path["alias"], "deleted": True}

    def everything(_: Call) -> Body:
        return {"object": "list", "data": [shown(route) for route in book.list()]}

    return [
        Rule("GET", ROOT, Scope.ADMIN, everything),
        Rule("GET", one, Scope.ADMIN, lambda call: shown(book.get(call.path["alias"]))),
        Rule("PUT", one, Scope.ADMIN, desk.put),
        Rule("DELETE", one, Scope.ADMIN, remove),
        Rule("POST", RESOLVE, Scope.ADMIN, desk.resolve),
    ]


def put_route(body: bytes) -> tuple[PutRoute, bool]:
    """The body of a route, and whether it lists its targets. Raises BadInput naming the field."""
    fields = decoded(body, dict[str, msgspec.Raw])
    if "targets" in fields:
        return decoded(body, PutRoute), True
    alone = {name: value for name, value in fields.items() if name in _OF_A_TARGET}
    rest = {name: value for name, value in fields.items() if name not in _OF_A_TARGET}
    try:
        return decoded(msgspec.json.encode({**rest, "targets": [alone]}), PutRoute), False
    except BadInput as fault:
        raise BadInput(
            fault.message.replace(_ONE, ""), param=(fault.param or "").removeprefix(_ONE) or None, code=fault.code
        ) from fault


def shown(route: Route) -> dict[str, object]:
    """A route as JSON."""
    return {"object": "route", **msgspec.convert(msgspec.to_builtins(route), dict[str, object])}


def _route(alias: str, targets: tuple[Target, ...], plan: PutRoute) -> Route:
    limits = plan.timeouts
    return Route(
        alias=alias,
        targets=targets,
        created_at=0.0,
        owner=plan.owner,
        fallbacks=plan.fallbacks,
        context_fallbacks=plan.context_fallbacks,
        content_fallbacks=plan.content_fallbacks,
        retries=plan.retries,
        timeouts=Limits(total=limits.total, first=limits.first, between=limits.between),
        cooldown=plan.cooldown,
        log_prompts=plan.log_prompts,
    )


def _over(defaults: Defaults, given: PutTarget) -> Defaults:
    """The defaults with what the body says of the vendor's place over them."""
    vendor = given.identifier.partition("/")[0]
    known = defaults.places.get(vendor, Place())
    place = Place(
        base_url=given.base_url or known.base_url,
        secret=given.secret or known.secret,
        region=given.region or known.region,
        api_version=given.api_version or known.api_version,
    )
    return msgspec.structs.replace(defaults, places={**defaults.places, vendor: place})


def _completed(target: Target, given: PutTarget) -> Target:
    return msgspec.structs.replace(
        target,
        dialect=given.dialect or target.dialect,
        host=given.host or target.host,
        raw=given.raw,
        api_version=given.api_version or target.api_version,
        profile=given.profile,
        drop_params=given.drop_params,
        weight=given.weight,
        order=given.order,
    )


def _open(identifier: Identifier) -> bool:
    """Whether the name leaves open what is spoken there."""
    return isinstance(identifier, DedicatedEndpoint) or (isinstance(identifier, Endpoint) and not identifier.protocol)


def _refuse_values(secret: str | None) -> None:
    if secret is not None and not is_reference(secret):
        raise BadInput(
            "'secret' is a reference, never a key: env:NAME or projects/{project}/secrets/{name}/versions/{version}.",
            param="secret",
            code="invalid_value",
        )


def _refuse_nowhere(target: Target) -> None:
    """A target that could never be called is no target. Raises BadInput."""
    if target.profile not in SERVERS:
        profile_of(target)
    table.auth(target)
    try:
        table.url(target)
    except BadInput as fault:
        if fault.code != "unsupported_operation":  # it may be for embeddings alone
            raise


def _refuse_idle(targets: tuple[Target, ...]) -> None:
    if not any(target.weight > 0 for target in targets):
        raise BadInput("Every target has the weight 0, so none is ever asked.", param="targets", code="invalid_value")
