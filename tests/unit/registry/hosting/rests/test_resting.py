"""A deployment falls asleep when nobody uses it, and wakes when somebody does: whatever dies, races or comes twice."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.naps import IDLE, PLACE, NapWorld, call, within
from tests.unit.registry.rollouts import ALIAS, KINDS, MAIN
from tuneway.errors import BadInput, NotAllowed, TryLater
from tuneway.ports import DeployOrder, Work
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.hosting.napping import DRAIN_SECONDS, NOTED_SECONDS
from tuneway.registry.hosting.rests.stirring import Echo, Stirring
from tuneway.registry.rest import Rest, Window
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.underway import OPENINGS

EVERYTHING = {(kind, MAIN) for kind in KINDS}
ASLEEP = EVERYTHING - {("deployed", MAIN)}
DAY = 86_400.0


@pytest.fixture
def world(tmp_path: Path) -> NapWorld:
    return NapWorld(tmp_path, rest=Rest())


def nothing_allowed(_: DeployOrder) -> Work:
    raise NotAllowed("The service account may not.")


def asleep(world: NapWorld) -> Deployment:
    return world.until(Status.ASLEEP)


def test_what_nobody_uses_falls_asleep_and_keeps_its_endpoint(world: NapWorld) -> None:
    found = asleep(world)
    assert [moment.status for moment in found.history][-3:] == [Status.DRAINING, Status.FALLING_ASLEEP, Status.ASLEEP]
    assert (found.endpoint, world.provider.there) == (PLACE, ASLEEP)
    assert list(world.snapshot().asleep) == [PLACE.partition("/locations/")[2]]
    assert world.snapshot().routes[ALIAS].targets[0].resource == PLACE
    assert world.inventory.version("ft-1", "1", owner="acme").endpoint == PLACE


def test_it_is_awake_for_its_idle_time_and_hidden_before_it_is_taken_away(world: NapWorld) -> None:
    world.pass_time(IDLE)
    assert (world.deployment().status, world.is_hidden) == (Status.READY, False)
    world.pass_time(NOTED_SECONDS + 60)
    assert (world.deployment().status, world.is_hidden, world.is_up) == (Status.DRAINING, True, True)
    world.pass_time(DRAIN_SECONDS - 120)
    assert world.is_up


def test_calls_keep_it_awake(world: NapWorld) -> None:
    for _ in range(20):
        world.pass_time(IDLE - 60)
        world.called()
    assert (world.deployment().status, world.is_hidden) == (Status.READY, False)


def test_a_call_wakes_it_and_the_saved_money_is_counted(world: NapWorld) -> None:
    asleep(world)
    world.pass_time(2 * 3600)
    world.called(asleep=True)
    assert world.deployment().status is Status.WAKING
    found = world.until(Status.READY)
    assert (world.is_up, world.is_hidden) == (True, False)
    assert found.nap.saved_usd == pytest.approx(2.0, abs=0.05)  # at 1 USD an hour
    assert found.nap.wake_seconds is not None
    assert world.news() == ["asleep", "woken"]
    assert sorted(world.provider.made) == sorted([*EVERYTHING, ("deployed", MAIN)])


def test_who_waits_is_told_when_it_will_answer(world: NapWorld) -> None:
    found = asleep(world)
    (said,) = world.snapshot().asleep.values()
    assert (said.seconds, said.ready_at) == (900.0, None)
    world.called(asleep=True)
    (said,) = world.snapshot().asleep.values()
    assert said.ready_at == world.deployment().moved_at + 900.0
    assert found.open is False


def test_asleep_it_costs_the_beat_nothing(world: NapWorld) -> None:
    found = asleep(world)
    assert world.documents.find(OPENINGS["deployments"].question("deployments")) == []
    sent = len(world.events.sent)
    world.pass_time(DAY)
    assert (len(world.events.sent), world.deployment()) == (sent, found)


@pytest.mark.parametrize("wanted", ["used", "asleep"])
def test_a_request_in_the_drain_cancels_the_sleep(world: NapWorld, wanted: str) -> None:
    world.until(Status.DRAINING)
    world.called(asleep=wanted == "asleep")
    assert (world.deployment().status, world.is_hidden, world.is_up) == (Status.READY, False, True)
    assert world.news() == []


def test_a_call_that_ended_before_and_is_told_late_cancels_the_sleep(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    world.stirring.used(call(world.clock - 300))
    world.deliver()
    assert world.deployment().status is Status.READY


def test_a_call_wanted_while_it_is_taken_away_wakes_it_at_once(world: NapWorld) -> None:
    world.provider.stuck = {"remove deployed"}
    world.until(Status.FALLING_ASLEEP)
    world.called(asleep=True)
    assert world.deployment().nap.wanted
    world.provider.stuck = set()
    world.until(Status.READY)
    assert [moment.status for moment in world.deployment().history][-3:] == [
        Status.ASLEEP,
        Status.WAKING,
        Status.READY,
    ]


def test_a_wish_that_comes_in_the_very_call_is_kept(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    world.provider.meanwhile = lambda: world.stirring.used(call(world.clock, asleep=True))
    world.until(Status.READY)
    steps = [moment.status for moment in world.deployment().history]
    assert steps[-4:] == [Status.FALLING_ASLEEP, Status.ASLEEP, Status.WAKING, Status.READY]
    assert world.is_up


def test_long_calls_have_long_to_end(world: NapWorld) -> None:
    world.called(ms=1_500_000)
    drained = world.until(Status.DRAINING)
    world.pass_time(2200)
    assert world.is_up
    world.until(Status.ASLEEP, seconds=600)
    assert drained.nap.longest == 1500.0


def test_a_feed_that_is_silent_keeps_it_awake_and_callable_and_says_so(world: NapWorld) -> None:
    world.deaf_feed = True
    world.pass_time(7200)
    found = world.deployment()
    assert (found.status, world.is_up, world.is_hidden) == (Status.READY, True, False)
    assert "log sink" in str(found.stage)
    world.deaf_feed = False
    assert asleep(world).stage is None


def test_an_old_echo_is_not_taken_for_a_new_one(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    old = world.deployment().nap.heard_at
    world.called(asleep=True)
    world.deaf_feed = True
    world.pass_time(7200)
    world.stirring.heard(Echo(deployment=MAIN, at=old))
    assert (world.is_up, world.deployment().nap.heard_at) == (True, old)


def test_a_use_that_comes_with_the_echo_keeps_it_awake(world: NapWorld) -> None:
    world.deaf_feed = True
    world.pass_time(IDLE + 120)
    assert world.deployment().nap.asked_at
    world.stirring.used(call(world.clock - 30))
    world.stirring.heard(Echo(deployment=MAIN, at=world.clock))
    world.deliver()
    assert (world.deployment().status, world.deployment().nap.asked_at) == (Status.READY, 0.0)


def test_a_call_turned_away_in_the_drain_is_told_to_come_back_soon(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    (said,) = world.snapshot().asleep.values()
    assert said.seconds == 30.0
    asleep(world)
    (said,) = world.snapshot().asleep.values()
    assert said.seconds == 900.0


def test_what_cannot_be_woken_sleeps_on_and_is_tried_again_with_growing_pauses(world: NapWorld) -> None:
    asleep(world)
    world.provider.fails = {"deployed"}
    world.called(asleep=True)
    first = asleep(world)
    assert (first.error.code if first.error else "", world.is_hidden) == ("quota_exceeded", True)
    pauses: list[float] = []
    for _ in range(4):
        at = world.deployment().nap.wake_at
        assert at is not None
        pauses.append(at - world.deployment().moved_at)
        world.clock = at
        world.deploying.tick()
        world.deliver()
        asleep(world)
    assert pauses == [60.0, 120.0, 240.0, 480.0]
    assert (world.provider.there, list(world.snapshot().routes)) == (ASLEEP, [ALIAS])
    world.provider.fails = set()
    assert world.until(Status.READY).error is None
    assert world.news() == ["asleep", "woken"]


def test_calls_do_not_hurry_one_that_cannot_be_woken(world: NapWorld) -> None:
    asleep(world)
    world.provider.fails = {"deployed"}
    world.called(asleep=True)
    asleep(world)
    begun = len(world.provider.operations)
    world.called(asleep=True)
    assert (len(world.provider.operations), world.deployment().status) == (begun, Status.ASLEEP)
    (said,) = world.snapshot().asleep.values()
    assert (said.wakes_at, said.strict) == (world.deployment().nap.wake_at, False)


def test_after_a_day_in_vain_it_waits_for_the_next_call(world: NapWorld) -> None:
    asleep(world)
    world.provider.fails = {"deployed"}
    world.called(asleep=True)
    world.pass_time(2 * DAY, beat=300)
    found = world.deployment()
    assert (found.status, found.open, found.nap.wake_at) == (Status.ASLEEP, False, None)
    world.provider.fails = set()
    world.called(asleep=True)
    assert world.until(Status.READY).nap.failures == 0


def test_a_refusal_to_take_it_off_its_machines_leaves_it_awake(world: NapWorld) -> None:
    world.until(Status.DRAINING)
    world.provider.faults = {"remove deployed": BadInput("Another operation has the endpoint.")}
    found = world.until(Status.READY)
    assert (world.is_up, world.is_hidden, found.error) == (True, False, None)


def test_where_nothing_is_allowed_it_is_tried_once_a_beat(world: NapWorld) -> None:
    asleep(world)
    world.provider.rest = world.provider.deploy = nothing_allowed  # type: ignore[assignment,method-assign]  # a fake's
    world.called(asleep=True)
    before = world.deployment().attempts
    world.pass_time(600)
    assert world.deployment().attempts - before <= 30
    del world.provider.rest, world.provider.deploy
    world.until(Status.READY)


def test_a_lost_answer_takes_nothing_away_twice(world: NapWorld) -> None:
    world.provider.deaf = 1
    asleep(world)
    removed = [each for each in world.provider.operations.values() if each[0] == "remove"]
    assert removed == [("remove", "deployed", MAIN)]


def test_two_usage_events_at_once_wake_it_once(world: NapWorld) -> None:
    asleep(world)
    other = Stirring(world.deploying)
    world.provider.meanwhile = lambda: other.used(call(world.clock, asleep=True))
    world.called(asleep=True)
    other.used(call(world.clock, asleep=True))
    world.until(Status.READY)
    assert world.provider.made.count(("deployed", MAIN)) == 2  # once to begin with, once now


def test_redelivery_changes_nothing(world: NapWorld) -> None:
    found = asleep(world)
    for _ in range(3):
        world.rollout(DeployRef(MAIN))
    assert world.deployment() == found
    assert world.news() == ["asleep"]


def test_news_that_cannot_be_told_now_is_told_later(world: NapWorld) -> None:
    world.until(Status.FALLING_ASLEEP)
    world.events.away = True
    world.clock += 61
    with suppress(TryLater):
        world.rollout(DeployRef(MAIN))
    with suppress(TryLater):
        world.rollout(DeployRef(MAIN))
    world.events.away = False
    world.pass_time(120)
    assert (world.deployment().status, world.news()) == (Status.ASLEEP, ["asleep"])


def test_its_job_is_told_once_however_often_it_wakes(world: NapWorld) -> None:
    for _ in range(2):
        asleep(world)
        world.called(asleep=True)
        world.until(Status.READY)
    assert (world.outcomes.settled, world.decided) == ([ALIAS], ["ftjob-1"])


def test_a_route_that_was_removed_meanwhile_is_not_made_again(world: NapWorld) -> None:
    asleep(world)
    RouteBook(world.documents, now=lambda: world.clock).remove(ALIAS)
    world.called(asleep=True)
    world.until(Status.READY)
    assert world.snapshot().routes == {}


@pytest.mark.parametrize("status", [Status.DRAINING, Status.FALLING_ASLEEP, Status.ASLEEP, Status.WAKING])
def test_it_can_be_taken_away_from_everywhere(world: NapWorld, status: Status) -> None:
    if status is Status.WAKING:
        asleep(world)
        world.provider.stuck = {"make deployed"}
        world.called(asleep=True)
    elif status is Status.FALLING_ASLEEP:
        world.provider.stuck = {"remove deployed"}
    assert world.until(status).status is status
    world.desk.remove(MAIN, owner="acme", force=True)
    world.provider.stuck = set()
    world.until(Status.UNDEPLOYED)
    assert (world.provider.there, world.snapshot().asleep, world.snapshot().routes) == (set(), {}, {})


OFFICE = Rest(
    windows=(Window(days=("mon", "tue", "wed", "thu", "fri"), start="08:00", end="18:00", timezone="Europe/Berlin"),)
)
SIX, EIGHT = 1_795_021_200.0, 1_795_071_600.0  # Wednesday 2026-11-18 18:00 and Thursday 08:00 in Berlin


def test_in_its_hours_it_is_up_whoever_calls(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=OFFICE)
    world.pass_time(SIX - 60 - world.clock)
    assert (world.deployment().status, world.is_up) == (Status.READY, True)


def test_after_its_hours_it_sleeps_and_is_woken_when_they_begin(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=OFFICE)
    assert SIX < asleep(world).moved_at < SIX + 3600
    world.pass_time(EIGHT - 60 - world.clock)
    assert not world.is_up
    world.pass_time(300)
    assert (world.deployment().status, world.is_up) == (Status.READY, True)
    assert world.deployment().nap.saved_usd == pytest.approx(13.8, abs=0.3)


def test_outside_its_hours_a_call_wakes_it(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=OFFICE)
    asleep(world)
    world.called(asleep=True)
    world.until(Status.READY)
    assert asleep(world).nap.wake_at == EIGHT


def test_strict_hours_leave_calls_waiting(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=msgspec.structs.replace(OFFICE, strict=True))
    found = asleep(world)
    world.called(asleep=True)
    assert world.deployment() == found
    (said,) = world.snapshot().asleep.values()
    assert (said.strict, said.wakes_at) == (True, EIGHT)


def dozed(world: NapWorld) -> None:
    """An evening and a morning, with somebody dying once."""
    within(world, lambda: world.resting.set_rest(MAIN, Rest(), owner=None))
    within(world, lambda: world.resting.set_rest(MAIN, Rest(), owner=None))
    world.pass_time(2300, beat=61)
    within(world, lambda: world.called(asleep=True))
    within(world, lambda: world.called(asleep=True))
    world.pass_time(310, beat=61)


def deployed(folder: Path) -> NapWorld:
    folder.mkdir()
    world = NapWorld(folder)
    world.finish()
    world.settle(4)
    assert (world.deployment().status, world.deployment().open) == (Status.READY, False)
    return world


@pytest.mark.parametrize("part", range(4))
def test_a_crash_at_any_moment_ends_awake_with_one_model_there(tmp_path: Path, part: int) -> None:
    dry = deployed(tmp_path / "dry")
    before = dry.fuse.uses
    dozed(dry)
    assert dry.news() == ["asleep", "woken"]
    for moment in range(1 + part, 2 * (dry.fuse.uses - before) + 1, 4):
        world = deployed(tmp_path / str(moment))
        world.fuse.left = moment
        dozed(world)
        assert (world.deployment().status, world.is_hidden) == (Status.READY, False), moment
        assert world.provider.there == EVERYTHING, moment
        assert set(world.news()) == {"asleep", "woken"}, moment
        assert list(world.snapshot().routes) == [ALIAS], moment
