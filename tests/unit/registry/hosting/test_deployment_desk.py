"""Deployments by hand: asked for once or twice, and taken away only where no alias leads."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.rollouts import ALIAS, MAIN, World
from tuneway.errors import BadInput, Conflict, NotFound
from tuneway.ports import Machine
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.routing.routes import Route, Target
from tuneway.state import Collection

BIG = Machine(machine_type="g2-standard-48", accelerator_type="NVIDIA_L4", accelerator_count=4)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.finish()
    made.settle()
    return made


def test_asking_for_what_is_there_answers_it(world: World) -> None:
    assert world.desk.create("ft-1", None, Wish(), owner="acme").status is Status.READY
    assert len(world.inventory.deployments(owner="acme")) == 1


def test_another_machine_needs_another_name(world: World) -> None:
    with pytest.raises(Conflict, match="is there on another machine"):
        world.desk.create("ft-1", "1", Wish(machine=BIG), owner="acme")
    made = world.desk.create("ft-1", "1", Wish(machine=BIG, replicas=2, name="big"), owner=None)
    world.settle()
    assert made.hourly is not None
    assert made.hourly.usd == 8.0
    assert world.deployment("big").status is Status.READY
    assert world.deployment("big").order.container.arguments.count("--tensor-parallel-size=4") == 1  # type: ignore[union-attr]  # weights have one


def test_a_checkpoint_has_a_place_and_a_name_of_its_own(world: World) -> None:
    made = world.desk.create("ft-1", "1", Wish(checkpoint="2"), owner="acme")
    world.settle()
    assert made.order is not None
    assert (made.id, made.alias, made.order.label) == (f"{MAIN}-cp-2", f"{ALIAS}@cp-2", "cp-2")
    assert made.order.weights == "gs://shop/out/checkpoints/checkpoint-2/"
    assert world.snapshot().routes[f"{ALIAS}@cp-2"].targets[0].resource.endswith(made.id)
    points = world.inventory.version("ft-1", "1", owner="acme").checkpoints
    assert [point.endpoint is not None for point in points] == [False, True]
    assert world.outcomes.settled == [ALIAS]


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        (Wish(checkpoint="9"), "checkpoint"),
        (Wish(name="Big one"), "name"),
        (Wish(name="1"), "name"),
    ],
)
def test_what_cannot_be_deployed_is_said(world: World, wish: Wish, param: str) -> None:
    with pytest.raises(BadInput) as caught:
        world.desk.create("ft-1", "1", wish, owner="acme")
    assert caught.value.param == param


def test_others_see_and_touch_nothing(world: World) -> None:
    with pytest.raises(NotFound):
        world.desk.create("ft-1", None, Wish(), owner="bolt")
    with pytest.raises(NotFound):
        world.desk.get(MAIN, owner="bolt")
    with pytest.raises(NotFound):
        world.desk.remove(MAIN, owner="bolt", force=True)
    assert world.desk.get(MAIN, owner=None).owner == "acme"


def test_what_an_alias_leads_to_is_not_taken_away(world: World) -> None:
    with pytest.raises(Conflict, match=ALIAS):
        world.desk.remove(MAIN, owner="acme")
    assert world.deployment().status is Status.READY


def test_by_force_the_aliases_go_too_and_others_keep_what_they_have(world: World) -> None:
    endpoint = world.deployment().endpoint
    book = RouteBook(world.plain, now=lambda: world.clock)
    mixed = (Target(resource=endpoint, dialect="openai"), Target(model="gpt", provider="openai", dialect="openai"))
    book.put(Route(alias="mixed", targets=mixed, created_at=0.0))
    book.put(Route(alias="other", targets=mixed[1:], created_at=0.0))
    world.desk.remove(MAIN, owner=None, force=True)
    assert {alias: len(route.targets) for alias, route in world.snapshot().routes.items()} == {"mixed": 1, "other": 1}
    assert [route.alias for route in book.list()] == ["mixed", "other"]


def test_taking_away_twice_is_once(world: World) -> None:
    first = world.desk.remove(MAIN, owner="acme", force=True)
    assert world.desk.remove(MAIN, owner="acme").status is first.status
    world.settle()
    assert world.desk.remove(MAIN, owner="acme").status is Status.UNDEPLOYED


def test_what_was_taken_away_can_be_deployed_again(world: World) -> None:
    first = world.deployment().order
    world.desk.remove(MAIN, owner="acme", force=True)
    with pytest.raises(Conflict, match="being taken away"):
        world.desk.create("ft-1", None, Wish(), owner="acme")
    world.settle()
    world.desk.create("ft-1", None, Wish(), owner="acme")
    world.settle()
    again = world.deployment()
    assert (again.status, ALIAS in world.snapshot().routes) == (Status.READY, True)
    assert first is not None
    assert again.order is not None
    assert again.order.token != first.token
    assert len(again.history) > len({moment.status for moment in again.history})


def test_an_endpoint_that_others_made_is_theirs(world: World) -> None:
    shelf = Collection(world.plain, "deployments", Deployment)
    found = Deployment(
        id="77", owner="acme", endpoint="projects/p/locations/us/endpoints/77", dialect="gemini", created_at=0
    )
    world.plain.commit(shelf.create("77", found))
    with pytest.raises(BadInput, match="not made by tuneway"):
        world.desk.remove("77", owner="acme")


def test_a_gemini_model_needs_no_deployment(world: World) -> None:
    version = world.inventory.version("ft-1", "1", owner=None)
    model = world.inventory.model("ft-1", owner=None)
    with pytest.raises(BadInput, match="needs no deployment"):
        world.orders.of(model, msgspec.structs.replace(version, backend="vertex_ai"), Wish(), now=0.0)
