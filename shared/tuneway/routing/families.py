"""Which family a target's model is of, wherever it is served, and the prompts that a route keeps for each.

Claude is ``anthropic`` at Anthropic, on Vertex AI, in Bedrock and in Foundry alike: the model's own name says it.
Where a name says nothing (a deployment of Azure, an endpoint) the target's ``family`` does, or its dialect. A family
may stand ``within`` another: what is not written for Codestral is taken from Mistral.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files

import msgspec

from tuneway.routing.routes import Dialect, Prompt, Target

DEFAULT = "default"
_BY_DIALECT: dict[Dialect, str] = {"anthropic": "anthropic", "gemini": "gemini"}


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row; of two whose patterns fit, the first counts."""

    name: str
    patterns: tuple[str, ...]
    within: str | None = None


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    source: str
    families: tuple[Family, ...]


_ROWS = msgspec.json.decode(files("tuneway.routing").joinpath("families.json").read_bytes(), type=_Table).families
FAMILIES: Mapping[str, Family] = {row.name: row for row in _ROWS}


@lru_cache(maxsize=4096)
def family_of(target: Target) -> str | None:
    """The family by the target's word, its model's name, or its dialect; None where nothing says it."""
    if target.family is not None:
        return target.family
    name = (target.model or target.resource.rpartition("/")[2]).lower()
    fits = (row.name for row in _ROWS if any(fnmatchcase(name, pattern) for pattern in row.patterns))
    return next(fits, None) or _BY_DIALECT.get(target.dialect)


def prompt_for(prompts: Mapping[str, Prompt], target: Target) -> tuple[str, Prompt] | None:
    """The prompt that a route keeps for a target, under the family it was written for; None where it keeps none."""
    name = family_of(target)
    while name is not None:
        if name in prompts:
            return name, prompts[name]
        row = FAMILIES.get(name)
        name = None if row is None else row.within
    return (DEFAULT, prompts[DEFAULT]) if DEFAULT in prompts else None
