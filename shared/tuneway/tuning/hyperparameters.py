"""Hyperparameters: from OpenAI's request, held against the base model, and back into OpenAI's shape."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.catalogue import BaseModel, Range

AUTO: Final = "auto"
TOP = "hyperparameters"
METHOD = "method.supervised.hyperparameters"
METHODS = ("supervised", "dpo", "reinforcement")

Value = int | float
Given = Value | None
Auto = Literal["auto"]


class Hyperparameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is to train with; None leaves the choice to the provider (OpenAI's ``auto``)."""

    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: int | None = None


class OpenAIHyperparameters(msgspec.Struct, frozen=True, kw_only=True):
    """Hyperparameters as OpenAI's job object shows them; ``adapter_size`` is tuneway's own."""

    n_epochs: int | Auto
    batch_size: Auto
    learning_rate_multiplier: float | Auto
    adapter_size: int | Auto


def rendered(chosen: Hyperparameters) -> OpenAIHyperparameters:
    """The hyperparameters in OpenAI's shape."""
    return OpenAIHyperparameters(
        n_epochs=AUTO if chosen.epochs is None else chosen.epochs,
        batch_size=AUTO,
        learning_rate_multiplier=AUTO if chosen.learning_rate_multiplier is None else chosen.learning_rate_multiplier,
        adapter_size=AUTO if chosen.adapter_size is None else chosen.adapter_size,
    )


def requested(hyperparameters: object, method: object, *, base: BaseModel) -> Hyperparameters:
    """The hyperparameters that a request asks for: its values ``hyperparameters`` and ``method``, None when absent.

    Raises BadInput whose ``param`` is the field at fault, such as ``hyperparameters.n_epochs``.
    """
    top = _values(hyperparameters, place=TOP, base=base)
    nested = _values(_in_method(method, base), place=METHOD, base=base)
    for field in top.keys() & nested.keys():
        if top[field] != nested[field]:
            said = f"'{TOP}' and '{METHOD}' disagree about {field}: {_said(top[field])} and {_said(nested[field])}."
            raise _bad(f"{said} Give it in 'method' alone.", param=TOP)
    return msgspec.convert({**top, **nested}, Hyperparameters)


def _in_method(method: object, base: BaseModel) -> object:
    if method is None:
        return None
    asked = _object(method, "method")
    kind = asked.get("type")
    if kind not in base.methods:
        known = kind in METHODS
        fact = f"'{base.name}' cannot be tuned by '{kind}'" if known else "'method.type' must name a method"
        raise _bad(f"{fact}. Use {_listed(base.methods)}.", param="method.type", code="unsupported_method")
    _refuse_unknown(asked, ("type", str(kind)), place="method")
    settings = _object({} if asked.get(str(kind)) is None else asked[str(kind)], f"method.{kind}")
    _refuse_unknown(settings, ("hyperparameters",), place=f"method.{kind}")
    return settings.get("hyperparameters")


def _values(given: object, *, place: str, base: BaseModel) -> dict[str, Given]:
    if given is None:
        return {}
    settings = {name: value for name, value in _object(given, place).items() if value is not None}
    _refuse_unknown(settings, READERS, place=place)
    if "n_epochs" in settings and "epoch_count" in settings:
        said = "'n_epochs' and 'epoch_count' are two names of one hyperparameter. Give one of them."
        raise _bad(said, param=f"{place}.epoch_count")
    read = {name: _value(value, READERS[name], f"{place}.{name}", base=base) for name, value in settings.items()}
    return {FIELDS[name]: value for name, value in read.items() if name in FIELDS}


Reader = Callable[[object, str, BaseModel], Value]


def _value(value: object, reader: Reader, param: str, *, base: BaseModel) -> Given:
    return None if value == AUTO else reader(value, param, base)


def _epochs(value: object, param: str, base: BaseModel) -> Value:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _bad(f"'{param}' must be a whole number or 'auto', not {_shown(value)}.", param=param)
    return _within(value, base.ranges.epochs, param)


def _learning_rate_multiplier(value: object, param: str, base: BaseModel) -> Value:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _bad(f"'{param}' must be a number or 'auto', not {_shown(value)}.", param=param)
    return float(_within(value, base.ranges.learning_rate_multiplier, param))


def _adapter_size(value: object, param: str, base: BaseModel) -> Value:
    """A size the base takes; small and large are its least and greatest, medium is the one in the middle."""
    sizes = sorted(base.ranges.adapter_sizes)
    named = {"small": sizes[0], "medium": sizes[len(sizes) // 2], "large": sizes[-1]}
    size = named.get(value) if isinstance(value, str) else value
    if not isinstance(size, int) or isinstance(size, bool) or size not in sizes:
        offer = f"{_listed(map(str, sizes))}, 'small', 'medium', 'large' or 'auto'"
        raise _bad(f"'{param}' of '{base.name}' is {_shown(value)}. Use {offer}.", param=param)
    return size


def _batch_size(value: object, param: str, base: BaseModel) -> Value:
    said = (
        f"'{param}' is {_shown(value)}, but '{base.name}' lets nobody choose a batch size. Use 'auto' or leave it out."
    )
    raise _bad(said, param=param)


READERS: dict[str, Reader] = {
    "n_epochs": _epochs,
    "epoch_count": _epochs,
    "learning_rate_multiplier": _learning_rate_multiplier,
    "adapter_size": _adapter_size,
    "batch_size": _batch_size,
}
FIELDS = {
    "n_epochs": "epochs",
    "epoch_count": "epochs",
    "learning_rate_multiplier": "learning_rate_multiplier",
    "adapter_size": "adapter_size",
}


def _within(value: Value, allowed: Range, param: str) -> Value:
    if not allowed.low <= value <= allowed.high:
        raise _bad(f"'{param}' is {_shown(value)}. Use {allowed.low:g} to {allowed.high:g}, or 'auto'.", param=param)
    return value


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
