"""The budget of polling, counted over the benchmark's simulated fleet: cost follows changes, not jobs."""

import pytest

from tests.bench.polling import Simulation

MINUTES = 5
OVERHEAD = 20


def test_a_tick_with_nothing_running_is_one_read() -> None:
    cost = Simulation(0).cost(MINUTES)
    assert (cost.calls, cost.reads, cost.commits, cost.written) == (0, 1, 0, 0)


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_listing_costs_one_call_for_a_hundred_jobs_and_a_write_for_each_change(size: int) -> None:
    cost = Simulation(size).cost(MINUTES)
    assert cost.calls <= size / 100 + cost.changed / 100 + 2
    assert cost.commits <= cost.changed + OVERHEAD
    assert cost.changed > 0


@pytest.mark.parametrize("size", [100, 10_000])
def test_where_a_listing_hides_what_has_ended_each_end_costs_one_call_more(size: int) -> None:
    cost = Simulation(size, shows_ended=False).cost(MINUTES)
    assert cost.calls <= size / 100 + cost.changed + 2
    assert cost.commits <= cost.changed + OVERHEAD


def test_reads_follow_changes_and_not_jobs() -> None:
    cost = Simulation(10_000).cost(MINUTES)
    assert cost.reads <= 6 * cost.changed + OVERHEAD < 10_000


@pytest.mark.parametrize("shows_ended", [True, False])
def test_within_a_minute_every_job_says_what_the_provider_says(*, shows_ended: bool) -> None:
    simulation = Simulation(100, shows_ended=shows_ended)
    for _ in range(120):
        simulation.minute()
        assert not simulation.unseen()
