"""Counts and their arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.registry.requests import request
from tuneway.registry.counts.tallies import LAST_BUCKET, Tally, bucket_of, quantile, tally_of, total, upper_ms

LATENCIES = st.floats(min_value=0.0, max_value=4e6)


@given(LATENCIES)
def test_a_latency_lies_in_its_bucket_and_above_the_one_before(ms: float) -> None:
    bucket = bucket_of(ms)
    assert ms <= upper_ms(bucket) * (1 + 1e-9)
    assert bucket == 0 or ms > upper_ms(bucket - 1) * (1 - 1e-9)


@pytest.mark.parametrize("ms", [float("inf"), 1e300, 1e12])
def test_what_takes_longer_than_an_hour_is_in_the_last_bucket(ms: float) -> None:
    assert bucket_of(min(ms, 1e308)) == LAST_BUCKET


@given(st.lists(LATENCIES, min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_at_most_a_bucket_too_high(values: list[float], share: float) -> None:
    found = quantile(total(tally_of(request(ms=ms)) for ms in values).latencies, share)
    exact = next(v for n, v in enumerate(sorted(values), start=1) if n >= share * len(values))
    assert found is not None
    assert exact <= found + 0.01
    assert found <= max(exact, 1.0) * 2 ** (1 / 8) + 0.01


@pytest.mark.parametrize(
    ("status", "errors", "refused", "timed"), [(200, 0, 0, 1), (404, 0, 1, 0), (429, 1, 0, 0), (503, 1, 0, 0)]
)
def test_a_hosts_fault_is_an_error_and_a_callers_is_not(status: int, errors: int, refused: int, timed: int) -> None:
    found = tally_of(request(status=status))
    assert (found.errors, found.refused, len(found.latencies)) == (errors, refused, timed)


@given(st.lists(st.sampled_from([200, 404, 503]), max_size=20), st.integers(0, 20))
def test_adding_up_is_the_same_in_any_parts(statuses: list[int], cut: int) -> None:
    tallies = [tally_of(request(status=status)) for status in statuses]
    parts = [total(tallies[:cut]), total(tallies[cut:])]
    assert total(parts) == total(tallies)


def test_nothing_adds_up_to_nothing() -> None:
    assert total([]) == Tally()
    assert quantile({}, 0.95) is None
