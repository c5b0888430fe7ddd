"""Hyperparameters in Bedrock's words: which family of base models takes which, by the dated file beside this one."""

from functools import cache
from importlib.resources import files

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import TuningRequest

FIELDS = (
    "epochs",
    "learning_rate_multiplier",
    "learning_rate",
    "adapter_size",
    "batch_size",
    "warmup_steps",
    "weight_decay",
    "beta",
)


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bedrock's names by ours, for the base models whose id begins with ``models``."""

    models: str
    names: dict[str, str]
    source: str


class _Families(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: str
    families: tuple[Family, ...]


def hyperparameters(request: TuningRequest) -> dict[str, str]:
    """Those that were chosen, each as text. Raises BadInput for one that the base model does not take."""
    names = _names(request.base_model)
    given: dict[str, int | float | None] = {field: getattr(request, field) for field in FIELDS}
    chosen = {field: value for field, value in given.items() if value is not None}
    for field in chosen:
        if field not in names:
            taken = ", ".join(names) or "none"
            said = f"'{request.base_model}' takes no '{field}' on Bedrock. It takes {taken}; leave out the rest."
            raise BadInput(said, param=f"hyperparameters.{field}", code="unsupported_parameter")
    return {names[field]: _written(value) for field, value in chosen.items()}


def _names(base_model: str) -> dict[str, str]:
    """None for a family that is not known: nothing may be dropped in silence."""
    name = base_model.rpartition("/")[2]
    none: dict[str, str] = {}
    return next((family.names for family in families() if name.startswith(family.models)), none)


def _written(value: float) -> str:
    """Plain figures: Bedrock's own examples write 0.00001, never 1e-05."""
    return str(value) if isinstance(value, int) else f"{value:.12f}".rstrip("0").rstrip(".")


@cache
def families() -> tuple[Family, ...]:
    """All that are known."""
    found = files("tuneway.adapters").joinpath("bedrock_hyperparameters.json")
    return msgspec.json.decode(found.read_bytes(), type=_Families).families
