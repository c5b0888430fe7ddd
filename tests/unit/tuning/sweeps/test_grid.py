"""The expansion of a grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.tuning.sweeps.grid import expanded


def test_models_change_slowest_and_the_last_hyperparameter_fastest() -> None:
    points = expanded(["a", "b"], ["f", "g"], {"n_epochs": [1, 2], "batch_size": 8}, most=8, limit="max_jobs")
    assert [(p.model, p.training_file, p.hyperparameters["n_epochs"]) for p in points][:4] == [
        ("a", "f", 1),
        ("a", "f", 2),
        ("a", "g", 1),
        ("a", "g", 2),
    ]
    assert {p.hyperparameters["batch_size"] for p in points} == {8}


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(), min_size=1, max_size=4, unique=True)))
def test_every_combination_is_there_once(grid: dict[str, list[int]]) -> None:
    points = expanded(["m"], ["f"], grid, most=64, limit="max_jobs")
    size = 1
    for values in grid.values():
        size *= len(values)
    assert len(points) == len({tuple(sorted(p.hyperparameters.items())) for p in points}) == size


@pytest.mark.parametrize(
    ("grid", "param", "code"),
    [
        ({"n_epochs": []}, "grid.n_epochs", "empty_grid"),
        ({"n_epochs": [1, 2, 1]}, "grid.n_epochs", "duplicate_value"),
        ({"warmup_steps": [0, 0]}, "grid.warmup_steps", "duplicate_value"),
        ({"n_epochs": [1, None]}, "grid.n_epochs", "invalid_value"),
        ({"n_epochs": [[1]]}, "grid.n_epochs", "invalid_value"),
        ({"n_epochs": [True]}, "grid.n_epochs", "invalid_value"),
        ({"n_epochs": list(range(10)), "batch_size": list(range(11))}, "grid", "grid_too_large"),
    ],
)
def test_a_wrong_grid_names_the_field(grid: dict[str, object], param: str, code: str) -> None:
    with pytest.raises(BadInput) as fault:
        expanded(["m"], ["f"], grid, most=100, limit="max_jobs")
    assert (fault.value.param, fault.value.code) == (param, code)


def test_a_huge_grid_is_refused_before_it_is_made() -> None:
    grid: dict[str, object] = {f"h{n}": list(range(1000)) for n in range(20)}
    with pytest.raises(BadInput, match="more than max_jobs"):
        expanded(["m"], ["f"], grid, most=100, limit="max_jobs")
