"""Have version aliases follow their names: a canary or a person may lead those to another version, too.

A name such as ``shop@prod`` is a route, and ``prod`` an alias of the registry. What changes where the one leads moves
the other in the same commit, so that neither says what the other does not.
"""

from collections.abc import Sequence

import msgspec

from tuneway.ports import Write
from tuneway.registry.models.model_desk import pointed
from tuneway.registry.models.model_shelf import ModelShelf, names_of, owns
from tuneway.registry.models.version_names import VersionName, read_name, version_name
from tuneway.registry.naming import DEFAULT
from tuneway.registry.shelves import Model, Version
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot
from tuneway.state import Stored


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the commit that leads a route elsewhere: ``writes``, and the alias's other ``names``."""

    writes: tuple[Write, ...] = ()
    names: tuple[str, ...] = ()


def followed(shelf: ModelShelf, route: Route, targets: Sequence[Target], *, by: str) -> Followed:
    """The alias's move when ``route`` is its name and is to lead to ``targets``.

    Nothing moves where the route is no alias's name, or asks first what is none of the model's versions, or several.
    """
    alias = read_name(route.alias).alias
    stored = _named_by(shelf, route, alias)
    if stored is None:
        return Followed()
    number = _number(shelf, stored.value, _asked_first(targets), now=stored.value.aliases[alias])
    return Followed() if number is None else _moved(shelf, stored, alias, number=number, route=route, by=by)


def unnamed(shelf: ModelShelf, route: Route, *, by: str) -> tuple[Write, ...]:
    """The alias's end when its name is taken away. The default one stays: a model always has it, called so or not."""
    alias = read_name(route.alias).alias
    stored = _named_by(shelf, route, alias) if alias != DEFAULT else None
    if stored is None:
        return ()
    return (shelf.models.replace(stored, pointed(stored.value, alias, None, by=by, at=shelf.now())),)


def astray(shelf: ModelShelf, route: Route) -> tuple[VersionName, str] | None:
    """The alias of a version that ``route`` is the name of and does not lead to, and that version's number."""
    named = version_name(shelf, route.alias)
    number = named.model.aliases.get(named.alias) if named else None
    if named is None or number is None:
        return None
    version = shelf.versions(named.model.id).known(number)
    if version is not None and _answers(shelf, named.model, version.value) == _asked_first(route.targets):
        return None
    return named, number


def led_along(snapshot: Snapshot, along: Followed, *, before: Sequence[Target], after: Sequence[Target]) -> Snapshot:
    """The snapshot with the alias's other names led there, too; one that leads elsewhere by somebody's hand stays."""
    for name in along.names:
        there = snapshot.routes.get(name)
        if there is not None and there.trial is None and there.targets == tuple(before):
            snapshot = snapshot.with_route(msgspec.structs.replace(there, targets=tuple(after)))
    return snapshot


def _named_by(shelf: ModelShelf, route: Route, alias: str) -> Stored[Model] | None:
    """The model whose version has that ``alias``, where the route is its name and its owner's."""
    for stored in shelf.models.find(("name", "==", read_name(route.alias).called)):
        model = stored.value
        if alias in model.aliases and route.alias in names_of(model, alias) and owns(model, route):
            return stored
    return None


def _moved(shelf: ModelShelf, stored: Stored[Model], alias: str, *, number: str, route: Route, by: str) -> Followed:
    after = pointed(stored.value, alias, number, by=by, at=shelf.now())
    others = [name for name in names_of(after, alias) if name != route.alias]
    return Followed(writes=(shelf.models.replace(stored, after),), names=tuple(others))


def _number(shelf: ModelShelf, model: Model, asked: set[str], *, now: str) -> str | None:
    """The version that answers there, the newest of several; None where none does, or the one that has it ``now``."""
    found = [each.number for each in shelf.all_versions(model.id) if _answers(shelf, model, each) == asked]
    return None if now in found or not found else found[-1]


def _answers(shelf: ModelShelf, model: Model, version: Version) -> set[str]:
    return {_spot(target) for target in shelf.targets(model, version)}


def _asked_first(targets: Sequence[Target]) -> set[str]:
    asked = [target for target in targets if target.weight > 0]
    first = min((target.order for target in asked), default=0)
    return {_spot(target) for target in asked if target.order == first}


def _spot(target: Target) -> str:
    """The same model at two addresses is two places."""
    return f"{place_of(target)} {target.base_url or ''}"
