"""What a deployment may be called, lead to and cost, whoever asks for it."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.rollouts import ALIAS, MAIN, World
from tuneway.errors import BadInput, Conflict, NotAllowed
from tuneway.ports import Machine
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import Deployment, Model, Trouble, Version
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.routing.routes import Route, Target
from tuneway.state import Collection

BIG = Machine(machine_type="g2-standard-48", accelerator_type="NVIDIA_L4", accelerator_count=4)
STRANGE = Machine(machine_type="x9-unheard-of")


def another_model(world: World, id_: str, owner: str) -> None:
    """A model like ft-1, of another job."""
    models = Collection(world.plain, "models", Model)
    model = msgspec.structs.replace(models.get("ft-1").value, id=id_, owner=owner)
    version = Collection(world.plain, "models/ft-1/versions", Version).get("1").value
    version = msgspec.structs.replace(version, model=id_, job=f"job-of-{id_}", alias=f"ft:{id_}")
    shelf = Collection(world.plain, f"models/{id_}/versions", Version)
    world.plain.commit(models.create(id_, model), shelf.create("1", version))


def finished(folder: Path, **fields: float) -> World:
    made = World(folder, usd_per_hour=fields.get("usd_per_hour"))
    made.finish()
    made.settle()
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = finished(tmp_path)
    another_model(made, "ft-bolt", "bolt")
    return made


def test_a_name_that_another_tenant_has_gives_a_deployment_of_ones_own(world: World) -> None:
    before = world.deployment()
    made = world.desk.create("ft-bolt", "1", Wish(name=MAIN), owner="bolt")
    assert (made.owner, made.model, made.endpoint) == ("bolt", "ft-bolt", "")
    assert made.id.startswith(f"{MAIN}--")
    assert made.order is not None
    assert before.order is not None
    assert made.order.id == made.id
    assert made.order.mark != before.order.mark
    assert world.desk.create("ft-bolt", "1", Wish(name=MAIN), owner="bolt").id == made.id
    assert world.deployment() == before


def test_a_name_that_another_tenant_had_is_not_taken_over(world: World) -> None:
    world.desk.remove(MAIN, owner="acme", force=True)
    world.settle()
    assert world.desk.create("ft-bolt", "1", Wish(name=MAIN), owner="bolt").id != MAIN
    assert (world.deployment().owner, world.deployment().status) == ("acme", Status.UNDEPLOYED)


def test_the_same_name_for_another_model_is_refused(world: World) -> None:
    another_model(world, "ft-2", "acme")
    with pytest.raises(Conflict, match="is taken by another deployment") as caught:
        world.desk.create("ft-2", "1", Wish(name=MAIN), owner="acme")
    assert (caught.value.param, caught.value.code) == ("name", "deployment_exists")


def test_nobody_can_give_a_name_that_tuneway_gives(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        world.desk.create("ft-bolt", "1", Wish(name="ft-1-1--0123456789ab"), owner="bolt")
    assert caught.value.param == "name"


def test_a_job_whose_deployments_name_is_taken_gets_another(tmp_path: Path) -> None:
    world = World(tmp_path)
    shelf = Collection(world.plain, "deployments", Deployment)
    squat = Deployment(id=MAIN, owner="bolt", endpoint="", dialect="openai", created_at=0, model="ft-bolt")
    world.plain.commit(shelf.create(MAIN, squat))
    world.finish()
    world.settle()
    (made,) = world.inventory.deployments(owner="acme")
    assert (made.status, made.id != MAIN, world.outcomes.settled) == (Status.READY, True, [ALIAS])
    assert shelf.get(MAIN).value == squat


def test_what_was_left_behind_is_not_deployed_over(world: World) -> None:
    stored = world.deploying.shelf.get(MAIN)
    left = Trouble(code="left_behind", message="The endpoint is still there.")
    world.deploying.note(stored, msgspec.structs.replace(stored.value, status=Status.FAILED, error=left))
    with pytest.raises(Conflict, match="left behind"):
        world.desk.create("ft-1", "1", Wish(), owner="acme")


@pytest.mark.parametrize("owner", [None, "bolt"])
@pytest.mark.parametrize("force", [False, True])
def test_routes_of_others_are_neither_named_nor_changed(world: World, owner: str | None, *, force: bool) -> None:
    target = Target(resource=world.deployment().endpoint, dialect="openai")
    RouteBook(world.plain, now=lambda: 0.0).put(Route(alias="secret-one", targets=(target,), created_at=0, owner=owner))
    with pytest.raises(Conflict, match="not yours") as caught:
        world.desk.remove(MAIN, owner="acme", force=force)
    assert "secret-one" not in caught.value.message
    assert set(world.snapshot().routes) == {ALIAS, "secret-one"}
    assert world.desk.remove(MAIN, owner=None, force=True).status is Status.UNDEPLOYING


@pytest.mark.parametrize(("model", "owner"), [("ft-bolt", "bolt"), ("ft-2", "acme")])
def test_an_alias_in_use_is_refused(world: World, model: str, owner: str) -> None:
    another_model(world, "ft-2", "acme")
    with pytest.raises(BadInput) as caught:
        world.desk.create(model, "1", Wish(alias=ALIAS), owner=owner)
    assert (caught.value.param, caught.value.code) == ("alias", "alias_in_use")


def test_the_same_wish_for_an_alias_again_is_the_same_deployment(world: World) -> None:
    wish = Wish(alias="mine")
    first = world.desk.create("ft-bolt", "1", wish, owner="bolt")
    world.deploying.move(world.deploying.shelf.get(first.id), Status.UPLOADING, "Uploading.")
    assert world.desk.create("ft-bolt", "1", wish, owner="bolt").id == first.id


def test_a_job_is_not_told_an_alias_that_leads_elsewhere(tmp_path: Path) -> None:
    world = World(tmp_path)
    target = Target(model="gpt", provider="openai", dialect="openai")
    RouteBook(world.plain, now=lambda: 0.0).put(Route(alias=ALIAS, targets=(target,), created_at=0, owner="bolt"))
    world.finish()
    world.settle()
    assert (world.deployment().status, world.outcomes.settled) == (Status.READY, [])
    assert "does not lead there" in world.outcomes.closed[-1]


@pytest.mark.parametrize("wish", [Wish(machine=BIG), Wish(replicas=100), Wish(machine=STRANGE)])
def test_beyond_the_usual_machine_an_admin_has_to_ask(world: World, wish: Wish) -> None:
    with pytest.raises(NotAllowed, match="admin") as caught:
        world.desk.create("ft-bolt", "1", wish, owner="bolt")
    assert caught.value.code == "deployment_cost_limit"
    assert world.desk.create("ft-bolt", "1", wish, owner=None).status is Status.REQUESTED


@pytest.mark.parametrize(
    ("wish", "allowed"),
    [
        (Wish(name="more", replicas=3), True),
        (Wish(name="more", replicas=4), False),
        (Wish(name="more", machine=STRANGE), False),
    ],
)
def test_within_the_installations_limit_the_machine_is_ones_choice(
    tmp_path: Path, wish: Wish, *, allowed: bool
) -> None:
    world = finished(tmp_path, usd_per_hour=3.0)
    if allowed:
        assert world.desk.create("ft-1", "1", wish, owner="acme").status is Status.REQUESTED
        return
    with pytest.raises(NotAllowed, match="limit is 3 USD an hour"):
        world.desk.create("ft-1", "1", wish, owner="acme")


def test_a_job_is_not_deployed_by_itself_beyond_the_limit(tmp_path: Path) -> None:
    world = finished(tmp_path, usd_per_hour=0.5)
    assert world.inventory.deployments(owner=None) == []
    assert "limit is 0.5 USD an hour" in world.outcomes.closed[-1]
    with pytest.raises(NotAllowed):
        world.desk.create("ft-1", "1", Wish(), owner="acme")
