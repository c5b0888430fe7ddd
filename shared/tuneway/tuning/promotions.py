"""A second name for a job's model: the alias it was promoted to, and what came of that."""

import re
from typing import Literal

import msgspec

from tuneway.errors import BadInput

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


class JobPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """The alias that the model shall answer under as well: ``asked`` until the registry has decided."""

    alias: str
    state: Literal["asked", "done", "refused"] = "asked"
    message: str | None = None


def check_alias(alias: str, *, param: str) -> None:
    """Whether a model may be promoted to that name. Raises BadInput."""
    if not ALIAS.fullmatch(alias) or alias.isdigit():
        said = f"'{alias[:130]}' cannot be an alias: 1 to 128 letters, digits and '._@-', not digits alone."
        raise BadInput(said, param=param, code="invalid_value")
