"""Whatever happens to a deployment that may sleep, and however often: each step is legal, and nobody is cut off."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.registry.naps import NapWorld, call
from tests.unit.registry.rollouts import MAIN
from tuneway.registry.hosting.deploying import TRANSITIONS, DeployRef
from tuneway.registry.rest import Rest
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status


def fails(world: NapWorld, *, kinds: set[str]) -> None:
    world.provider.fails = kinds


def falls_silent(world: NapWorld) -> None:
    world.deaf_feed = not world.deaf_feed


DEEDS: dict[str, Callable[[NapWorld], object]] = {
    "a beat": lambda world: world.pass_time(61),
    "an hour": lambda world: world.pass_time(3600, beat=300),
    "used": lambda world: world.called(),
    "used before": lambda world: world.stirring.used(call(world.clock - 500)),
    "turned away": lambda world: world.called(asleep=True),
    "redelivered": lambda world: world.rollout(DeployRef(MAIN)),
    "sleep": lambda world: world.resting.sleep(MAIN, owner=None) if is_open(world) else None,
    "wake": lambda world: world.resting.wake(MAIN, owner=None),
    "rest": lambda world: world.resting.set_rest(MAIN, Rest(idle_minutes=20), owner=None),
    "never": lambda world: world.resting.set_rest(MAIN, None, owner=None),
    "no machines": lambda world: fails(world, kinds={"deployed"}),
    "machines again": lambda world: fails(world, kinds=set()),
    "silent": falls_silent,
}


def is_open(world: NapWorld) -> bool:
    return world.deployment().status is not Status.WAKING


def lawful(world: NapWorld, found: Deployment) -> None:
    steps = [moment.status for moment in found.history]
    assert all(later in TRANSITIONS[earlier] for earlier, later in pairwise(steps))
    assert world.is_hidden == (found.status is not Status.READY)
    assert found.status is not Status.READY or world.is_up


def nobody_cut_off(before: Deployment, found: Deployment) -> None:
    """What was taken off its machines had not been used for its idle time, as far as was recorded then."""
    taken = next(moment.at for moment in reversed(found.history) if moment.status is Status.FALLING_ASLEEP)
    rest = before.rest or found.rest
    assert rest is not None
    assert taken - found.nap.last_used >= rest.idle_minutes * 60


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds=st.lists(st.sampled_from(sorted(DEEDS)), max_size=30))
def test_any_order_of_events_is_legal_and_takes_away_nothing_in_use(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    world = NapWorld(tmp_path_factory.mktemp("deeds"), rest=Rest())
    for deed in deeds:
        before, was_up = world.deployment(), world.is_up
        DEEDS[deed](world)
        found = world.deployment()
        lawful(world, found)
        by_hand = before.nap.hand or found.nap.hand
        if was_up and not world.is_up and not by_hand and before.status is not Status.WAKING:
            nobody_cut_off(before, found)
    fails(world, kinds=set())
    world.pass_time(7200)
    world.resting.wake(MAIN, owner=None)
    world.until(Status.READY)
