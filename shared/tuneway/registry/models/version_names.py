"""Names that are versions' aliases: ``shop@prod``, and ``shop`` alone for the default version of that model."""

from typing import NamedTuple

import msgspec

from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.naming import DEFAULT, NAME
from tuneway.registry.shelves import Model
from tuneway.routing.routes import Route


class VersionName(msgspec.Struct, frozen=True, kw_only=True):
    """The model, and the alias of its versions that the name calls, whether a version has it yet or not."""

    model: Model
    alias: str


class Read(NamedTuple):
    """What a model is ``called``, and the alias of its version."""

    called: str
    alias: str


def read_name(name: str) -> Read:
    """The parts of a name that may be a version's; without an alias it is the default one's."""
    called, at, alias = name.rpartition("@")
    return Read(called, alias) if at else Read(name, DEFAULT)


def version_name(shelf: ModelShelf, name: str) -> VersionName | None:
    """What the name calls in the registry; None where no registered model is called so."""
    if "@" not in name and NAME.fullmatch(name) is None:
        return None
    called, alias = read_name(name)
    found = [each.value for each in shelf.models.find(("name", "==", called))]
    return VersionName(model=found[0], alias=alias) if found else None


def off_the_record(shelf: ModelShelf, route: Route, there: Route | None) -> VersionName | None:
    """The alias that would say one version while its name calls another, were ``route`` in the place of ``there``."""
    same = there is not None and there.targets == route.targets
    return None if same else version_name(shelf, route.alias)
