"""The catalogue of base models: dated, sourced data about what can be tuned, where, within which limits, for how much.

The figures stand in ``catalogue.json`` beside this file; a user's own file goes over it with ``merged``. A new family
or another cloud's models are new rows there, not code here.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.datasets.limits import DatasetLimits

_NAME = re.compile(
    r"^(?:vertex_ai/)?(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/models/)?(?P<name>[^\s]+)$"
)
_SHOWN = 100


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``low`` to ``high``, both included."""

    low: float
    high: float


class Ranges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What hyperparameters may be. ``auto_epochs`` is what an estimate assumes when the provider chooses."""

    epochs: Range
    learning_rate_multiplier: Range
    adapter_sizes: tuple[int, ...]
    auto_epochs: int
    source: str
    auto_epochs_source: str


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD for a million training tokens of ``model``, as ``source`` said on ``as_of``; every epoch counts anew."""

    usd_per_million_tokens: float
    model: str
    source: str
    as_of: date
    verified: bool = False


class BaseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One base model.

    ``price`` is None when none is published; ``stand_in`` is then the last published price of its family, which is
    never the price of this model. ``retired_on`` is the first day on which it can no longer be tuned.
    """

    name: str
    family: str
    backend: str
    methods: tuple[str, ...]
    tuning_locations: tuple[str, ...]
    serving_locations: tuple[str, ...]
    ranges: Ranges
    limits: DatasetLimits
    source: str
    verified: bool = False
    other_names: tuple[str, ...] = ()
    price: Price | None = None
    stand_in: Price | None = None
    retired_on: date | None = None
    retired_source: str | None = None
    successor: str | None = None
    notes: tuple[str, ...] = ()

    def retired(self, today: date) -> bool:
        """True from the day of retirement on."""
        return self.retired_on is not None and self.retired_on <= today


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All base models known on ``as_of``."""

    as_of: date
    models: tuple[BaseModel, ...]

    def base(self, name: str, *, today: date) -> BaseModel:
        """The base model that ``name`` means.

        Takes ``gemini-…``, ``vertex_ai/gemini-…``, ``publishers/google/models/gemini-…`` and the full resource name.
        Raises BadInput (``model``): model_not_found with the tunable ones, model_retired with the date and successor.
        """
        found = self._named(name)
        if found is None:
            raise BadInput(
                f"'{name[:_SHOWN]}' is no base model that can be tuned. Use one of: {self._offer(today)}.",
                param="model",
                code="model_not_found",
            )
        if found.retired(today):
            instead = found.successor or f"one of: {self._offer(today)}"
            raise BadInput(
                f"The base model '{found.name}' was retired on {found.retired_on}. Use {instead}.",
                param="model",
                code="model_retired",
            )
        return found

    def tunable(self, today: date) -> tuple[BaseModel, ...]:
        """The base models that can be tuned today."""
        return tuple(model for model in self.models if not model.retired(today))

    def merged(self, override: bytes | str) -> "Catalogue":
        """The catalogue with a user's JSON file over it: rows by name, and in them field by field.

        ``{"models": [{"name": "gemini-3.5-flash", "price": {…}}]}`` sets a price; a row of a new name must be whole.
        Raises BadInput (``catalogue``).
        """
        try:
            changes = msgspec.json.decode(override, type=_Changes)
            return msgspec.convert(_over(msgspec.to_builtins(self), changes), Catalogue)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = f"The catalogue file cannot be used: {error}. Write it as {{'models': [{{'name': …, …}}]}}."
            raise BadInput(said, param="catalogue", code="invalid_catalogue") from error

    def _named(self, name: str) -> BaseModel | None:
        match = _NAME.match(name)
        wanted = match["name"] if match else name
        return next((model for model in self.models if wanted in (model.name, *model.other_names)), None)

    def _offer(self, today: date) -> str:
        return ", ".join(model.name for model in self.tunable(today)) or "none"


class _Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: list[dict[str, object]] = []
    as_of: date | None = None


class _Plain(msgspec.Struct, frozen=True):
    """A catalogue in JSON types."""

    as_of: str
    models: list[dict[str, object]]


@cache
def load() -> Catalogue:
    """The catalogue that comes with this version of tuneway."""
    return msgspec.json.decode(files("tuneway.tuning").joinpath("catalogue.json").read_bytes(), type=Catalogue)


def _over(catalogue: object, changes: _Changes) -> dict[str, object]:
    plain = msgspec.convert(catalogue, _Plain)
    rows = {str(row["name"]): row for row in plain.models}
    for change in changes.models:
        name = str(change.get("name", ""))
        rows = {**rows, name: _laid_over(rows.get(name, {}), change)}
    return {"as_of": str(changes.as_of or plain.as_of), "models": list(rows.values())}


def _laid_over(row: Mapping[str, object], change: Mapping[str, object]) -> dict[str, object]:
    return {**row, **{key: _field(row.get(key), value) for key, value in change.items()}}


def _field(before: object, after: object) -> object:
    if isinstance(before, dict) and isinstance(after, dict):
        return _laid_over(msgspec.convert(before, dict[str, object]), msgspec.convert(after, dict[str, object]))
    return after
