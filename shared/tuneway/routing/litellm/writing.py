"""Routes as a LiteLLM configuration, which LiteLLM itself can read.

What LiteLLM has no word for stands under ``model_info.tuneway``, so that an import gives back what was exported: it
holds exactly the fields in which the reading of the rest would differ.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import Endpoint, PublisherModel, parse
from tuneway.routing.litellm.entry import Entry
from tuneway.routing.litellm.grouping import OF_A_ROUTE, route_of
from tuneway.routing.litellm.models import MOST_ORDER, MOST_WEIGHT, Draft
from tuneway.routing.litellm.providers import SPOKEN
from tuneway.routing.litellm.report import REFERENCE, Notes
from tuneway.routing.litellm.settings import KINDS, LEAST, MOST_RETRIES, SECONDS, Ways
from tuneway.routing.litellm.targets import target_in
from tuneway.routing.routes import Route, Target
from tuneway.routing.targets import Defaults
from tuneway.routing.vendors import VENDORS

_RESOURCE = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<rest>.+)")
RESTS = Route(alias="", targets=(), created_at=0.0).cooldown
_UNSAID: dict[str, object] = {"model": "openai/unsaid"}
_VENDORS = {row.base_url: name for name, row in VENDORS.items() if row.provider == "openai"}


def exported(routes: Iterable[Route]) -> dict[str, object]:
    """The configuration, in JSON's types. ``created_at`` is not in it: an import is a change of its own day."""
    many = list(routes)
    rows = [row for route in many for row in _rows(route)]
    fallbacks = {
        name: [{route.alias: list(named)} for route in many if (named := getattr(route, kind))]
        for name, kind in KINDS.items()
    }
    settings = {name: links for name, links in fallbacks.items() if links}
    return {"model_list": rows, **({"router_settings": settings} if settings else {})}


def _rows(route: Route) -> list[dict[str, object]]:
    said = [_said(target) for target in route.targets]
    params = [{**given, **_ways(route)} for given, _ in said]
    read = [plain for _, plain in said]
    own: list[dict[str, object]] = [
        {"target": _different(target, plain)} if _different(target, plain) else {}
        for target, plain in zip(route.targets, read, strict=True)
    ]
    if own and (rest := _unsaid(route)):
        own[0] = {**own[0], "route": rest}
    return [
        {"model_name": route.alias, "litellm_params": given, "model_info": {"tuneway": more}}
        for given, more in zip(params, own, strict=True)
    ]


def _ways(route: Route) -> dict[str, object]:
    limits = route.timeouts
    said = {"timeout": limits.total, "stream_timeout": limits.first, "max_retries": route.retries or None}
    most = {"timeout": SECONDS, "stream_timeout": SECONDS, "max_retries": MOST_RETRIES}
    found: dict[str, object] = {
        name: value for name, value in said.items() if value is not None and LEAST <= value <= most[name]
    }
    if route.cooldown != RESTS and 0 <= route.cooldown <= SECONDS:
        found["cooldown_time"] = route.cooldown
    return found


def _unsaid(route: Route) -> dict[str, object]:
    """What the entries' own words would not make of the route."""
    said = _ways(route)
    told = Draft(
        alias=route.alias,
        path="",
        target=route.targets[0],
        retries=route.retries if "max_retries" in said else None,
        total=route.timeouts.total if "timeout" in said else None,
        first=route.timeouts.first if "stream_timeout" in said else None,
        cooldown=route.cooldown if "cooldown_time" in said else None,
        own={},
    )
    plain = route_of([told], Ways(), Notes())
    return {name: _plain(getattr(route, name)) for name in OF_A_ROUTE if getattr(route, name) != getattr(plain, name)}


def _said(target: Target) -> tuple[dict[str, object], Target]:
    """LiteLLM's words, and what they alone are read as; a target for which it has none is told whole beside others."""
    params = _params(target)
    plain = _read(params)
    return (params, plain) if plain is not None else (_UNSAID, _read(_UNSAID) or Target())


def _read(params: Mapping[str, object]) -> Target | None:
    entry = Entry("", params, Notes(), environment={})
    found = target_in(entry, Defaults(), settle=lambda target, _: target, exact=True)
    if found is None or not entry.whole():
        return None
    weight, order = params.get("weight", 1.0), params.get("order", 0)
    return msgspec.structs.replace(
        found,
        weight=weight if isinstance(weight, int | float) else 1.0,
        order=order if isinstance(order, int) else 0,
    )


def _different(target: Target, plain: Target) -> dict[str, object]:
    wanted, found = msgspec.structs.asdict(target), msgspec.structs.asdict(plain)
    return {name: _plain(value) for name, value in wanted.items() if value != found[name]}


def _plain(value: object) -> object:
    """In JSON's types, so that YAML can be written of it as well."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _params(target: Target) -> dict[str, object]:
    said: dict[str, object] = {
        **(_vertex(target) if target.provider == "vertex" else _hosted(target)),
        "weight": target.weight if 0 <= target.weight <= MOST_WEIGHT else None,
        "order": target.order if 0 < target.order <= MOST_ORDER else None,
        "additional_drop_params": list(target.drop_params) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _hosted(target: Target) -> dict[str, object]:
    vendor = _VENDORS.get(target.base_url, "openai") if target.provider == "openai" else target.provider
    region = "aws_region_name" if target.provider == "bedrock" else None
    secret = target.secret or ""
    model = f"invoke/{target.model}" if (target.provider, target.dialect) == ("bedrock", "anthropic") else target.model
    return {
        "model": f"{SPOKEN.get(vendor, vendor)}/{model}",
        "api_base": target.base_url,
        "api_key": REFERENCE + secret.removeprefix("env:") if secret.startswith("env:") else None,
        "api_version": target.api_version,
        **({region: target.region} if region else {}),
    }


def _vertex(target: Target) -> dict[str, object]:
    found = _RESOURCE.fullmatch(target.resource)
    if found is None:
        return {"model": f"vertex_ai/{target.resource or 'none'}"}
    return {
        "model": f"vertex_ai/{_short(found['rest'].split('/'), target)}",
        "vertex_project": found["project"],
        "vertex_location": found["location"],
        "api_base": f"https://{target.host}" if (target.host or "").endswith(".prediction.vertexai.goog") else None,
    }


def _short(parts: Sequence[str], target: Target) -> str:
    """The name that LiteLLM has for it."""
    match parts:
        case ["endpoints", id_] if target.dialect in {"gemini", "openai"} and id_.isdecimal():
            return f"{target.dialect}/{id_}"
        case ["endpoints", id_] if id_.isdecimal():
            return id_
        case ["publishers", publisher, "models", name]:
            return (
                name
                if _is(f"vertex_ai/{name}", PublisherModel(publisher=publisher, model=name))
                else f"{publisher}/{name}"
            )
        case _:
            return "/".join(parts)


def _is(name: str, wanted: PublisherModel | Endpoint) -> bool:
    try:
        return parse(name) == wanted
    except BadInput:
        return False
