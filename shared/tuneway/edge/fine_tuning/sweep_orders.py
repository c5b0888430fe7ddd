"""The bodies that callers send about sweeps, and the orders they become."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated

import msgspec

from tuneway.edge.bodies import decoded
from tuneway.edge.fine_tuning.job_orders import CreateJob, check_metadata, order
from tuneway.errors import BadInput
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.orders import JobOrder, Subject
from tuneway.tuning.sweeps.desk import SweepOrder
from tuneway.tuning.sweeps.grid import GRID, Point, expanded
from tuneway.tuning.sweeps.sweep import MOST_JOBS, Measure, Promotion, StopRules

MOST_NAME = 128
TOP = "hyperparameters"
QUOTED_TOP = re.compile(rf"\b{TOP}\.")

Positive = Annotated[int, msgspec.Meta(ge=1)]
Few = Annotated[int, msgspec.Meta(ge=1, le=MOST_JOBS)]
Dollars = Annotated[float, msgspec.Meta(gt=0)]
Names = Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_JOBS)]


class Stop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to start no more."""

    patience: Positive | None = None
    min_delta: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    target_validation_loss: float | None = None
    max_failures: Positive | None = None
    cancel_running: bool = False


class Promote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The alias for the winner, and which loss makes one."""

    alias: str
    by: Measure = "validation_loss"


class PromoteJob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a person's choice."""

    job: str
    alias: str


class CreateSweep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a creation: what every job has, and a ``grid`` over it or a list of ``jobs``.

    ``model`` and ``training_file`` may be lists; ``models`` and ``training_files`` are the same under other names.
    """

    model: str | Names | None = None
    models: Names | None = None
    training_file: str | Names | None = None
    training_files: Names | None = None
    validation_file: str | None = None
    columns: Columns | None = None
    hyperparameters: dict[str, object] | None = None
    method: object = None
    tuning_mode: str | None = None
    suffix: str | None = None
    grid: dict[str, object] | None = None
    jobs: Annotated[list[dict[str, object]], msgspec.Meta(min_length=1, max_length=MOST_JOBS)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=MOST_NAME)] | None = None
    concurrency: Few | None = None
    max_cost_usd: Dollars | None = None
    max_jobs: Few | None = None
    stop: Stop | None = None
    promote: Promote | None = None
    metadata: dict[str, str] | None = None


def sweep_order(body: CreateSweep, idempotency_key: str | None, *, subject: Callable[[str], Subject]) -> SweepOrder:
    """The order in a body; ``subject`` finds what a name lets one tune. Raises BadInput, naming the field."""
    check_metadata(body.metadata or {})
    if (body.grid is None) == (body.jobs is None):
        none = body.jobs is None
        said = "A sweep has either a grid or a list of jobs. Give one of them."
        code = "missing_required_parameter" if none else "invalid_value"
        raise BadInput(said, param=GRID if none else "jobs", code=code)
    known = cache(subject)
    jobs = _grid(body, known) if body.jobs is None else _listed(body, body.jobs, known)
    return SweepOrder(
        jobs=tuple(jobs),
        name=body.name,
        concurrency=body.concurrency,
        max_cost_usd=body.max_cost_usd,
        max_jobs=body.max_jobs,
        stop=StopRules() if body.stop is None else msgspec.convert(msgspec.to_builtins(body.stop), StopRules),
        promotion=None if body.promote is None else Promotion(alias=body.promote.alias, by=body.promote.by),
        metadata=body.metadata,
        idempotency_key=idempotency_key,
    )


def _grid(body: CreateSweep, subject: Callable[[str], Subject]) -> list[JobOrder]:
    models = _several(body.model, body.models, "model")
    files = _several(body.training_file, body.training_files, "training_file")
    limit = "max_jobs" if body.max_jobs else "the most of a sweep"
    grid = body.grid or {}
    if both := (body.hyperparameters or {}).keys() & grid.keys():
        said = f"'{min(both)}' stands in '{TOP}' and in '{GRID}'. Give it in one of them."
        raise BadInput(said, param=f"{TOP}.{min(both)}", code="invalid_value")
    points = expanded(models, files, grid, most=body.max_jobs or MOST_JOBS, limit=limit)
    orders = [_of_point(body, point, subject) for point in points]
    _check_paid_once(orders, subject)
    return orders


def _check_paid_once(orders: Sequence[JobOrder], subject: Callable[[str], Subject]) -> None:
    """No two points are one job in other words, such as a size by its name and by its number."""
    seen: dict[bytes, JobOrder] = {}
    for each in orders:
        found = subject(each.model)
        same = msgspec.json.encode((found.base.name, found.pre_tuned, msgspec.structs.replace(each, model="")))
        if (first := seen.setdefault(same, each)) is not each:
            names = f"'{first.model}' and '{each.model}' are" if first.model != each.model else "Two points of it are"
            said = f"{names} the same job in other words, which would be paid twice. Take one out."
            raise BadInput(said, param="model" if first.model != each.model else GRID, code="duplicate_value")


def _of_point(body: CreateSweep, point: Point, subject: Callable[[str], Subject]) -> JobOrder:
    fields = {
        **_shared(body),
        "model": point.model,
        "training_file": point.training_file,
        TOP: {**(body.hyperparameters or {}), **point.hyperparameters},
    }
    try:
        return _order(fields, subject)
    except BadInput as fault:
        name = (fault.param or "").removeprefix(f"{TOP}.")
        if name not in point.hyperparameters:
            raise
        said = QUOTED_TOP.sub(f"{GRID}.", fault.message).replace(f"'{TOP}'", f"'{GRID}'")
        raise BadInput(said, param=f"{GRID}.{name}", code=fault.code) from fault


def _listed(
    body: CreateSweep, jobs: Sequence[Mapping[str, object]], subject: Callable[[str], Subject]
) -> list[JobOrder]:
    if len(jobs) > (body.max_jobs or MOST_JOBS):
        said = f"There are {len(jobs)} jobs, more than max_jobs ({body.max_jobs}). Take some out."
        raise BadInput(said, param="jobs", code="sweep_too_large")
    shared = {
        **_shared(body),
        "model": _single(body.model, body.models, "model"),
        "training_file": _single(body.training_file, body.training_files, "training_file"),
    }
    common = {**shared, TOP: body.hyperparameters}
    return [_of_entry(entry, common, subject, place=f"jobs[{n}]") for n, entry in enumerate(jobs)]


def _of_entry(
    entry: Mapping[str, object], shared: Mapping[str, object], subject: Callable[[str], Subject], *, place: str
) -> JobOrder:
    if entry.get("metadata") is not None:
        said = "Metadata belongs to the whole sweep. Give it beside 'jobs'."
        raise BadInput(said, param=f"{place}.metadata", code="unsupported_parameter")
    fields = {name: value for name, value in {**shared, **entry}.items() if value is not None}
    if (own := _object(entry.get(TOP))) is not None and (common := _object(shared.get(TOP))) is not None:
        fields = {**fields, TOP: {**common, **own}}
    try:
        return _order(fields, subject)
    except BadInput as fault:
        param = f"{place}.{fault.param}" if fault.param else place
        raise BadInput(f"{place}: {fault.message}", param=param, code=fault.code) from fault


def _object(value: object) -> dict[str, object] | None:
    """The value if it is an object; what it is otherwise is the next reader's to refuse."""
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError:
        return None


def _order(fields: Mapping[str, object], subject: Callable[[str], Subject]) -> JobOrder:
    return order(decoded(msgspec.json.encode(fields), CreateJob), None, subject=subject)


def _shared(body: CreateSweep) -> dict[str, object]:
    given: dict[str, object] = {
        "validation_file": body.validation_file,
        "columns": body.columns,
        "method": body.method,
        "tuning_mode": body.tuning_mode,
        "suffix": body.suffix,
    }
    return {name: value for name, value in given.items() if value is not None}


def _several(one: str | list[str] | None, more: list[str] | None, name: str) -> list[str]:
    if one is not None and more is not None:
        said = f"'{name}' and '{name}s' are two names of one field. Give one of them."
        raise BadInput(said, param=f"{name}s", code="invalid_value")
    found = more if more is not None else one
    if found is None:
        raise BadInput(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    listed = [found] if isinstance(found, str) else found
    if len(set(listed)) < len(listed):
        said = f"'{name}' names the same twice: the same job would be paid twice. Take one out."
        raise BadInput(said, param=name if more is None else f"{name}s", code="duplicate_value")
    return listed


def _single(one: str | list[str] | None, more: list[str] | None, name: str) -> str | None:
    """What a list of jobs has in common: at most one."""
    if more is not None or isinstance(one, list):
        said = f"Beside 'jobs', '{name}' is one name for all that give none. Put the others into 'jobs'."
        raise BadInput(said, param=name if more is None else f"{name}s", code="invalid_value")
    return one
