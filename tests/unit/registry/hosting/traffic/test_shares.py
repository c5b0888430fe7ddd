"""Shares of an endpoint's traffic always make a hundred, whatever they are shared out by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.registry.hosting.traffic.shares import among, beside, carrying, without

NAMES = st.text("abcdef0123456789-", min_size=1, max_size=6)
WEIGHTS = st.dictionaries(NAMES, st.integers(0, 100), min_size=1, max_size=8)


@given(WEIGHTS, st.integers(0, 100))
def test_what_is_shared_out_is_all_of_it_and_never_less_than_nothing(weights: dict[str, int], total: int) -> None:
    shares = among(weights, total)
    assert set(shares) == set(weights)
    assert sum(shares.values()) == total
    assert min(shares.values()) >= 0


@given(WEIGHTS, st.integers(0, 100))
def test_nobody_is_a_whole_percent_from_its_due(weights: dict[str, int], total: int) -> None:
    whole = sum(weights.values())
    for name, share in among(weights, total).items():
        due = total * weights[name] / whole if whole else total / len(weights)
        assert abs(share - due) < 1


@given(WEIGHTS, st.integers(0, 100))
def test_one_that_comes_and_one_that_goes_leave_a_hundred(weights: dict[str, int], share: int) -> None:
    left = beside(weights, share)
    assert sum(left.values()) + share == 100
    back = without({**left, "new": share}, {"new"})
    assert (set(back), sum(back.values())) == (set(weights), 100)


@given(WEIGHTS)
def test_what_makes_a_hundred_already_stays_as_it_is(weights: dict[str, int]) -> None:
    shares = among(weights)
    assert among(shares) == shares
    assert sum(carrying(shares).values()) == 100


@given(WEIGHTS)
def test_the_order_in_which_they_are_named_is_no_matter(weights: dict[str, int]) -> None:
    assert among(dict(reversed(weights.items()))) == among(weights)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ({}, {}),
        ({"a": 0}, {"a": 100}),
        ({"a": 0, "b": 0, "c": 0}, {"a": 34, "b": 33, "c": 33}),
        ({"a": 50, "b": 30}, {"a": 63, "b": 37}),
        ({"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        ({"a": 0, "b": 7}, {"a": 0, "b": 100}),
    ],
)
def test_what_is_left_over_goes_to_the_largest_remainders(weights: dict[str, int], shares: dict[str, int]) -> None:
    assert among(weights) == shares


def test_of_those_that_go_the_others_get_what_they_had() -> None:
    assert without({"a": 60, "b": 20, "c": 20}, {"a"}) == {"b": 50, "c": 50}
    assert without({"a": 100, "b": 0}, {"a"}) == {"b": 100}
    assert without({"a": 100}, {"a"}) == {}
