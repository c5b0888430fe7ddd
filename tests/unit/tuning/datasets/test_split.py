"""A split is exact, the same for the same seed, and keeps equal rows together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.tuning.datasets.reading import reading
from tuneway.tuning.datasets.row_lines import RowLines
from tuneway.tuning.datasets.split import Division, division, sides


def lines(rows: list[bytes]) -> RowLines:
    return RowLines(reading([b"".join(row + b"\n" for row in rows)]))


def divided(rows: list[bytes], *, seed: int = 7, share: float | None = None, count: int | None = None) -> Division:
    return division(lines(rows).blocks(), seed=seed, share=share, count=count)


def parts(rows: list[bytes], found: Division) -> tuple[list[bytes], list[bytes]]:
    told = list(sides(lines(rows).blocks(), found))
    return [row for side, row in told if side == "train"], [row for side, row in told if side == "validation"]


ROWS = [b'{"prompt": "%d"}' % number for number in range(1000)]


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 999), seed=st.integers())
def test_as_many_rows_as_wanted_are_for_validation(count: int, seed: int) -> None:
    found = divided(ROWS, seed=seed, count=count)
    train, validation = parts(ROWS, found)
    assert (len(train), len(validation)) == (1000 - count, count) == (found.train, found.validation)
    assert sorted(train + validation) == sorted(row + b"\n" for row in ROWS)


@pytest.mark.parametrize(("share", "taken"), [(0.1, 100), (0.0001, 1), (0.99999, 999), (0.25, 250)])
def test_a_share_is_exact(share: float, taken: int) -> None:
    assert divided(ROWS, share=share).validation == taken


def test_rows_keep_their_order() -> None:
    train, _ = parts(ROWS, divided(ROWS, share=0.1))
    assert train == [row + b"\n" for row in ROWS if row + b"\n" in set(train)]


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"1", b"2", b"3", b"4"]), min_size=2, max_size=30), st.integers(0, 9))
def test_equal_rows_are_on_one_side(rows: list[bytes], seed: int) -> None:
    try:
        found = divided(rows, seed=seed, share=0.3)
    except BadInput:
        return
    train, validation = parts(rows, found)
    assert not set(train) & set(validation)
    assert train
    assert validation


def test_the_seed_decides() -> None:
    assert divided(ROWS, share=0.1) == divided(ROWS, share=0.1)
    assert parts(ROWS, divided(ROWS, share=0.1)) != parts(ROWS, divided(ROWS, seed=8, share=0.1))


@pytest.mark.parametrize(
    "options", [{}, {"share": 0.1, "count": 1}, {"share": 0.0}, {"share": 1.0}, {"count": 0}, {"count": 1000}]
)
def test_what_cannot_be_split_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        divided(ROWS, **options)  # type: ignore[arg-type]  # one of its keywords each


@pytest.mark.parametrize("rows", [[], [b"{}"], [b"{}"] * 9])
def test_a_file_without_two_different_rows_is_refused(rows: list[bytes]) -> None:
    with pytest.raises(BadInput):
        divided(rows, share=0.5)
