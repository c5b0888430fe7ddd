"""A canary without what its step takes does not wait for ever: it is taken back, and says what it lacked."""

from pathlib import Path

import pytest

from tests.unit.registry.canary_site import OLD, PLAN, Site, gates
from tuneway.errors import BadInput
from tuneway.registry.canaries.canary_plan import Plan, State, checked

DAY = 86_400.0


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_without_calls_it_is_taken_back_in_the_end_and_says_what_it_lacked(site: Site) -> None:
    site.start(max_minutes=60)
    assert site.tick(3599).state is State.RUNNING
    after = site.tick(1)
    assert (after.state, site.weights(), site.route.trial) == (State.ROLLED_BACK, {"1": OLD.weight, "9": 1.0}, None)
    said = after.moments[-1]
    assert "nobody knows whether it is worse" in said.message
    assert "It has 0 of 20 requests." in said.message
    assert (said.what, site.told()) == ("rolled_back", ["started", "rolled_back"])


def test_a_fortnight_is_enough_where_nobody_says_otherwise(site: Site) -> None:
    site.start()
    assert site.tick(14 * DAY - 1).state is State.RUNNING
    assert site.tick(1).state is State.ROLLED_BACK


def test_each_step_has_its_own_time(site: Site) -> None:
    site.start(max_minutes=60)
    site.both(20)
    assert site.tick(3599).share == 10.0
    assert site.tick(3599).state is State.RUNNING
    assert site.tick(1).state is State.ROLLED_BACK


def test_what_has_all_it_takes_at_the_last_moment_goes_on(site: Site) -> None:
    site.start(max_minutes=60)
    site.both(20)
    assert site.tick(3600).share == 10.0


def test_too_few_scores_are_waited_for_no_longer_than_too_few_calls(site: Site) -> None:
    site.start(max_minutes=60, gates=gates(error_rate=0.0, judge=0.0))
    site.both(40)
    assert "scores on each side" in site.tick(3600).moments[-1].message


def test_while_it_is_paused_no_time_runs(site: Site) -> None:
    site.start(max_minutes=60)
    site.desk.pause("shop", by="ann")
    assert site.tick(30 * DAY).state is State.PAUSED
    site.desk.resume("shop", by="ann")
    assert site.tick(3599).state is State.RUNNING
    assert site.tick(1).state is State.ROLLED_BACK


def test_a_step_cannot_end_before_it_may_go_on() -> None:
    with pytest.raises(BadInput) as caught:
        checked(Plan(min_minutes=60, max_minutes=59))
    assert caught.value.param == "max_minutes"
    assert checked(Plan(min_minutes=60, max_minutes=60, min_requests=PLAN.min_requests)).max_minutes == 60
