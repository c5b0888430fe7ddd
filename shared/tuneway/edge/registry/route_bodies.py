"""The body of a route: what a caller may say of it, and the route that comes of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.edge.bodies import decoded
from tuneway.errors import BadInput
from tuneway.routing.routes import Dialect, Limits, Prompt, Route, Target
from tuneway.routing.targets import Defaults, Place

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
MOST_TARGETS = 64


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
    family: str | None = None


class PutPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands around a caller's words, for the models of one family."""

    system: str | None = None
    user: str | None = None
    completion: str | None = None


class PutLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds."""

    total: Seconds | None = None
    first: Seconds | None = None
    between: Seconds | None = None


class PutRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a route. One target alone may stand in it without its list: ``{"identifier": …, "owner": …}``.

    ``version`` is the one that the change is meant for, as ``If-Match`` is; it is not one that the route gets.
    """

    targets: Annotated[tuple[PutTarget, ...], Meta(min_length=1, max_length=MOST_TARGETS)]
    owner: str | None = None
    fallbacks: tuple[str, ...] = ()
    context_fallbacks: tuple[str, ...] = ()
    content_fallbacks: tuple[str, ...] = ()
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    timeouts: PutLimits = PutLimits()
    cooldown: Annotated[float, Meta(ge=0, le=86_400)] = 30.0
    log_prompts: bool = False
    prompts: dict[str, PutPrompt] = {}
    version: Annotated[int, Meta(ge=0)] | None = None


_OF_A_TARGET = frozenset(PutTarget.__struct_fields__)
_ONE = "targets[0]."


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


def route_of(alias: str, targets: tuple[Target, ...], plan: PutRoute) -> Route:
    """The route that a body asks for, with its targets found."""
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
        prompts={
            family: Prompt(system=one.system, user=one.user, completion=one.completion)
            for family, one in plan.prompts.items()
        },
    )


def over(defaults: Defaults, given: PutTarget) -> Defaults:
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


def completed(target: Target, given: PutTarget) -> Target:
    """The target with what the body says of it over what its identifier does."""
    return msgspec.structs.replace(
        target,
        dialect=given.dialect or target.dialect,
        host=given.host or target.host,
        raw=given.raw,
        api_version=given.api_version or target.api_version,
        profile=given.profile,
        drop_params=given.drop_params,
        family=given.family,
        weight=given.weight,
        order=given.order,
    )
