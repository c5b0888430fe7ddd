"""The split of an endpoint: said in whole percents, written first and brought to the provider after."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from tests.fakes import Fuse, FusedDocuments
from tests.unit.registry.rollouts import MAIN, NOVA_ARN, World
from tests.unit.registry.shared_endpoints import GUEST, THIRD, Shared
from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import TunedModel, Write
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.traffic.traffic_desk import TrafficDesk
from tuneway.registry.shelves import Deployment
from tuneway.state import Collection


@pytest.fixture
def world(tmp_path: Path) -> Shared:
    made = Shared(tmp_path)
    made.shared(v2=20)
    return made


def share(
    world: World, traffic: dict[str, int], *, owner: str | None = "acme", id_: str = MAIN
) -> dict[str, int] | None:
    return world.desk.traffic.split(world.desk.traffic.share(id_, traffic, owner=owner))


def test_what_is_said_is_what_it_becomes(world: Shared) -> None:
    assert share(world, {MAIN: 35, GUEST: 65}) == {MAIN: 35, GUEST: 65}
    world.settle()
    assert world.at_provider() == {MAIN: 35, GUEST: 65}
    for id_, line in ((MAIN, "35 % of"), (GUEST, "65 % of")):
        assert world.deployment(id_).history[-1].message.startswith(line)
        assert world.deployment(id_).open is False


def test_it_may_be_said_of_any_that_is_there_and_by_an_admin(world: Shared) -> None:
    assert share(world, {MAIN: 0, GUEST: 100}, owner=None, id_=GUEST) == {MAIN: 0, GUEST: 100}


def test_saying_the_same_again_writes_nothing(world: Shared) -> None:
    before = world.deployment()
    share(world, {MAIN: 80, GUEST: 20})
    assert world.deployment() == before


@pytest.mark.parametrize(
    ("traffic", "said"),
    [
        ({MAIN: 80}, f"it leaves out {GUEST}"),
        ({MAIN: 80, GUEST: 19}, "the shares make 99"),
        ({MAIN: 101, GUEST: -1}, "whole numbers from 0 to 100"),
        ({MAIN: 80, GUEST: 10, "other": 10}, "'other' is not behind the endpoint"),
        ({}, f"it leaves out {MAIN}, {GUEST}"),
    ],
)
def test_what_makes_no_split_is_refused(world: Shared, traffic: dict[str, int], said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        share(world, traffic)
    assert caught.value.param == "traffic"
    assert world.split() == {MAIN: 80, GUEST: 20}


def test_one_on_its_way_has_no_share_yet(world: Shared) -> None:
    world.join("3", traffic=10)
    with pytest.raises(BadInput, match=f"'{THIRD}' is requested and does not answer there"):
        share(world, {MAIN: 50, GUEST: 40, THIRD: 10})
    share(world, {MAIN: 50, GUEST: 50})
    world.settle()
    assert world.split() == world.at_provider() == {MAIN: 45, GUEST: 45, THIRD: 10}


def test_one_that_does_not_answer_yet_has_nothing_to_share(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.finish()
    with pytest.raises(BadInput, match="does not answer yet"):
        share(world, {MAIN: 100})
    assert world.desk.traffic.split(world.deployment()) is None


def test_alone_it_has_all_of_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.finish()
    world.settle()
    assert share(world, {MAIN: 100}) == {MAIN: 100}


def test_a_model_on_demand_shares_nothing(tmp_path: Path) -> None:
    world = World(
        tmp_path, backend="bedrock", base_model="amazon.nova-micro-v1:0:128k", tuned=TunedModel(model=NOVA_ARN)
    )
    world.finish()
    world.settle()
    assert world.desk.traffic.split(world.deployment()) is None
    with pytest.raises(BadInput, match="the weights of a route's targets"):
        share(world, {MAIN: 100})


def test_what_tuneway_did_not_deploy_shares_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    shelf = Collection(world.plain, "deployments", Deployment)
    where = "projects/p/locations/us/endpoints/77"
    found = Deployment(id="77", owner="acme", endpoint=where, dialect="gemini", created_at=0)
    world.plain.commit(shelf.create("77", found))
    with pytest.raises(BadInput, match="no machines that tuneway put it on"):
        share(world, {"77": 100}, id_="77")
    assert shelf.get("77").value == found


@pytest.mark.parametrize("id_", [MAIN, "never"])
def test_others_learn_nothing_of_it(world: Shared, id_: str) -> None:
    with pytest.raises(NotFound):
        share(world, {MAIN: 50, GUEST: 50}, owner="bolt", id_=id_)


class Interrupted(FusedDocuments):
    """A store in which something happens just before the first write."""

    def __init__(self, world: World, before: Callable[[], object]) -> None:
        super().__init__(world.plain, Fuse())
        self.before = [before]

    @override
    def commit(self, *writes: Write) -> None:
        while self.before:
            self.before.pop()()
        super().commit(*writes)


def test_of_two_edits_at_once_one_wins_and_the_other_is_told(world: Shared) -> None:
    documents = Interrupted(world, lambda: share(world, {MAIN: 60, GUEST: 40}))
    second = TrafficDesk(Deploying(documents, world.events, lambda: world.clock))
    with pytest.raises(Conflict, match=f"{MAIN}=60, {GUEST}=40"):
        second.share(MAIN, {MAIN: 10, GUEST: 90}, owner="acme")
    world.settle()
    assert world.split() == world.at_provider() == {MAIN: 60, GUEST: 40}


def test_a_handler_that_writes_meanwhile_is_no_other_edit(world: Shared) -> None:
    world.documents.rivals = 3
    assert share(world, {MAIN: 60, GUEST: 40}) == {MAIN: 60, GUEST: 40}


def test_one_that_keeps_changing_is_for_later(world: Shared) -> None:
    world.documents.rivals = 1000
    with pytest.raises(TryLater):
        share(world, {MAIN: 60, GUEST: 40})


def test_a_newer_split_is_brought_by_whoever_is_in_the_middle_of_an_older_one(world: Shared) -> None:
    def meanwhile() -> None:
        world.provider.meanwhile = lambda: None
        share(world, {MAIN: 5, GUEST: 95})

    world.provider.meanwhile = meanwhile
    share(world, {MAIN: 60, GUEST: 40})
    world.settle()
    assert world.split() == world.at_provider() == {MAIN: 5, GUEST: 95}


def test_of_many_each_endpoint_is_told_once(world: Shared) -> None:
    found = world.inventory.deployments(owner="acme")
    assert world.desk.traffic.splits(found) == {id_: {MAIN: 80, GUEST: 20} for id_ in (MAIN, GUEST)}


def test_a_split_that_is_not_what_it_was_is_not_changed(world: Shared) -> None:
    with pytest.raises(Conflict) as caught:
        world.desk.traffic.share(MAIN, {MAIN: 50, GUEST: 50}, owner="acme", was={MAIN: 79, GUEST: 21})
    assert caught.value.code == "traffic_changed"
    now = world.split()
    assert now is not None
    wanted = {MAIN: 50, GUEST: 50}
    world.desk.traffic.share(MAIN, wanted, owner="acme", was=now)
    assert world.split() == wanted
    assert world.desk.traffic.share(MAIN, wanted, owner="acme", was=now).id == MAIN  # the answer was lost
