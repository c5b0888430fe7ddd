"""Several versions behind one endpoint: who joins, who leaves, what dies on the way, and what is left."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.rollouts import ALIAS, MAIN
from tests.unit.registry.shared_endpoints import GUEST, THIRD, Shared
from tuneway.errors import BadInput, Conflict, NotAllowed
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.state import Collection

OTHER_LOCATION, OTHER_NAME = {"location": "europe-west4"}, {"served_name": "other"}


@pytest.fixture
def world(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def test_a_second_version_joins_with_its_share(world: Shared) -> None:
    world.shared(v2=20)
    first, second = world.deployment(), world.deployment(GUEST)
    assert (second.status, second.endpoint, second.host) == (Status.READY, first.endpoint, "h")
    assert world.split() == world.split(GUEST) == {MAIN: 80, GUEST: 20}
    assert world.at_provider() == {MAIN: 80, GUEST: 20}
    assert world.provider.made.count(("endpoint", MAIN)) == 1
    assert ("endpoint", GUEST) not in world.provider.made
    assert (first.open, second.open) == (False, False)


def test_what_a_guest_is_called_is_its_own_and_always_the_same(world: Shared) -> None:
    first = world.join(traffic=5).order
    assert first is not None
    assert len(first.deployed_id) == 10
    assert first.deployed_id.isdigit()
    world.settle()
    world.remove(GUEST)
    world.settle()
    again = world.join(traffic=5).order
    assert again is not None
    assert (again.deployed_id, again.token != first.token) == (first.deployed_id, True)


def test_without_a_share_it_gets_none(world: Shared) -> None:
    world.join()
    world.settle()
    assert world.split() == {MAIN: 100, GUEST: 0}
    assert world.at_provider() == {MAIN: 100, GUEST: 0}


def test_the_endpoints_route_covers_it_unless_it_is_given_a_name(world: Shared) -> None:
    world.shared(v2=20)
    assert list(world.snapshot().routes) == [ALIAS]
    world.desk.create("ft-1", "3", Wish(endpoint=MAIN, alias="try-it"), owner="acme")
    world.settle()
    routes = world.snapshot().routes
    assert routes["try-it"].targets[0].resource == routes[ALIAS].targets[0].resource


def test_asking_for_it_again_answers_what_is_there(world: Shared) -> None:
    world.shared(v2=20)
    before = world.deployment(GUEST)
    assert world.join(traffic=20) == before
    assert world.join(beside=GUEST) == before


def test_one_may_join_by_the_name_of_any_that_is_there(world: Shared) -> None:
    world.shared(v2=20)
    world.join("3", traffic=10, beside=GUEST)
    world.settle()
    assert world.split(THIRD) == {MAIN: 72, GUEST: 18, THIRD: 10}
    assert world.deployment(THIRD).order.endpoint == MAIN  # type: ignore[union-attr]  # it was ordered


def test_what_is_changed_stands_in_the_history(world: Shared) -> None:
    world.shared(v2=20)
    assert f"80 % of its endpoint's traffic: '{GUEST}' is there, with 20 %." in world.deployment().history[-1].message
    assert f"Beside '{MAIN}' on one endpoint, with 20 % of its traffic." in world.deployment(GUEST).history[0].message


def altered(world: Shared, **fields: object) -> None:
    """The first deployment with other fields, its order's included."""
    stored = world.deploying.shelf.get(MAIN)
    order = stored.value.order
    assert order is not None
    own = {name: value for name, value in fields.items() if name in Deployment.__struct_fields__}
    rest = {name: value for name, value in fields.items() if name not in own}
    after = msgspec.structs.replace(stored.value, order=msgspec.structs.replace(order, **rest), **own)
    world.plain.commit(world.deploying.shelf.replace(stored, after))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (OTHER_LOCATION, "is in europe-west4"),
        (OTHER_NAME, "no call fits both"),
        ({"status": Status.DEPLOYING}, "is deploying"),
        ({"deployer": "bedrock"}, "only models on machines of Vertex AI"),
    ],
)
def test_what_does_not_fit_does_not_join(world: Shared, fields: dict[str, object], said: str) -> None:
    altered(world, **fields)
    with pytest.raises(BadInput, match=said) as caught:
        world.join(traffic=10)
    assert caught.value.param == "endpoint"


def test_nobody_joins_what_is_not_there_or_anothers(world: Shared) -> None:
    with pytest.raises(BadInput, match="no deployment 'never'"):
        world.join(beside="never")
    altered(world, owner="bolt")
    with pytest.raises(BadInput, match="of the model's owner"):
        world.join()


def test_nobody_joins_an_endpoint_that_tuneway_did_not_make(world: Shared) -> None:
    shelf = Collection(world.plain, "deployments", Deployment)
    found = Deployment(
        id="77", owner="acme", endpoint="projects/p/locations/us/endpoints/77", dialect="openai", created_at=0
    )
    world.plain.commit(shelf.create("77", found))
    with pytest.raises(BadInput, match="did not make"):
        world.join(beside="77")


def test_a_share_without_an_endpoint_is_none(world: Shared) -> None:
    with pytest.raises(BadInput) as caught:
        world.desk.create("ft-1", "2", Wish(traffic=10), owner="acme")
    assert caught.value.param == "traffic"


def test_one_that_has_its_own_endpoint_joins_no_other_by_the_same_name(world: Shared) -> None:
    world.desk.create("ft-1", "2", Wish(), owner="acme")
    world.settle()
    with pytest.raises(Conflict, match="is there on another endpoint"):
        world.join(traffic=10)


def test_what_it_may_cost_is_asked_as_for_any_other(world: Shared) -> None:
    with pytest.raises(NotAllowed, match="needs an admin's key"):
        world.desk.create("ft-1", "2", Wish(endpoint=MAIN, replicas=9), owner="acme")


def test_a_guest_goes_and_the_first_keeps_all(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(GUEST)
    world.settle()
    assert world.deployment(GUEST).status is Status.UNDEPLOYED
    assert world.provider.there == {("model", MAIN), ("endpoint", MAIN), ("deployed", MAIN)}
    assert (world.split(), world.at_provider()) == ({MAIN: 100}, {MAIN: 100})
    assert list(world.snapshot().places.values()) == ["acme"]
    assert "is taken away" in world.deployment().history[-1].message
    assert world.inventory.version("ft-1", "2", owner=None).endpoint is None


def test_the_first_goes_and_the_endpoint_stays_for_the_guest(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    world.settle()
    assert world.deployment().status is Status.UNDEPLOYED
    assert world.provider.there == {("model", GUEST), ("endpoint", MAIN), ("deployed", GUEST)}
    assert (world.split(GUEST), list(world.snapshot().routes)) == ({GUEST: 100}, [ALIAS])
    assert list(world.snapshot().places.values()) == ["acme"]
    world.remove(GUEST, force=True)
    world.settle()
    assert (world.provider.there, world.snapshot().routes, world.snapshot().places) == (set(), {}, {})


def test_what_left_joins_again_beside_who_stayed(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    world.settle()
    with pytest.raises(Conflict, match=f"still serves '{GUEST}'"):
        world.desk.create("ft-1", "1", Wish(), owner="acme")
    world.desk.create("ft-1", "1", Wish(endpoint=GUEST, traffic=50), owner="acme")
    world.settle()
    assert world.split() == {MAIN: 50, GUEST: 50}
    assert world.deployment().endpoint == world.deployment(GUEST).endpoint


def test_of_three_the_others_get_their_proportion(world: Shared) -> None:
    world.shared(v2=20, v3=50)
    assert world.split() == {MAIN: 40, GUEST: 10, THIRD: 50}
    world.remove(THIRD)
    world.settle()
    assert (world.split(), world.at_provider()) == ({MAIN: 80, GUEST: 20}, {MAIN: 80, GUEST: 20})


def test_who_carries_all_is_not_taken_from_those_who_carry_none(world: Shared) -> None:
    world.shared(v2=0)
    with pytest.raises(Conflict, match=rf"tuneway deployments traffic {GUEST}=100 {MAIN}=0") as caught:
        world.desk.remove(MAIN, owner="acme")
    assert caught.value.param == "force"
    assert world.deployment().status is Status.READY
    world.desk.remove(MAIN, owner="acme", force=True)
    world.settle()
    assert (world.split(GUEST), list(world.snapshot().routes)) == ({GUEST: 100}, [ALIAS])


def test_the_last_one_is_taken_away_like_any_other(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    world.settle()
    with pytest.raises(Conflict, match=ALIAS):
        world.desk.remove(GUEST, owner="acme")


def test_both_at_once_leave_nothing(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    world.remove(GUEST, force=True)
    world.settle()
    assert {world.deployment(id_).status for id_ in (MAIN, GUEST)} == {Status.UNDEPLOYED}
    assert (world.provider.there, world.snapshot().routes, world.snapshot().places) == (set(), {}, {})


def test_the_first_goes_while_a_guest_is_on_its_way(world: Shared) -> None:
    world.join(traffic=20)
    world.settle(beats=3)
    world.remove(MAIN, force=True)
    world.settle()
    assert (world.deployment().status, world.deployment(GUEST).status) == (Status.UNDEPLOYED, Status.READY)
    assert world.provider.there == {("model", GUEST), ("endpoint", MAIN), ("deployed", GUEST)}
    assert world.split(GUEST) == {GUEST: 100}
    assert list(world.snapshot().places.values()) == ["acme"]


def test_a_guest_that_cannot_be_had_leaves_the_first_as_it_was(world: Shared) -> None:
    world.provider.fails = {"deployed"}
    world.join(traffic=20)
    world.settle()
    assert (world.deployment(GUEST).status, world.deployment().status) == (Status.FAILED, Status.READY)
    assert world.provider.there == {("model", MAIN), ("endpoint", MAIN), ("deployed", MAIN)}
    assert (world.split(), list(world.snapshot().routes)) == ({MAIN: 100}, [ALIAS])


def test_the_same_version_twice_answers_until_the_last_is_gone(world: Shared) -> None:
    world.desk.create("ft-1", "1", Wish(endpoint=MAIN, name="more", traffic=50), owner="acme")
    world.settle()
    endpoint = world.deployment().endpoint
    world.remove("more")
    world.settle()
    assert world.inventory.version("ft-1", "1", owner=None).endpoint == endpoint


def test_a_provider_that_refuses_a_split_is_asked_again(world: Shared) -> None:
    world.provider.faults = {"share": BadInput("There are operations on the endpoint.")}
    world.shared(v2=20)
    assert (world.deployment(GUEST).open, world.deployment(GUEST).stage) == (
        True,
        "There are operations on the endpoint.",
    )
    world.provider.faults = {}
    world.settle()
    found = world.deployment(GUEST)
    assert (found.open, found.stage, world.at_provider()) == (False, None, {MAIN: 80, GUEST: 20})


def is_shared(world: Shared, id_: str) -> bool:
    order = world.deployment(id_).order
    return order is not None and order.shared


@pytest.mark.parametrize(("gone", "left"), [(MAIN, GUEST), (GUEST, MAIN)])
def test_who_is_left_alone_knows_it_and_shares_again_when_asked(world: Shared, gone: str, left: str) -> None:
    world.shared(v2=20)
    assert (is_shared(world, MAIN), is_shared(world, GUEST)) == (True, True)
    world.remove(gone)
    world.settle()
    assert (is_shared(world, left), world.split(left)) == (False, {left: 100})
    world.join("3", traffic=30, beside=left)
    world.settle()
    assert world.split(left) == world.at_provider() == {left: 70, THIRD: 30}


def test_of_three_two_are_not_alone(world: Shared) -> None:
    world.shared(v2=20, v3=50)
    world.remove(THIRD)
    world.settle()
    assert (is_shared(world, MAIN), is_shared(world, GUEST)) == (True, True)


def test_two_handlers_at_once_join_once(world: Shared) -> None:
    left = [10]

    def meanwhile() -> None:
        if left[0]:
            left[0] -= 1
            world.rollout(DeployRef(GUEST))

    world.provider.meanwhile = meanwhile
    world.shared(v2=20)
    assert world.provider.made.count(("deployed", GUEST)) == 1
    assert world.split() == {MAIN: 80, GUEST: 20}
