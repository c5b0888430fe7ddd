"""What a recorded call means for places that may sleep: few reads, few writes, nothing moved back."""

from pathlib import Path

import pytest
from typing_extensions import override

from tests.unit.registry.naps import PLACE, NapWorld, call
from tests.unit.registry.rollouts import MAIN
from tuneway.errors import TryLater
from tuneway.ports import Document, Documents, Key, Query, Write
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.rests.stirring import ATTEMPTS, Echo, Stirring
from tuneway.registry.rest import Rest
from tuneway.registry.shelves import DeploymentStatus as Status


class Counting(Documents):
    """A state that counts what is asked of it."""

    def __init__(self, inner: Documents) -> None:
        self.inner, self.reads, self.writes = inner, 0, 0

    @override
    def get(self, key: Key) -> Document | None:
        self.reads += 1
        return self.inner.get(key)

    @override
    def find(self, query: Query) -> list[Document]:
        self.reads += 1
        return self.inner.find(query)

    @override
    def commit(self, *writes: Write) -> None:
        self.writes += 1
        self.inner.commit(*writes)


@pytest.fixture
def world(tmp_path: Path) -> NapWorld:
    return NapWorld(tmp_path, rest=Rest())


def counted(world: NapWorld) -> tuple[Counting, Stirring]:
    counting = Counting(world.plain)
    return counting, Stirring(Deploying(counting, world.events, lambda: world.clock))


def test_a_use_is_noted_once_a_minute(world: NapWorld) -> None:
    counting, stirring = counted(world)
    world.clock += 100
    for second in range(60):
        stirring.used(call(world.clock + second))
    assert counting.writes == 1
    assert counting.reads <= 4
    assert world.deployment().nap.last_used == world.clock


def test_calls_of_other_places_cost_one_look_a_minute(world: NapWorld) -> None:
    counting, stirring = counted(world)
    for _ in range(50):
        stirring.used(call(world.clock, target="azure/gpt-5"))
    assert (counting.reads, counting.writes) == (1, 0)


def test_calls_turned_away_from_unknown_places_are_looked_up_seldom(world: NapWorld) -> None:
    counting, stirring = counted(world)
    for _ in range(50):
        stirring.used(call(world.clock, target=PLACE.replace(MAIN, "other"), asleep=True))
    assert (counting.reads, counting.writes) == (1, 0)


def test_what_comes_late_moves_nothing_back(world: NapWorld) -> None:
    _, early = counted(world)
    _, late = counted(world)
    early.used(call(world.clock + 500, ms=200_000))
    late.used(call(world.clock + 100))
    nap = world.deployment().nap
    assert (nap.last_used, nap.longest) == (world.clock + 500, 200.0)


def test_a_project_may_be_told_by_its_number(world: NapWorld) -> None:
    world.stirring.used(call(world.clock + 500, target=PLACE.replace("projects/p", "projects/123456")))
    assert world.deployment().nap.last_used == world.clock + 500


def test_a_target_that_failed_was_used_too(world: NapWorld) -> None:
    tried = call(world.clock + 500, target="azure/gpt-5")
    world.stirring.used(type(tried)(**{**{f: getattr(tried, f) for f in tried.__struct_fields__}, "failed": (PLACE,)}))
    assert world.deployment().nap.last_used == world.clock + 500


def test_one_that_never_sleeps_is_not_written_to(tmp_path: Path) -> None:
    world = NapWorld(tmp_path)
    world.begin()
    counting, stirring = counted(world)
    stirring.used(call(world.clock + 500))
    assert counting.writes == 0


def test_one_put_to_sleep_a_moment_ago_is_woken_all_the_same(tmp_path: Path) -> None:
    world = NapWorld(tmp_path)
    world.begin()
    world.called()
    world.resting.sleep(MAIN, owner=None)
    world.clock += 3
    world.called(asleep=True)
    assert world.deployment().status is Status.READY


def test_a_place_that_keeps_changing_is_noted_when_the_call_comes_again(world: NapWorld) -> None:
    world.documents.rivals = ATTEMPTS
    with pytest.raises(TryLater):
        world.stirring.used(call(world.clock + 500))
    world.stirring.used(call(world.clock + 500))
    assert world.deployment().nap.last_used == world.clock + 500


def test_an_echo_of_a_deployment_that_is_gone_is_nothing(world: NapWorld) -> None:
    world.stirring.heard(Echo(deployment="gone", at=1.0))
    world.stirring.heard(Echo(deployment=MAIN, at=world.clock))
    assert world.deployment().nap.heard_at == 0.0


def test_a_wake_that_loses_its_answer_is_no_second_one(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    world.documents.lose_answers = 1
    with pytest.raises(TryLater):
        world.stirring.used(call(world.clock, asleep=True))
    world.stirring.used(call(world.clock, asleep=True))
    world.until(Status.READY)
    assert world.provider.made.count(("deployed", MAIN)) == 2


def test_a_message_that_cannot_be_sent_is_the_beats_to_send(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    world.events.away = True
    world.stirring.used(call(world.clock, asleep=True))
    world.events.away = False
    assert world.until(Status.READY).open


def test_a_rival_at_the_deployment_does_not_stop_the_waking(world: NapWorld) -> None:
    world.until(Status.ASLEEP)
    world.documents.rivals = 2
    world.called(asleep=True)
    assert world.deployment().status in {Status.WAKING, Status.READY}
