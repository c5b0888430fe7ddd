"""The budget of polling, counted over the benchmark's simulated fleet: cost follows changes, not jobs."""

import pytest

from tests.bench.polling import Simulation

MINUTES = 5
OVERHEAD = 20


def test_a_tick_with_nothing_running_is_one_read_of_all_rooms_together() -> None:
    cost = Simulation(0).cost(MINUTES)
    assert (cost.calls, cost.reads, cost.commits, cost.written) == (0, 1, 0, 0)


def test_a_hundred_thousand_jobs_cost_a_thousand_calls_and_a_document_for_each_change() -> None:
    simulation = Simulation(100_000, shows_ended=False, names=True)
    simulation.minute()
    cost = simulation.cost(2)
    assert cost.peak <= 1000
    assert cost.beyond <= OVERHEAD
    assert cost.changed > 1000
    assert not simulation.unseen()


@pytest.mark.parametrize("size", [100, 10_000])
def test_where_jobs_are_listed_by_their_tokens_an_end_costs_no_call_of_its_own(size: int) -> None:
    cost = Simulation(size, shows_ended=False, names=True).cost(MINUTES)
    assert cost.calls <= size / 100 + cost.changed / 60 + 2
    assert cost.beyond <= OVERHEAD


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_listing_that_shows_ends_costs_one_call_for_a_hundred_jobs(size: int) -> None:
    cost = Simulation(size).cost(MINUTES)
    assert cost.calls <= size / 100 + cost.changed / 100 + 2
    assert cost.beyond <= OVERHEAD
    assert cost.changed > 0


@pytest.mark.parametrize("size", [100, 10_000])
def test_where_a_listing_hides_what_has_ended_each_end_costs_one_call_more(size: int) -> None:
    cost = Simulation(size, shows_ended=False).cost(MINUTES)
    assert cost.calls <= size / 100 + cost.changed + 2
    assert cost.beyond <= OVERHEAD


def test_reads_follow_changes_and_not_jobs() -> None:
    cost = Simulation(10_000).cost(MINUTES)
    assert cost.reads <= 6 * cost.changed + OVERHEAD < 10_000


@pytest.mark.parametrize(("shows_ended", "names"), [(True, False), (False, False), (False, True)])
def test_within_a_minute_every_job_says_what_the_provider_says(*, shows_ended: bool, names: bool) -> None:
    simulation = Simulation(100, shows_ended=shows_ended, names=names)
    for _ in range(120):
        simulation.minute()
        assert not simulation.unseen()


def test_within_a_minute_every_one_of_many_does_too_though_those_that_wait_are_spared() -> None:
    simulation = Simulation(3000, shows_ended=False, names=True)
    for _ in range(30):
        simulation.minute()
        assert not simulation.unseen()
