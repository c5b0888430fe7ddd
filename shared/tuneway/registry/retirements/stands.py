"""What stands on which base model: versions of registered models, and routes that lead to a base itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.registry.hosting.answering import target_of
from tuneway.registry.inventory import Inventory
from tuneway.registry.models.model_shelf import ModelShelf, names_of
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.names import shown
from tuneway.routing.places import place_at, place_of
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current

Kind = Literal["model", "base_model"]
# Bedrock's inference profiles put the part of the world before a model's id.
_PROFILE = re.compile(r"^(?:us|us-gov|eu|apac|jp|au|ca|global)\.(?=[a-z0-9-]+\.)")


class Led(msgspec.Struct, frozen=True, kw_only=True):
    """A route that leads there. ``whole`` is True when none of its targets is another's.

    ``falls_back_to`` are its other targets and its fallbacks, ``fallback_of`` the routes that fall back to it.
    """

    route: str
    whole: bool
    falls_back_to: tuple[str, ...] = ()
    fallback_of: tuple[str, ...] = ()


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on ``base``: the versions of a model, or, for ``base_model``, routes alone.

    ``stops`` is False where weights of its own go on answering when the base is gone.
    """

    kind: Kind
    id: str
    base: str
    routes: tuple[Led, ...]
    owner: str | None = None
    versions: tuple[Version, ...] = ()
    aliases: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    stops: bool = True


def stands(shelf: ModelShelf, *, owner: str | None) -> list[Stand]:
    """All of the owner's, of everybody's where that is None; a base's own routes are those that may be seen."""
    inventory = Inventory(shelf.documents)
    routes = {name: route for name, route in current(shelf.documents).routes.items() if _seen(route, owner)}
    deployed = inventory.deployments(owner=owner)
    kept = [(model, shelf.all_versions(model.id)) for model in inventory.models(owner=owner) if model.state != "gone"]
    copied = {(model.owner, version.copy_of) for model, versions in kept for version in versions}
    found: list[Stand] = []
    for model, versions in kept:
        # What a model of a name has as a version of its own is told of there, and not a second time.
        own = [each for each in versions if (model.owner, f"{model.id}@{each.number}") not in copied]
        found += _of_model(model, own, deployed=deployed, routes=routes)
    return [*found, *_of_bases(routes)]


def _seen(route: Route, owner: str | None) -> bool:
    return owner is None or route.owner in {None, owner}


def _of_model(
    model: Model, versions: Iterable[Version], *, deployed: Sequence[Deployment], routes: Mapping[str, Route]
) -> list[Stand]:
    by_base: dict[str, list[Version]] = {}
    for version in versions:
        if version.state != "gone" and (base := _base_of(version, model)):
            by_base.setdefault(base, []).append(version)
    return [_stand(model, base, group, deployed=deployed, routes=routes) for base, group in by_base.items()]


def _stand(
    model: Model, base: str, versions: Sequence[Version], *, deployed: Sequence[Deployment], routes: Mapping[str, Route]
) -> Stand:
    own = [each for each in deployed if _is_of(each, model, versions) and each.endpoint]
    numbers = {version.number for version in versions}
    return Stand(
        kind="model",
        id=model.id,
        owner=model.owner,
        base=base,
        versions=tuple(versions),
        aliases=tuple(_called(model, numbers)),
        routes=tuple(_led(routes, _places(versions, own))),
        deployments=tuple(each.id for each in own if each.order is not None),
        stops=any(version.weights is None or version.backend == "bedrock" for version in versions),
    )


def _base_of(version: Version, model: Model) -> str | None:
    """The base as the catalogue is to be asked for it; of what is served elsewhere, the model that is called there."""
    if version.targets:
        return base_of(version.targets[0])
    name = version.base_model or model.base_model
    return f"{'bedrock' if version.backend == 'bedrock' else 'vertex_ai'}/{name}" if name else None


def base_of(target: Target) -> str | None:
    """The base model that the target calls itself, as the catalogue is to be asked for it; None for any other."""
    if target.provider == "vertex" and "/publishers/" in target.resource:
        return f"vertex_ai/{target.resource.rpartition('/models/')[2]}"
    if target.provider == "bedrock" and ":custom-model" not in target.model:
        return f"bedrock/{_PROFILE.sub('', target.model)}"
    return None


def _is_of(deployment: Deployment, model: Model, versions: Sequence[Version]) -> bool:
    copied = {version.copy_of for version in versions} - {None}
    named = f"{deployment.model}@{deployment.version}"
    own = deployment.model == model.id and deployment.version in {version.number for version in versions}
    return own or named in copied


def _called(model: Model, numbers: set[str]) -> Iterable[str]:
    for alias, number in sorted(model.aliases.items()):
        if number in numbers:
            with suppress(BadInput):  # a name that is too long calls nothing
                yield names_of(model, alias)[0]


def _places(versions: Iterable[Version], deployed: Iterable[Deployment]) -> set[str]:
    ends = [end for version in versions for end in (version.endpoint, *(each.endpoint for each in version.checkpoints))]
    targets = [target for version in versions for target in version.targets]
    found = {place_at(end) or f"bedrock/{end}" for end in ends if end}
    return found | {place_of(target) for target in (*targets, *map(target_of, deployed))}


def _led(routes: Mapping[str, Route], places: set[str]) -> Iterable[Led]:
    for name, route in sorted(routes.items()):
        left = [target for target in route.targets if place_of(target) not in places]
        if len(left) < len(route.targets):
            yield Led(
                route=name,
                whole=not left,
                falls_back_to=(*(shown(target) for target in left), *route.fallbacks),
                fallback_of=tuple(sorted(other for other, each in routes.items() if name in _fallbacks(each))),
            )


def _fallbacks(route: Route) -> frozenset[str]:
    return frozenset((*route.fallbacks, *route.context_fallbacks, *route.content_fallbacks))


def _of_bases(routes: Mapping[str, Route]) -> list[Stand]:
    places: dict[str, set[str]] = {}
    for route in routes.values():
        for target in route.targets:
            if (base := base_of(target)) is not None:
                places.setdefault(base, set()).add(place_of(target))
    return [
        Stand(kind="base_model", id=base.partition("/")[2], base=base, routes=tuple(_led(routes, there)))
        for base, there in sorted(places.items())
    ]
