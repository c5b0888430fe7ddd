"""Which base models the simulation tunes and serves: data with its source, in ``bases.json``."""

import functools
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from tuneway.local.vertex.refusals import Refusal, invalid


class Family(msgspec.Struct, frozen=True):
    """Base models that share their rules: ``serving`` maps a tuning location to where the tuned model answers.

    Of open models, ``full_only`` and ``adapter_only`` have one tuning mode; ``students`` can be distilled into, from
    base models with the patterns ``teachers``.
    """

    models: tuple[str, ...]
    locations: tuple[str, ...]
    serving: dict[str, str]
    adapters: tuple[str, ...]
    example_tokens: int
    full_only: tuple[str, ...] = ()
    adapter_only: tuple[str, ...] = ()
    students: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()


class Bases(msgspec.Struct, frozen=True):
    """The whole table: ``served`` and ``retired`` are patterns of publisher model ids."""

    gemini: Family
    open: Family
    served: tuple[str, ...]
    retired: tuple[str, ...]


@functools.cache
def bases() -> Bases:
    """The table."""
    return msgspec.json.decode(Path(__file__).with_name("bases.json").read_bytes(), type=Bases)


def short(base_model: str) -> str:
    """The model id inside ``publishers/google/models/{id}`` or a full resource name."""
    return base_model.rpartition("publishers/google/models/")[2]


def tunable(base_model: str, parent: str) -> Family:
    """The family of a base model. Raises Refusal: 404 when retired, 400 when it cannot be tuned, or not there."""
    table = bases()
    name = short(base_model)
    if _matches(name, table.retired):
        raise gone(name, parent)
    family = next((each for each in (table.gemini, table.open) if name in each.models), None)
    if family is None:
        raise invalid("tuning_job.base_model", f"Base model {base_model} is not supported.")
    location = parent.rpartition("/")[2]
    if location not in family.locations:
        places = ", ".join(family.locations)
        raise invalid("parent", f"Base model {name} is not supported in region {location}. Supported: {places}.")
    return family


def is_open(base_model: str) -> bool:
    """Whether it is an open model, whose tuned weights are not deployed by themselves."""
    return base_model in bases().open.models


def teaches(base_model: str) -> bool:
    """Whether an untuned model can be distilled from."""
    return _matches(base_model, bases().open.teachers)


def served(model: str, parent: str) -> str:
    """The id of a publisher model that answers here. Raises Refusal (404) for any other, as for retired ones."""
    name = model.partition("@")[0]
    if _matches(name, bases().retired) or not _matches(name, bases().served):
        raise gone(model, parent)
    return name


def gone(model: str, parent: str) -> Refusal:
    """The 404 that unknown and retired publisher models answer with."""
    return Refusal(
        "NOT_FOUND",
        f"Publisher Model `{parent}/publishers/google/models/{model}` was not found or your project does not have "
        "access to it. Please ensure you are using a valid model version.",
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
