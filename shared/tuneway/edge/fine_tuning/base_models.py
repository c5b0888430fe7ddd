"""``/v1/fine_tuning/base_models``: what can be tuned, where, within which limits; and what cannot, and why."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Method
from tuneway.state import fields_of
from tuneway.tuning.bases import BaseModel, Standing
from tuneway.tuning.catalogue import Catalogue

PATH = "/v1/fine_tuning/base_models"
OBJECT = "fine_tuning.base_model"
TRUTH = {"true": True, "false": False}
FILTERS = ("family", "method", "backend", "tunable")


def rules(catalogue: Catalogue, *, now: Callable[[], float]) -> list[Rule]:
    """The door's rules for base models."""

    def today() -> date:
        return datetime.fromtimestamp(now(), UTC).date()

    def all_(call: Call) -> Body:
        found = _filtered(catalogue, call, today())
        return {"object": "list", "data": [rendered(base, today()) for base in found], "has_more": False}

    def one(call: Call) -> Body:
        return rendered(_named(catalogue, call.path["name"], today()), today())

    return [Rule("GET", PATH, Scope.TUNE, all_), Rule("GET", f"{PATH}/{{name*}}", Scope.TUNE, one)]


def rendered(base: BaseModel, today: date) -> dict[str, object]:
    """The row as it stands today: ``reason`` says why it cannot be tuned, and is null when it can."""
    row = fields_of(base)
    return {
        "id": row.pop("name"),
        "object": OBJECT,
        "tunable": base.standing(today) is Standing.TUNABLE,
        "status": base.standing(today),
        "reason": base.reason(today),
        **row,
    }


def _named(catalogue: Catalogue, name: str, today: date) -> BaseModel:
    try:
        return catalogue.named(name, today=today)
    except BadInput as unknown:
        raise NotFound(unknown.message, param="model", code=unknown.code) from unknown


def _filtered(catalogue: Catalogue, call: Call, today: date) -> list[BaseModel]:
    for name in call.query:
        if name not in FILTERS:
            said = f"Base models cannot be filtered by '{name[:40]}'. Use {', '.join(FILTERS)}."
            raise BadInput(said, param=name[:40], code="unknown_parameter")
    family = _chosen(call, "family", (base.family for base in catalogue.models))
    backend = _chosen(call, "backend", (base.backend for base in catalogue.models))
    method = _chosen(call, "method", Method)
    tunable = _chosen(call, "tunable", TRUTH)
    return [
        base
        for base in catalogue.models
        if family in {None, base.family}
        and backend in {None, base.backend}
        and (method is None or method in base.methods)
        and (tunable is None or TRUTH[tunable] == (base.standing(today) is Standing.TUNABLE))
    ]


def _chosen(call: Call, name: str, known: Iterable[str]) -> str | None:
    value = call.query.get(name)
    values = dict.fromkeys(known)
    if value is not None and value not in values:
        raise BadInput(f"'{name}' is '{value[:40]}'. Use one of: {', '.join(values)}.", param=name)
    return value
