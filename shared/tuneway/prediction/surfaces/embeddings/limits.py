"""What an embedding model takes in one call, as data: one row a family, in ``limits.json`` beside this file."""

import re
from importlib.resources import files

import msgspec

from tuneway.routing.routes import Target


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inputs and characters a call; ``dimensions`` is false where the length of a vector cannot be chosen."""

    pattern: str
    source: str
    inputs: int = 1
    characters: int = 1_000_000
    dimensions: bool = True


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    families: list[Limits]


_UNKNOWN = Limits(pattern="", source="one input a call is what every host takes")
_FAMILIES = msgspec.json.decode(
    files("tuneway.prediction.surfaces.embeddings").joinpath("limits.json").read_bytes(), type=_Table
).families


def limits_of(target: Target) -> Limits:
    """The first row whose pattern the served name holds."""
    name = target.model or target.resource.rpartition("/")[2]
    return next((row for row in _FAMILIES if re.search(row.pattern, name)), _UNKNOWN)
