"""Two versions, or more, side by side: where they came from, how they were tuned, what came of it and what it cost."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Origin
from tuneway.registry.models.lineage import Lineages
from tuneway.registry.shelves import Model, Version

LEAST, MOST = 2, 8
Value = str | int | float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What each version says to one question; ``differs`` when not all say the same."""

    name: str
    values: tuple[Value, ...]
    differs: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The versions as ``model@number``, and the rows that at least one of them says something to."""

    versions: tuple[str, ...]
    rows: tuple[Row, ...]


class _Side(msgspec.Struct, frozen=True, kw_only=True):
    model: Model
    version: Version
    job: Origin | None


def compared(lineages: Lineages, names: Sequence[str], *, owner: str | None) -> Comparison:
    """The named versions (``model``, ``model@version``, ``model@alias``) side by side. Raises BadInput, NotFound."""
    wanted = list(dict.fromkeys(names))
    if not LEAST <= len(wanted) <= MOST:
        said = f"Name {LEAST} to {MOST} versions, such as versions=support-bot@1,support-bot@prod."
        raise BadInput(said, param="versions")
    sides = [_side(lineages, name, owner) for name in wanted]
    rows = [*((name, ask) for name, ask in QUESTIONS.items()), *_of_hyperparameters(sides)]
    asked = [(name, tuple(ask(side) for side in sides)) for name, ask in rows]
    return Comparison(
        versions=tuple(f"{side.model.id}@{side.version.number}" for side in sides),
        rows=tuple(
            Row(name=name, values=values, differs=len(set(values)) > 1)
            for name, values in asked
            if any(value not in {None, ""} for value in values)
        ),
    )


def _side(lineages: Lineages, name: str, owner: str | None) -> _Side:
    model, version, job = lineages.named(name, owner=owner)
    return _Side(model=model, version=version, job=job)


def _of_hyperparameters(sides: Sequence[_Side]) -> list[tuple[str, "Ask"]]:
    names = dict.fromkeys(name for side in sides if side.job for name in side.job.hyperparameters)
    return [(name, _hyperparameter(name)) for name in names]


def _hyperparameter(name: str) -> "Ask":
    def ask(side: _Side) -> Value:
        return _value(side.job.hyperparameters.get(name)) if side.job else None

    return ask


def _figure(document: Mapping[str, object] | None, *names: str) -> Value:
    """A figure within a job's own document; None where it has none."""
    value: object = document
    for name in names:
        value = msgspec.convert(value, dict[str, object]).get(name) if isinstance(value, Mapping) else None
    return _value(value)


def _value(value: object) -> Value:
    return value if isinstance(value, str | int | float) or value is None else str(value)


def _of_job(field: str) -> "Ask":
    def ask(side: _Side) -> Value:
        return _value(getattr(side.job, field)) if side.job else None

    return ask


def _seconds(side: _Side) -> Value:
    job = side.job
    return None if job is None or job.finished_at is None else round(job.finished_at - job.created_at)


def _loss(field: str) -> "Ask":
    def ask(side: _Side) -> Value:
        loss = side.job.final_loss if side.job else None
        return None if loss is None else _value(getattr(loss, field))

    return ask


def _aliases(side: _Side) -> Value:
    found = [alias for alias, number in side.model.aliases.items() if number == side.version.number]
    return ", ".join(sorted(found))


Ask = Callable[[_Side], Value]
QUESTIONS: Mapping[str, Ask] = {
    "base_model": lambda side: side.version.base_model or side.model.base_model,
    "backend": lambda side: side.version.backend,
    "location": lambda side: side.version.location,
    "state": lambda side: side.version.state,
    "aliases": _aliases,
    "job": lambda side: side.version.job,
    "continues": _of_job("continues"),
    "sweep": _of_job("sweep"),
    "method": _of_job("method"),
    "tuning_mode": _of_job("tuning_mode"),
    "teacher": _of_job("teacher"),
    "dataset_sha256": lambda side: side.version.dataset_sha256,
    "training_file": _of_job("training_file"),
    "training_rows": lambda side: _figure(side.job.dataset if side.job else None, "rows"),
    "validation_file": _of_job("validation_file"),
    "validation_rows": lambda side: _figure(side.job.validation_dataset if side.job else None, "rows"),
    "trained_tokens": _of_job("trained_tokens"),
    "checkpoints": lambda side: len(side.version.checkpoints),
    "training_loss": _loss("training"),
    "validation_loss": _loss("validation"),
    "cost_usd": lambda side: _figure(side.job.actual_cost if side.job else None, "usd"),
    "estimate_usd_low": lambda side: _figure(side.job.estimate if side.job else None, "usd_low"),
    "estimate_usd_high": lambda side: _figure(side.job.estimate if side.job else None, "usd_high"),
    "seconds": _seconds,
}
