"""How models that fill in the middle want to be told so, as data: one row a family, in ``templates.json``.

A target's ``profile`` names its family; without it the family follows from the served name.
"""

import re
from importlib.resources import files

import msgspec

from tuneway.prediction.dialects.openai.servers import served_name
from tuneway.routing.routes import Target


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words around prompt and suffix, and those that end the middle; ``pattern`` finds the family by name."""

    source: str
    pattern: str
    before: str
    between: str
    after: str
    stop: list[str]
    suffix_first: bool = False

    def filled(self, prompt: str, suffix: str) -> str:
        """The prompt that asks for what stands between ``prompt`` and ``suffix``."""
        first, second = (suffix, prompt) if self.suffix_first else (prompt, suffix)
        return f"{self.before}{first}{self.between}{second}{self.after}"


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    families: dict[str, Template]


TEMPLATES = msgspec.json.decode(
    files("tuneway.prediction.surfaces.completions").joinpath("templates.json").read_bytes(), type=_Table
).families


def template_of(target: Target) -> Template | None:
    """The template of a target's model; None where the family is not known."""
    if found := TEMPLATES.get(target.profile or ""):
        return found
    name = served_name(target)
    return next((row for row in TEMPLATES.values() if re.search(row.pattern, name, re.IGNORECASE)), None)
