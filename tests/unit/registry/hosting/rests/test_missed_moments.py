"""What happens just before, just after or in the midst of a sleep: no hours missed, no call lost, none obeyed twice."""

from pathlib import Path

import pytest

from tests.unit.registry.naps import NapWorld, call
from tests.unit.registry.rollouts import MAIN
from tuneway.errors import BadInput, TryLater
from tuneway.registry.hosting.napping import MOST_FAILURES, saved
from tuneway.registry.rest import Rest, Window
from tuneway.registry.shelves import DeploymentStatus as Status

OFFICE = Rest(
    windows=(Window(days=("mon", "tue", "wed", "thu", "fri"), start="08:00", end="18:00", timezone="Europe/Berlin"),)
)
EIGHT = 1_795_071_600.0  # Thursday 2026-11-19 08:00 in Berlin
DAY = 86_400.0
HOUR = 3600.0


@pytest.fixture
def office(tmp_path: Path) -> NapWorld:
    return NapWorld(tmp_path, rest=OFFICE)


@pytest.fixture
def world(tmp_path: Path) -> NapWorld:
    return NapWorld(tmp_path, rest=Rest())


def woken_at(world: NapWorld, at: float) -> None:
    world.until(Status.ASLEEP, seconds=DAY)
    world.pass_time(at - world.clock)
    world.called(asleep=True)
    world.until(Status.READY)


def given_up(world: NapWorld) -> None:
    world.until(Status.ASLEEP, seconds=DAY)
    world.provider.fails = {"deployed"}
    world.called(asleep=True)
    world.pass_time(27 * HOUR, beat=300)
    assert (world.deployment().status, world.deployment().nap.failures) == (Status.ASLEEP, MOST_FAILURES)


def test_hours_that_begin_while_it_is_taken_off_its_machines_are_not_missed(office: NapWorld) -> None:
    woken_at(office, EIGHT - 2400)
    office.provider.stuck = {"remove deployed"}
    office.pass_time(EIGHT + 120 - office.clock)
    assert office.deployment().status is Status.FALLING_ASLEEP
    office.provider.stuck = set()
    office.until(Status.READY, seconds=600)


def test_hours_that_begin_in_the_drain_end_it_at_once(office: NapWorld) -> None:
    woken_at(office, EIGHT - 1500)
    office.until(Status.DRAINING)
    office.pass_time(EIGHT - office.clock)
    assert (office.deployment().status, office.is_hidden) == (Status.READY, False)


def test_put_to_sleep_within_its_hours_it_sleeps_until_the_next(office: NapWorld) -> None:
    office.resting.sleep(MAIN, owner=None)
    office.deliver()
    assert office.until(Status.ASLEEP).nap.wake_at == EIGHT
    office.pass_time(HOUR)
    assert office.deployment().status is Status.ASLEEP


def test_put_to_sleep_just_before_its_hours_it_is_woken_when_they_begin(office: NapWorld) -> None:
    woken_at(office, EIGHT - 600)
    office.pass_time(EIGHT - 30 - office.clock)
    office.resting.sleep(MAIN, owner=None)
    office.deliver()
    office.pass_time(600)
    assert Status.ASLEEP in [moment.status for moment in office.deployment().history[-3:]]
    assert office.deployment().status is Status.READY


def test_what_was_given_up_is_woken_by_a_call_though_its_hours_would_do_it_later(office: NapWorld) -> None:
    given_up(office)
    (said,) = office.snapshot().asleep.values()
    assert said.wakes_at is None
    office.provider.fails = set()
    office.called(asleep=True)
    assert office.until(Status.READY).nap.failures == 0


def test_what_was_given_up_has_all_its_tries_again_when_its_hours_begin(office: NapWorld) -> None:
    given_up(office)
    office.pass_time(EIGHT + DAY + 600 - office.clock)
    assert 1 < office.deployment().nap.failures < 6
    office.provider.fails = set()
    office.until(Status.READY, seconds=HOUR)


def test_once_it_is_taken_away_it_saves_nothing_more(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    world.pass_time(2 * HOUR)
    world.desk.remove(MAIN, owner="acme", force=True)
    found = world.until(Status.UNDEPLOYED)
    assert saved(found, now=world.clock + DAY) == saved(found, now=found.moved_at)
    assert saved(found, now=world.clock).usd == pytest.approx(2.0, abs=0.05)


def test_a_call_that_is_told_again_after_it_has_answered_wakes_nothing(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    again = call(world.clock, asleep=True)
    world.called(asleep=True)
    world.until(Status.READY)
    found = world.until(Status.ASLEEP)
    world.stirring.used(again)
    assert world.deployment() == found


def test_a_call_turned_away_just_after_a_look_is_noted_when_it_comes_again(tmp_path: Path) -> None:
    world = NapWorld(tmp_path)
    world.begin()
    world.called()
    world.clock += 1
    world.resting.sleep(MAIN, owner=None)
    with pytest.raises(TryLater):
        world.called(asleep=True)
    turned_away = call(world.clock, asleep=True)
    world.clock += 10
    world.stirring.used(turned_away)
    world.deliver()
    assert world.deployment().status is Status.READY


def test_what_could_not_be_put_to_sleep_was_not_woken(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    world.provider.faults = {"remove deployed": BadInput("Another operation has the endpoint.")}
    assert world.until(Status.READY).nap.wake_seconds is None
    assert world.news() == []


def test_a_new_rest_does_not_put_off_when_it_will_answer(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    world.called(asleep=True)
    (before,) = world.snapshot().asleep.values()
    world.clock += 30
    world.resting.set_rest(MAIN, Rest(idle_minutes=30), owner=None)
    assert list(world.snapshot().asleep.values()) == [before]
