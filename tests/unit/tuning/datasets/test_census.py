from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.census import MOST_SHAPES, Census
from tuneway.tuning.datasets.report import Bucket

ROLES = st.lists(st.sampled_from(["user", "assistant", "tool"]), max_size=20).map(tuple)


@given(st.lists(st.tuples(st.integers(0, 5_000), ROLES), min_size=1, max_size=60), st.integers(0, 60))
def test_every_row_is_counted_once_in_its_bucket(rows: list[tuple[int, tuple[str, ...]]], cut: int) -> None:
    census = Census()
    census.add([(size, size, roles) for size, roles in rows[:cut]])
    census.add([(size, size, roles) for size, roles in rows[cut:]])
    tokens, turns = census.tokens, census.turns
    assert tokens is not None
    assert turns is not None
    assert (tokens.least, tokens.most) == (min(s for s, _ in rows) // 4, max(s for s, _ in rows) // 4)
    assert (turns.least, turns.most) == (min(len(r) for _, r in rows), max(len(r) for _, r in rows))
    for histogram, values in ((tokens, [s // 4 for s, _ in rows]), (turns, [len(r) for _, r in rows])):
        for bucket in histogram.buckets:
            assert bucket.rows == sum(bucket.low <= value <= bucket.high for value in values)
        assert sum(bucket.rows for bucket in histogram.buckets) == len(rows)
    assert census.roles == census.roles
    assert sum(census.roles.values()) == sum(len(roles) for _, roles in rows)


def test_no_rows_have_no_histogram() -> None:
    assert (Census().tokens, Census().turns, Census().roles) == (None, None, {})


def test_rows_of_a_thousand_shapes_are_counted_in_bounded_memory() -> None:
    census = Census()
    for number in range(3 * MOST_SHAPES):
        census.add([(8, 8, (f"role{number}",))])
    assert census.turns is not None
    assert census.turns.buckets == (Bucket(1, 1, 3 * MOST_SHAPES),)


def test_no_mean_stands_above_the_most() -> None:
    census = Census()
    census.add([(23, 23, ("user", "assistant"))] * 3)
    tokens = census.tokens
    assert tokens is not None
    assert (tokens.least, tokens.mean, tokens.most) == (5, 5.0, 5)
