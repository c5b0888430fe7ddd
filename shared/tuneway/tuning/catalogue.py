"""The catalogue of base models: dated, sourced data about what can be tuned, where, within which limits, for how much.

The figures stand in the files ``catalogue.*.json`` beside this one, a family each; a user's own file goes over them
with ``merged``. A new family or another cloud's models are new rows there, not code here.
"""

import difflib
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.bases import BaseModel as BaseModel
from tuneway.tuning.bases import Price as Price
from tuneway.tuning.bases import Range as Range
from tuneway.tuning.bases import Ranges as Ranges
from tuneway.tuning.bases import Standing

FAMILIES = ("gemini", "gemma", "llama", "qwen", "mistral", "claude", "nova")
EVERYBODY = "*"
LISTED = "GET /v1/fine_tuning/base_models"
_NAME = re.compile(
    r"^(?:(?P<cloud>vertex_ai|bedrock)/)?(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/models/)?"
    r"(?:arn:[^/]+:foundation-model/)?(?P<name>[^\s]+)$"
)
_CODES = {
    Standing.RETIRED: "model_retired",
    Standing.TUNING_ENDED: "model_retired",
    Standing.NOT_TUNABLE: "model_not_tunable",
}
_SHOWN = 100
_OFFERED = 3


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All base models known on ``as_of``; ``allow_retired`` names the owners who may try retired ones all the same."""

    as_of: date
    models: tuple[BaseModel, ...]
    allow_retired: tuple[str, ...] = ()

    def base(self, name: str, *, today: date, owner: str | None = None) -> BaseModel:
        """The base model that ``name`` means, if ``owner`` may tune it today.

        Takes ``gemini-…``, ``vertex_ai/gemini-…``, ``bedrock/…``, ``publishers/google/models/gemini-…`` and the full
        resource name. Raises BadInput (``model``): model_not_found with some tunable ones, model_retired with the
        date and successor, model_not_tunable with the reason.
        """
        found = self.named(name, today=today)
        standing = found.standing(today)
        if standing is Standing.TUNABLE or self._let_through(found, owner):
            return found
        untunable = found.untunable is not None and self._allows(owner)
        code = _CODES[Standing.NOT_TUNABLE if untunable else standing]
        raise BadInput(f"{found.reason(today)} Use {self._instead(found, today)}.", param="model", code=code)

    def named(self, name: str, *, today: date) -> BaseModel:
        """The row that ``name`` means, tunable or not. Raises BadInput (``model``): model_not_found.

        Where clouds share a name, the one that can be tuned today is meant.
        """
        found = self._named(name, today)
        if found is None:
            said = f"'{name[:_SHOWN]}' is no base model that can be tuned. Use {self._like(name, today)}."
            raise BadInput(said, param="model", code="model_not_found")
        return found

    def tunable(self, today: date) -> tuple[BaseModel, ...]:
        """The base models that can be tuned today."""
        return tuple(model for model in self.models if model.standing(today) is Standing.TUNABLE)

    def merged(self, override: bytes | str) -> "Catalogue":
        """The catalogue with a user's JSON file over it: rows by name, and in them field by field.

        ``{"models": [{"name": "gemini-3.5-flash", "price": {…}}]}`` sets a price, ``null`` takes a field away; a row
        of a new name must be whole. Raises BadInput (``catalogue``).
        """
        try:
            changes = msgspec.json.decode(override, type=_Changes)
            after = msgspec.convert(_over(msgspec.to_builtins(self), changes), Catalogue)
            return msgspec.structs.replace(after, allow_retired=self.allow_retired)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = f"The catalogue file cannot be used: {error}. Write it as {{'models': [{{'name': …, …}}]}}."
            raise BadInput(said, param="catalogue", code="invalid_catalogue") from error

    def allowing(self, owners: str) -> "Catalogue":
        """The catalogue that lets ``owners`` try retired models: a JSON list of names, or ``*`` for everybody.

        Raises BadInput (``TUNEWAY_ALLOW_RETIRED``).
        """
        if owners.strip() == EVERYBODY:
            return msgspec.structs.replace(self, allow_retired=(EVERYBODY,))
        try:
            return msgspec.structs.replace(self, allow_retired=msgspec.json.decode(owners, type=tuple[str, ...]))
        except msgspec.DecodeError as error:
            said = f'The owners who may tune retired models are no list: {error}. Write ["owner", …] or *.'
            raise BadInput(said, param="TUNEWAY_ALLOW_RETIRED", code="invalid_setting") from error

    def _allows(self, owner: str | None) -> bool:
        return EVERYBODY in self.allow_retired or owner in self.allow_retired

    def _let_through(self, found: BaseModel, owner: str | None) -> bool:
        """What nobody can tune has nowhere to be sent to; an allowance does not change that."""
        return found.untunable is None and self._allows(owner)

    def _named(self, name: str, today: date) -> BaseModel | None:
        match = _NAME.match(name)
        if match is None:
            return None
        wanted, cloud = match["name"].lower(), match["cloud"]
        called = [model for model in self.models if wanted in model.names and cloud in {None, model.cloud}]
        return min(called, key=lambda model: _rank(model, wanted, today), default=None)

    def _instead(self, found: BaseModel, today: date) -> str:
        tunable = {model.name: model for model in self.tunable(today)}
        if found.successor in tunable:
            return found.successor
        kin = [model.name for model in tunable.values() if model.family == found.family]
        return _offer(kin or list(tunable))

    def _like(self, name: str, today: date) -> str:
        """Those whose names look like it, else the first ones."""
        tunable = {called: model.name for model in self.tunable(today) for called in model.names}
        close = difflib.get_close_matches(name[:_SHOWN].lower(), tunable, n=_OFFERED, cutoff=0.7)
        return _offer(list(dict.fromkeys(tunable[each] for each in close)) or [m.name for m in self.tunable(today)])


class _Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: list[dict[str, object]] = []
    as_of: date | None = None


class _Plain(msgspec.Struct, frozen=True):
    """A catalogue in JSON types."""

    as_of: str
    models: list[dict[str, object]]


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the catalogue: every row lies over the group it names, and that over ``every``."""

    as_of: date
    every: dict[str, object]
    groups: dict[str, dict[str, object]]
    models: list[dict[str, object]]


@cache
def load() -> Catalogue:
    """The catalogue that comes with this version of tuneway."""
    read = [_read(family) for family in FAMILIES]
    rows = tuple(row for _, family in read for row in family)
    return Catalogue(as_of=max(as_of for as_of, _ in read), models=rows)


def _read(family: str) -> tuple[date, list[BaseModel]]:
    body = files("tuneway.tuning").joinpath(f"catalogue.{family}.json").read_bytes()
    file = msgspec.json.decode(body, type=_Family)
    return file.as_of, [msgspec.convert(_whole(row, file), BaseModel) for row in file.models]


def _whole(row: Mapping[str, object], file: _Family) -> dict[str, object]:
    group = file.groups[str(row["group"])]
    return _laid_over(_laid_over(file.every, group), {key: value for key, value in row.items() if key != "group"})


def _rank(model: BaseModel, wanted: str, today: date) -> tuple[bool, bool]:
    """Its own id before a name it shares, what can be tuned before what cannot."""
    return model.name.lower() != wanted, model.standing(today) is not Standing.TUNABLE


def _offer(names: list[str]) -> str:
    shown = ", ".join(names[:_OFFERED]) or "none"
    return f"one of: {shown}" + (f" and {len(names) - _OFFERED} more ({LISTED})" if len(names) > _OFFERED else "")


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
