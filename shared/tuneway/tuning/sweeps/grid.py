"""Expand a grid: every combination of its values, in a stated order; pure."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

import msgspec

from tuneway.errors import BadInput

GRID = "grid"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One combination: what is tuned on which file, with which hyperparameters by their request names."""

    model: str
    training_file: str
    hyperparameters: dict[str, object]


def expanded(
    models: Sequence[str], training_files: Sequence[str], grid: Mapping[str, object], *, most: int, limit: str
) -> list[Point]:
    """All points; models change slowest, the last hyperparameter of the grid fastest.

    ``limit`` names the field that ``most`` comes from. Raises BadInput, naming the field.
    """
    axes = {name: _axis(name, values) for name, values in grid.items()}
    size = len(models) * len(training_files) * prod(len(values) for values in axes.values())
    if size > most:
        said = f"The grid makes {size:,} jobs, more than {limit} ({most})."
        raise BadInput(f"{said} Take values out of it.", param=GRID, code="grid_too_large")
    return [
        Point(model=model, training_file=file, hyperparameters=dict(zip(axes, values, strict=True)))
        for model in models
        for file in training_files
        for values in product(*axes.values())
    ]


def _axis(name: str, values: object) -> list[object]:
    """The values of one hyperparameter; a single one may stand alone."""
    param = f"{GRID}.{name[:40]}"
    listed = msgspec.convert(values, list[object]) if isinstance(values, list) else [values]
    if not listed:
        raise BadInput(f"'{param}' is empty. Give the values to try, or leave it out.", param=param, code="empty_grid")
    for value in listed:
        if not isinstance(value, int | float | str) or isinstance(value, bool):
            raise BadInput(
                f"'{param}' holds {value!r:.40}. Give numbers, or 'auto'.", param=param, code="invalid_value"
            )
    if (twice := next((value for n, value in enumerate(listed) if value in listed[:n]), None)) is not None:
        said = f"'{param}' holds {twice!r:.40} twice: the same job would be paid twice. Take one out."
        raise BadInput(said, param=param, code="duplicate_value")
    return listed
