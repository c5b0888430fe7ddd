"""The tests that canaries are judged by, held against published figures and against luck itself."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.registry.canaries import evidence
from tuneway.registry.canaries.evidence import Mean, above, at_least, larger_mean, level_of, more_often, quantile_bound
from tuneway.registry.counts.tallies import bucket_of


def mean(values: list[float]) -> Mean:
    return Mean(count=len(values), total=sum(values), squares=sum(value * value for value in values))


def histogram(values: list[float]) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        bucket = str(bucket_of(value))
        found[bucket] = found.get(bucket, 0) + 1
    return found


def test_fishers_lady_tasting_tea() -> None:
    assert more_often(4, 4, than=(0, 4)) == pytest.approx(1 / 70)
    assert more_often(3, 4, than=(1, 4)) == pytest.approx(17 / 70)


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 25), st.integers(0, 25))
def test_fishers_tail_is_the_sum_of_its_tables(bad: int, good: int, others: int, fine: int) -> None:
    of, of_others, marked = bad + good, others + fine, bad + others
    whole = math.comb(of + of_others, of)
    exact = (
        sum(math.comb(marked, k) * math.comb(of + of_others - marked, of - k) for k in range(bad, min(of, marked) + 1))
        / whole
    )
    found = more_often(bad, of, than=(others, of_others))
    if bad * (of + of_others) > of * marked and of_others:
        assert found == pytest.approx(exact, rel=1e-9)
    else:
        assert found == 1.0


@pytest.mark.parametrize(("n", "k"), [(10, 5), (100, 12), (1000, 80)])
def test_the_binomial_tail_is_the_sum_of_its_terms(n: int, k: int) -> None:
    exact = sum(math.comb(n, i) * 0.05**i * 0.95 ** (n - i) for i in range(k, n + 1))
    assert at_least(k, n, chance=0.05) == pytest.approx(exact, rel=1e-9)


def test_tails_end_where_they_must() -> None:
    assert (at_least(11, 10, chance=0.05), at_least(0, 10, chance=0.05), at_least(1, 30, chance=0.05)) == (
        0.0,
        1.0,
        1.0,
    )
    assert more_often(500_000, 1_000_000, than=(1, 1_000_000)) == 0.0


# Critical values of Student's t: https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm (read 2026-11).
@pytest.mark.parametrize(
    ("value", "freedom", "tail"), [(12.706, 1, 0.025), (2.228, 10, 0.025), (3.385, 30, 0.001), (1.660, 100, 0.05)]
)
def test_students_tail_is_that_of_the_tables(value: float, freedom: float, tail: float) -> None:
    assert evidence._students_tail(value, freedom) == pytest.approx(tail, rel=2e-3)  # noqa: SLF001
    assert evidence._students_tail(-value, freedom) == pytest.approx(1 - tail, rel=1e-3)  # noqa: SLF001


def test_levels_add_up_to_no_more_than_the_whole() -> None:
    spent = sum(level_of(look, confidence=0.95) for look in range(1, 100_000))
    assert 0.0499 < spent < 0.05


def test_few_values_have_no_mean_to_compare_and_equal_ones_no_spread() -> None:
    few, many = mean([1.0] * 29), mean([1.0] * 30)
    assert larger_mean(few, many) is None
    assert larger_mean(many, many) == 1.0
    assert larger_mean(mean([2.0] * 30), many, ratio=1.5) == 0.0
    assert larger_mean(mean([2.0] * 30), many, ratio=2.5) == 1.0


def test_a_dearer_mean_is_found_beyond_its_ratio_alone() -> None:
    draw = random.Random(1)
    cheap, dear = ([draw.gauss(m, 0.1) for _ in range(200)] for m in (1.0, 1.4))
    assert (larger_mean(mean(dear), mean(cheap), ratio=1.25) or 0.0) < 1e-6
    assert (larger_mean(mean(dear), mean(cheap), ratio=1.5) or 0.0) > 0.9


def test_the_bound_on_a_quantile_holds_as_often_as_it_says() -> None:
    draw, missed, rounds = random.Random(7), 0, 400
    true = math.exp(1.6449)  # the 95th percentile of exp(standard normal)
    for _ in range(rounds):
        bound = quantile_bound(histogram([100 * draw.lognormvariate(0, 1) for _ in range(200)]), 0.95, level=0.05)
        missed += bound is None or bound < 100 * true
    assert missed <= 0.05 * rounds + 3 * math.sqrt(0.05 * 0.95 * rounds)


def test_too_few_have_no_bound() -> None:
    assert quantile_bound(histogram([5.0] * 20), 0.95, level=0.01) is None
    assert quantile_bound({}, 0.95, level=0.5) is None


def test_what_is_above_is_counted_by_whole_buckets() -> None:
    assert above({"0": 3, "8": 2, "16": 1}, 2.0) == 1
    assert above({"0": 3}, 0.0) == 0


def test_many_looks_at_equals_raise_a_false_alarm_more_rarely_than_they_say() -> None:
    draw, alarms, rounds = random.Random(11), 0, 400
    for _ in range(rounds):
        mine = theirs = bad = other = 0
        for look in range(1, 26):
            mine, bad = mine + 8, bad + sum(draw.random() < 0.2 for _ in range(8))
            theirs, other = theirs + 30, other + sum(draw.random() < 0.2 for _ in range(30))
            if more_often(bad, mine, than=(other, theirs)) <= level_of(look, confidence=0.9):
                alarms += 1
                break
    assert alarms <= 0.1 * rounds
