"""Sleep by hand: at once, for what can sleep, whatever it is doing."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.naps import IDLE, NapWorld
from tests.unit.registry.rollouts import MAIN, NOVA_ARN, World
from tuneway.errors import BadInput, Conflict, NotFound
from tuneway.ports import TunedModel
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.hosting.rests.resting_desk import RestingDesk
from tuneway.registry.rest import Rest, Window
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.state import Collection

ALWAYS = Window(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start="00:00", end="24:00")


@pytest.fixture
def world(tmp_path: Path) -> NapWorld:
    made = NapWorld(tmp_path)
    made.begin()
    return made


def slept(world: NapWorld) -> Deployment:
    world.resting.sleep(MAIN, owner="acme")
    world.deliver()
    return world.until(Status.ASLEEP)


def test_it_is_put_to_sleep_within_minutes_and_woken(world: NapWorld) -> None:
    began = world.clock
    assert slept(world).moved_at - began <= 180
    assert world.resting.wake(MAIN, owner="acme").status is Status.WAKING
    world.deliver()
    assert world.until(Status.READY).open is False
    assert world.news() == ["asleep", "woken"]


def test_twice_is_once(world: NapWorld) -> None:
    first = world.resting.sleep(MAIN, owner="acme")
    assert world.resting.sleep(MAIN, owner="acme") == first
    found = world.until(Status.ASLEEP)
    assert world.resting.sleep(MAIN, owner="acme") == found
    woken = world.resting.wake(MAIN, owner="acme")
    assert world.resting.wake(MAIN, owner="acme") == woken


def test_a_call_wakes_what_was_put_to_sleep_by_hand(world: NapWorld) -> None:
    slept(world)
    world.called(asleep=True)
    assert world.until(Status.READY).rests is False


def test_whoever_changes_their_mind_in_the_drain_has_it_back(world: NapWorld) -> None:
    world.resting.sleep(MAIN, owner="acme")
    assert world.resting.wake(MAIN, owner="acme").status is Status.READY
    assert not world.is_hidden


def test_a_hand_hastens_a_drain_that_has_begun(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=Rest())
    began = world.until(Status.DRAINING).moved_at
    world.resting.sleep(MAIN, owner=None)
    world.deliver()
    assert world.until(Status.ASLEEP).moved_at <= began + 120


def test_it_is_woken_from_falling_asleep(world: NapWorld) -> None:
    world.provider.stuck = {"remove deployed"}
    world.resting.sleep(MAIN, owner="acme")
    world.until(Status.FALLING_ASLEEP)
    world.resting.wake(MAIN, owner="acme")
    world.provider.stuck = set()
    world.until(Status.READY)
    assert world.is_up


def test_one_that_was_used_for_days_gets_its_whole_idle_time_when_it_gets_a_rest(world: NapWorld) -> None:
    world.pass_time(86_400, beat=3600)
    world.resting.set_rest(MAIN, Rest(), owner="acme")
    world.pass_time(IDLE - 60)
    assert world.deployment().status is Status.READY


def test_never_ends_it(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=Rest())
    world.until(Status.DRAINING)
    world.resting.set_rest(MAIN, None, owner="acme")
    world.pass_time(86_400, beat=600)
    found = world.deployment()
    assert (found.status, found.rest, found.open, found.rests) == (Status.READY, None, False, False)


def test_one_that_sleeps_is_woken_by_a_window_that_is_open_now(world: NapWorld) -> None:
    slept(world)
    world.resting.set_rest(MAIN, Rest(windows=(ALWAYS,)), owner="acme")
    world.deliver()
    world.until(Status.READY, seconds=300)
    world.pass_time(7200)
    assert world.is_up


def test_the_same_rest_again_changes_nothing(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=Rest())
    before = world.deployment()
    assert world.resting.set_rest(MAIN, Rest(), owner=None) == before


def test_a_rest_that_cannot_be_kept_is_refused(world: NapWorld) -> None:
    with pytest.raises(BadInput) as caught:
        world.resting.set_rest(MAIN, Rest(strict=True), owner="acme")
    assert caught.value.param == "rest.strict"


def test_another_tenants_is_not_there(world: NapWorld) -> None:
    for deed in (world.resting.sleep, world.resting.wake):
        with pytest.raises(NotFound):
            deed(MAIN, owner="other")


def test_what_is_not_ready_cannot_be_put_to_sleep(tmp_path: Path) -> None:
    world = NapWorld(tmp_path)
    world.finish()
    world.deliver()
    for deed in (world.resting.sleep, world.resting.wake):
        with pytest.raises(Conflict, match="is uploading"):
            deed(MAIN, owner="acme")


def test_what_costs_nothing_has_nothing_to_save(tmp_path: Path) -> None:
    world = World(
        tmp_path, backend="bedrock", base_model="amazon.nova-micro-v1:0:128k", tuned=TunedModel(model=NOVA_ARN)
    )
    world.finish()
    world.settle()
    with pytest.raises(BadInput) as caught:
        RestingDesk(world.deploying).sleep(MAIN, owner="acme")
    assert caught.value.code == "free_when_idle"


def test_what_tuneway_did_not_make_it_does_not_put_to_sleep(world: NapWorld) -> None:
    plain = Deployment(
        id="7", owner="acme", endpoint="projects/p/locations/us/endpoints/7", dialect="gemini", created_at=1
    )
    world.documents.commit(Collection(world.documents, "deployments", Deployment).create("7", plain))
    with pytest.raises(BadInput) as caught:
        world.resting.set_rest("7", Rest(), owner="acme")
    assert caught.value.code == "not_ours"


def test_one_on_a_shared_endpoint_is_refused(world: NapWorld) -> None:
    stored = world.deploying.shelf.get(MAIN)
    order = stored.value.order
    assert order is not None
    shared = msgspec.structs.replace(stored.value, order=msgspec.structs.replace(order, shared=True))
    world.deploying.note(stored, shared)
    with pytest.raises(BadInput) as caught:
        world.resting.sleep(MAIN, owner="acme")
    assert caught.value.code == "endpoint_shared"


def test_a_new_deployment_may_have_its_rest_from_the_beginning(world: NapWorld) -> None:
    made = world.desk.create("ft-1", "1", Wish(checkpoint="2", rest=Rest()), owner="acme")
    world.settle(12)
    assert world.deployment(made.id).rests
    with pytest.raises(BadInput) as caught:
        world.desk.create("ft-1", "1", Wish(checkpoint="1", rest=Rest(strict=True)), owner="acme")
    assert caught.value.param == "rest.strict"


def test_a_rest_that_is_not_what_it_was_is_not_changed(world: NapWorld) -> None:
    first, second = Rest(idle_minutes=5), Rest(idle_minutes=6)
    world.resting.set_rest(MAIN, first, owner="acme", was=None)
    with pytest.raises(Conflict) as caught:
        world.resting.set_rest(MAIN, second, owner="acme", was=None)
    assert caught.value.code == "rest_changed"
    assert world.resting.set_rest(MAIN, first, owner="acme", was=None).rest == first  # the answer was lost
    assert world.resting.set_rest(MAIN, None, owner="acme", was=first).rest is None


def test_what_cannot_sleep_may_be_told_that_it_does_not(tmp_path: Path) -> None:
    world = World(
        tmp_path, backend="bedrock", base_model="amazon.nova-micro-v1:0:128k", tuned=TunedModel(model=NOVA_ARN)
    )
    world.finish()
    world.settle()
    (free,) = world.inventory.deployments(owner="acme")
    with pytest.raises(BadInput):
        world.desk.resting.set_rest(free.id, Rest(), owner="acme")
    assert world.desk.resting.set_rest(free.id, None, owner="acme") == free


def test_the_feed_is_tried_for_who_is_put_to_sleep_by_hand(world: NapWorld) -> None:
    found = slept(world)
    assert (found.stage, found.nap.heard_at > 0.0, found.nap.asked_at) == (None, True, 0.0)


def test_who_sleeps_where_no_call_will_be_heard_says_so(world: NapWorld) -> None:
    world.deaf_feed = True
    found = slept(world)
    assert found.stage is not None
    assert "a call may not wake it" in found.stage
    world.resting.wake(MAIN, owner="acme")
    world.deliver()
    assert world.until(Status.READY).stage is None
    world.deaf_feed = False
    assert slept(world).stage is None


def test_who_wakes_at_hours_alone_needs_no_feed(tmp_path: Path) -> None:
    world = NapWorld(tmp_path, rest=Rest(windows=(ALWAYS,), strict=True))
    world.deaf_feed = True
    assert slept(world).stage is None


def test_an_echo_for_a_hand_is_none_for_the_next_idle_time(world: NapWorld) -> None:
    world.resting.set_rest(MAIN, Rest(), owner="acme")
    world.resting.sleep(MAIN, owner="acme")
    world.deliver()
    world.resting.wake(MAIN, owner="acme")
    world.deaf_feed = True
    world.pass_time(2 * IDLE)
    assert world.deployment().status is Status.READY
