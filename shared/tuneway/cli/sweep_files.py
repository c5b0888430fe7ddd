"""What ``tuneway sweeps create`` sends: from its options or a YAML file, with local files uploaded."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import click
import msgspec

from tuneway.cli.dataset_files import columns_of
from tuneway.cli.estimates import by_name
from tuneway.cli.uploads import Uploads, identity
from tuneway.cli.yaml_files import content_of, mapping_of

Given = str | int | float | None
RULES = ("patience", "min_delta", "target_validation_loss")
DATASETS = ("training_file", "training_files", "validation_file")
ESTIMATED = ("columns", "hyperparameters", "method")


def body_of(file: Path | None, grid: Sequence[str], given: Mapping[str, Given]) -> dict[str, object]:
    """The body as it was asked for, files still by their own names. Raises Failed, click.UsageError."""
    said = {name: value for name, value in given.items() if value is not None}
    model, dataset, alias = (said.pop(name, None) for name in ("model", "dataset", "promote"))
    stop = {name: said.pop(name) for name in RULES if name in said}
    own: dict[str, object] = {
        **({"model": model} if model else {}),
        **({"training_file": dataset} if dataset else {}),
        **({"grid": dict(map(_axis, grid))} if grid else {}),
        **({"stop": stop} if stop else {}),
        **({"promote": {"alias": alias}} if alias else {}),
        **said,
    }
    if file is None and not (model and dataset and grid):
        raise click.UsageError("Name MODEL, DATASET and --grid, or a file with -f.")
    return {**(mapping_of(content_of(file), str(file)) if file else {}), **own}


def uploaded(body: Mapping[str, object], uploads: Uploads) -> tuple[dict[str, object], str]:
    """The body with its local files uploaded, and an idempotency key that its content alone decides."""
    text = msgspec.json.encode(_renamed(body, identity), order="deterministic")
    return _renamed(body, uploads.name), f"sweep-{hashlib.sha256(text).hexdigest()[:40]}"


def questions(body: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """What the estimate of each job is asked; the rows of a local file are counted once. Raises Failed."""
    named = cache(by_name)
    for point in points(body):
        dataset, columns = str(point.pop("training_file")), columns_of(point.pop("columns", None))
        yield {**point, **named(dataset, columns=columns)}


def points(body: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The jobs of the sweep as far as an estimate goes."""
    shared = {name: body[name] for name in ESTIMATED if body.get(name) is not None}
    jobs = body.get("jobs")
    if isinstance(jobs, list):
        common = {name: body[name] for name in ("model", "training_file") if name in body}
        for job in msgspec.convert(jobs, list[dict[str, object]]):
            whole = {**common, **shared, **job}
            yield {name: whole[name] for name in ("model", "training_file", *ESTIMATED) if name in whole}
        return
    axes = {name: _listed(values) for name, values in mapping_of(body.get("grid") or {}, "grid").items()}
    fixed = mapping_of(body.get("hyperparameters") or {}, "hyperparameters")
    models, files = (_listed(body.get(name) or body.get(f"{name}s")) for name in ("model", "training_file"))
    for model, dataset, values in product(models, files, product(*axes.values())):
        chosen = {**fixed, **dict(zip(axes, values, strict=True))}
        yield {**shared, "model": model, "training_file": dataset, "hyperparameters": chosen}


def _axis(word: str) -> tuple[str, list[object]]:
    name, equals, values = word.partition("=")
    if not name or not equals or not values:
        raise click.UsageError(f"'{word}' is no axis of a grid. Write NAME=VALUE,VALUE…, such as n_epochs=1,2,3.")
    return name, [_value(value) for value in values.split(",")]


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _renamed(body: Mapping[str, object], name: Callable[[str], str]) -> dict[str, object]:
    """The body with every dataset under another name."""
    after = {key: _names(value, name) if key in DATASETS else value for key, value in body.items()}
    jobs = body.get("jobs")
    if isinstance(jobs, list):
        after["jobs"] = [_renamed(job, name) for job in msgspec.convert(jobs, list[dict[str, object]])]
    return after


def _names(value: object, name: Callable[[str], str]) -> object:
    if value is None:
        return None
    if isinstance(value, str):
        return name(value)
    return [name(str(each)) for each in _listed(value)]


def _listed(values: object) -> list[object]:
    return msgspec.convert(values, list[object]) if isinstance(values, list) else [values]
