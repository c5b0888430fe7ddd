"""Hyperparameters and methods: from OpenAI's request, held against the base model, and back into OpenAI's shape."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Method
from tuneway.tuning.bases import BaseModel, Range, TuningMode

AUTO: Final = "auto"
TOP = "hyperparameters"
REINFORCEMENT = "reinforcement"
METHODS = (*Method, REINFORCEMENT)

Value = int | float
Given = Value | None
Auto = Literal["auto"]


class Hyperparameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is to train with; None leaves the choice to the provider (OpenAI's ``auto``)."""

    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: int | None = None
    batch_size: int | None = None
    warmup_steps: int | None = None
    weight_decay: float | None = None
    learning_rate: float | None = None
    beta: float | None = None


class OpenAIHyperparameters(msgspec.Struct, frozen=True, kw_only=True):
    """Hyperparameters as OpenAI's job object shows them; those after ``learning_rate_multiplier`` are tuneway's own."""

    n_epochs: int | Auto
    batch_size: int | Auto
    learning_rate_multiplier: float | Auto
    adapter_size: int | Auto
    warmup_steps: int | Auto
    weight_decay: float | Auto
    learning_rate: float | Auto
    beta: float | Auto


def rendered(chosen: Hyperparameters) -> OpenAIHyperparameters:
    """The hyperparameters in OpenAI's shape."""
    return OpenAIHyperparameters(
        n_epochs=AUTO if chosen.epochs is None else chosen.epochs,
        batch_size=AUTO if chosen.batch_size is None else chosen.batch_size,
        learning_rate_multiplier=AUTO if chosen.learning_rate_multiplier is None else chosen.learning_rate_multiplier,
        adapter_size=AUTO if chosen.adapter_size is None else chosen.adapter_size,
        warmup_steps=AUTO if chosen.warmup_steps is None else chosen.warmup_steps,
        weight_decay=AUTO if chosen.weight_decay is None else chosen.weight_decay,
        learning_rate=AUTO if chosen.learning_rate is None else chosen.learning_rate,
        beta=AUTO if chosen.beta is None else chosen.beta,
    )


def requested(hyperparameters: object, method: object, *, base: BaseModel) -> Hyperparameters:
    """The hyperparameters that a request asks for: its values ``hyperparameters`` and ``method``, None when absent.

    Raises BadInput whose ``param`` is the field at fault, such as ``hyperparameters.n_epochs``.
    """
    kind = method_of(method, base=base)
    place = f"method.{kind}.hyperparameters"
    wanted = _Wanted(base, kind)
    top = _values(hyperparameters, place=TOP, wanted=wanted)
    nested = _values(_settings(method, kind).get("hyperparameters"), place=place, wanted=wanted)
    for field in top.keys() & nested.keys():
        if top[field] != nested[field]:
            said = f"'{TOP}' and '{place}' disagree about {field}: {_said(top[field])} and {_said(nested[field])}."
            raise _bad(f"{said} Give it in 'method' alone.", param=TOP)
    chosen = msgspec.convert({**top, **nested}, Hyperparameters)
    _check_together(chosen, place=TOP if top else place)
    return chosen


def method_of(method: object, *, base: BaseModel) -> Method:
    """The method that the request's ``method`` names; supervised when there is none. Raises BadInput (``method…``)."""
    if method is None:
        return Method.SUPERVISED
    asked = _object(method, "method")
    kind = next((each for each in base.methods if each == asked.get("type")), None)
    if kind is None:
        known = asked.get("type") in METHODS
        fact = (
            f"'{base.name}' cannot be tuned by '{asked.get('type')}'" if known else "'method.type' must name a method"
        )
        raise _bad(f"{fact}. Use {_listed(base.methods)}.", param="method.type", code="unsupported_method")
    _refuse_unknown(asked, ("type", str(kind)), place="method")
    _refuse_unknown(_settings(method, kind), SETTINGS[kind], place=f"method.{kind}")
    return kind


def teacher_of(method: object, *, base: BaseModel) -> str | None:
    """The model a distillation learns from, by the provider's id; None for other methods. Raises BadInput."""
    kind = method_of(method, base=base)
    if kind is not Method.DISTILLATION:
        return None
    teacher = _settings(method, kind).get("teacher")
    if not isinstance(teacher, str) or not teacher.strip():
        said = "'method.distillation.teacher' must name the model to learn from, by the provider's id."
        raise _bad(said, param="method.distillation.teacher")
    return teacher


def mode_of(asked: str | None, *, base: BaseModel, chosen: Hyperparameters) -> TuningMode | None:
    """The mode to train in: the one asked for, else the base's own; None where the provider is told none.

    Raises BadInput: ``tuning_mode`` when the base has no such mode, ``hyperparameters.adapter_size`` beside ``full``.
    """
    modes: dict[str, TuningMode] = {str(each): each for each in base.tuning_modes}
    if asked not in {None, AUTO, *modes}:
        offer = _listed(f"'{mode}'" for mode in modes)
        raise _bad(f"'tuning_mode' of '{base.name}' is {_shown(asked)}. Use {offer} or 'auto'.", param="tuning_mode")
    mode = modes.get(asked or AUTO) or base.default_mode
    if mode == "full" and chosen.adapter_size is not None:
        remedy = "Leave 'adapter_size' out or set 'tuning_mode' to 'adapter'."
        said = f"Full tuning of '{base.name}' trains no adapter. {remedy}"
        raise _bad(said, param=f"{TOP}.adapter_size", code="unsupported_parameter")
    return mode


class _Wanted(msgspec.Struct, frozen=True):
    """What the values are held against."""

    base: BaseModel
    method: Method


def _settings(method: object, kind: Method) -> dict[str, object]:
    given = None if method is None else _object(method, "method").get(kind)
    return {} if given is None else _object(given, f"method.{kind}")


def _check_together(chosen: Hyperparameters, *, place: str) -> None:
    if chosen.learning_rate is not None and chosen.learning_rate_multiplier is not None:
        said = "'learning_rate' and 'learning_rate_multiplier' both set the learning rate. Give one of them."
        raise _bad(said, param=f"{place}.learning_rate")


def _values(given: object, *, place: str, wanted: _Wanted) -> dict[str, Given]:
    if given is None:
        return {}
    settings = {name: value for name, value in _object(given, place).items() if value is not None}
    _refuse_unknown(settings, FIELDS, place=place)
    if "n_epochs" in settings and "epoch_count" in settings:
        said = "'n_epochs' and 'epoch_count' are two names of one hyperparameter. Give one of them."
        raise _bad(said, param=f"{place}.epoch_count")
    return {FIELDS[name]: _value(name, value, f"{place}.{name}", wanted=wanted) for name, value in settings.items()}


def _value(name: str, value: object, param: str, *, wanted: _Wanted) -> Given:
    if value == AUTO:
        return None
    if name == "adapter_size":
        return _adapter_size(value, param, wanted)
    return _number(name, value, param, wanted=wanted)


def _number(name: str, value: object, param: str, *, wanted: _Wanted) -> Value:
    """A number in the general range and in the base's own."""
    general, whole = GENERAL[FIELDS[name]], FIELDS[name] in WHOLE
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise _bad(f"'{param}' must be {kind} or 'auto', not {_shown(value)}.", param=param)
    _check_within(value, general, f"'{param}'", param=param)
    allowed = _allowed(FIELDS[name], wanted, param=param)
    _check_within(value, allowed, f"'{param}' of '{wanted.base.name}'", param=param)
    return value if whole else float(value)


def _allowed(field: str, wanted: _Wanted, *, param: str) -> Range:
    base = wanted.base
    if field == "beta" and wanted.method is not Method.PREFERENCE:
        said = f"'{param}' belongs to the method 'dpo', not to '{wanted.method}'. Leave it out"
        raise _bad(f"{said} or ask for 'dpo'.", param=param, code="unsupported_parameter")
    found: Range | None = getattr(base.ranges, field)
    if found is None:
        raise _untakeable(field, param, wanted)
    return found


def _untakeable(field: str, param: str, wanted: _Wanted) -> BadInput:
    base = wanted.base
    known = [name for name in (*GENERAL, "adapter_sizes") if getattr(base.ranges, name)]
    takes = [name for name in known if name != "beta" or wanted.method is Method.PREFERENCE]
    said = f"'{param}' is given, but '{base.name}' on {base.backend} lets nobody choose a {field.replace('_', ' ')}."
    remedy = f"Use 'auto' or leave it out; it takes {_listed(SAID.get(name, name) for name in takes)}."
    return _bad(f"{said} {remedy}", param=param, code="unsupported_parameter")


def _adapter_size(value: object, param: str, wanted: _Wanted) -> Value:
    """A size the base takes; small and large are its least and greatest, medium is the one in the middle.

    Vertex AI's own names are the sizes they name.
    """
    base = wanted.base
    sizes = sorted(base.ranges.adapter_sizes)
    if not sizes:
        raise _untakeable("adapter_size", param, wanted)
    named = {"small": sizes[0], "medium": sizes[len(sizes) // 2], "large": sizes[-1]}
    size = {**SIZES, **named}.get(value) if isinstance(value, str) else value
    if not isinstance(size, int) or isinstance(size, bool) or size not in sizes:
        offer = f"{_listed(map(str, sizes))}, 'small', 'medium', 'large' or 'auto'"
        raise _bad(f"'{param}' of '{base.name}' is {_shown(value)}. Use {offer}.", param=param)
    return size


FIELDS = {
    "n_epochs": "epochs",
    "epoch_count": "epochs",
    "learning_rate_multiplier": "learning_rate_multiplier",
    "adapter_size": "adapter_size",
    "batch_size": "batch_size",
    "warmup_steps": "warmup_steps",
    "weight_decay": "weight_decay",
    "beta": "beta",
    "learning_rate": "learning_rate",
}
# Source: AdapterSize of Vertex AI's tuning API (v1beta1), whose names LiteLLM's callers write; read 2026-11.
SIZES = {
    f"ADAPTER_SIZE_{word}": size
    for size, word in ((1, "ONE"), (2, "TWO"), (4, "FOUR"), (8, "EIGHT"), (16, "SIXTEEN"), (32, "THIRTY_TWO"))
}
WHOLE = frozenset({"epochs", "batch_size", "warmup_steps"})
# What tuneway takes for any base; what a base takes of it stands in the catalogue.
GENERAL: dict[str, Range] = {
    "epochs": Range(1, 10),
    "learning_rate_multiplier": Range(0.1, 10),
    "batch_size": Range(1, 64),
    "warmup_steps": Range(0, 1000),
    "weight_decay": Range(0, 0.1),
    "learning_rate": Range(1e-9, 1),
    "beta": Range(0, 10),
}
SAID = {"epochs": "n_epochs", "adapter_sizes": "adapter_size"}
SETTINGS: dict[Method, tuple[str, ...]] = {
    Method.SUPERVISED: ("hyperparameters",),
    Method.PREFERENCE: ("hyperparameters",),
    Method.DISTILLATION: ("hyperparameters", "teacher"),
}


def _check_within(value: Value, allowed: Range, subject: str, *, param: str) -> None:
    if not allowed.low <= value <= allowed.high:
        raise _bad(f"{subject} is {_shown(value)}. Use {allowed}, or 'auto'.", param=param)


def _object(value: object, param: str) -> dict[str, object]:
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError:
        raise _bad(f"'{param}' must be an object, not {_shown(value)}.", param=param) from None


def _refuse_unknown(settings: Mapping[str, object], known: Iterable[str], *, place: str) -> None:
    for name in settings:
        if name not in known:
            said = f"'{place}' has no '{name[:40]}'. Known here: {_listed(known)}."
            raise _bad(said, param=f"{place}.{name[:40]}", code="unknown_parameter")


def _bad(message: str, *, param: str, code: str = "invalid_value") -> BadInput:
    return BadInput(message, param=param, code=code)


def _said(value: Given) -> str:
    return AUTO if value is None else f"{value:g}"


def _shown(value: object) -> str:
    return repr(value)[:40]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
