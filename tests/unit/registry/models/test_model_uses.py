"""What uses a model is named before it is deleted; what is deleted leaves no name that leads nowhere."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.fakes import Crash
from tests.unit.registry import rollouts
from tests.unit.registry.modelled import ACME, ADMIN, BOT, RIVAL, Modelled, elsewhere
from tests.unit.registry.naps import NapWorld
from tests.unit.registry.shared_endpoints import GUEST, Shared
from tuneway.errors import BadInput, NotFound, Stale
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.model_uses import InUse, Use, Uses
from tuneway.registry.models.registering import Into
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import DeploymentStatus
from tuneway.routing.routes import Route, Target
from tuneway.tuning.origins import JobOrigins


@pytest.fixture
def world(tmp_path: Path) -> Modelled:
    """Two jobs of acme's, both versions of one model."""
    made = Modelled(tmp_path)
    for _ in range(2):
        made.put(made.tune())
    return made


def uses(world: Modelled, model: str, version: str | None = None) -> set[tuple[str, str]]:
    return {(use.kind, use.name) for use in world.uses.of(model, version, who=ACME)}


def put(world: Modelled, alias: str, *numbers: str, owner: str | None = "acme") -> None:
    targets = tuple(Target(resource=f"projects/p/locations/us-central1/endpoints/{number}") for number in numbers)
    RouteBook(world.documents, now=lambda: 0.0).put(Route(alias=alias, targets=targets, created_at=0.0, owner=owner))


def test_a_models_routes_and_aliases_are_its_uses(world: Modelled) -> None:
    world.point("prod", "2")
    assert uses(world, BOT) == {("route", BOT), ("route", f"{BOT}@default"), ("alias", f"{BOT}@prod")}
    assert uses(world, BOT, "2") == {("alias", f"{BOT}@prod")}
    assert ("version", "1") in uses(world, BOT, "1")


def test_every_route_that_leads_to_a_tuned_model_is_a_use_of_it(world: Modelled) -> None:
    put(world, "shop", "101", "999")
    own = world.model("101").called
    assert {("route", "shop"), ("route", own), ("route", BOT)} <= uses(world, "101")


def test_what_is_used_is_not_deleted_and_everything_is_named(world: Modelled) -> None:
    world.point("prod", "2")
    with pytest.raises(InUse) as caught:
        world.uses.delete(BOT, who=ACME, force=False, expected=None)
    assert caught.value.code == "model_in_use"
    for name in (f"alias '{BOT}@prod'", f"route '{BOT}'", "force=true"):
        assert name in caught.value.message
    assert world.leads(BOT) == "101"


def test_force_takes_the_owners_own_names_along(world: Modelled) -> None:
    world.point("prod", "2")
    world.uses.delete(BOT, who=ACME, force=True, expected=None)
    assert [name for name in world.routes() if name.startswith(BOT)] == []
    with pytest.raises(NotFound):
        world.shelf.owned(BOT, "acme")
    assert world.shelf.all_versions(BOT) == []
    assert world.leads(world.model("101").called) == "101"


def test_a_route_with_other_targets_keeps_those(world: Modelled) -> None:
    put(world, "shop", "101", "999")
    world.uses.delete("101", who=ACME, force=True, expected=None)
    assert [target.resource.rpartition("/")[2] for target in world.routes()["shop"].targets] == ["999"]
    assert world.model("102").id == "102"


def test_routes_that_are_not_the_owners_stay_in_the_way_and_untold(world: Modelled) -> None:
    put(world, "everybodys", "101", owner=None)
    with pytest.raises(InUse) as caught:
        world.uses.delete("101", who=ACME, force=True, expected=None)
    assert "everybodys" not in caught.value.message
    assert "ask an admin" in caught.value.message
    assert ("route", "everybodys") not in uses(world, "101")
    with pytest.raises(InUse, match="everybodys"):
        world.uses.delete("101", who=ADMIN, force=True, expected=None)


def test_the_default_version_is_not_deleted(world: Modelled) -> None:
    with pytest.raises(InUse, match="make another the default"):
        world.uses.delete_version(BOT, "1", who=ACME, force=True, expected=None)
    world.point("default", "2")
    model, gone = world.uses.delete_version(BOT, "1", who=ACME, force=False, expected=None)
    assert (gone.number, [each.number for each in world.shelf.all_versions(BOT)]) == ("1", ["2"])
    assert model.last == 2


def test_a_number_is_not_given_twice(world: Modelled) -> None:
    world.uses.delete_version(BOT, "2", who=ACME, force=False, expected=None)
    _, version = world.put(world.tune())
    assert version.number == "3"


def test_an_alias_in_use_keeps_its_version(world: Modelled) -> None:
    world.point("prod", "2")
    with pytest.raises(InUse, match="prod"):
        world.uses.delete_version(BOT, "2", who=ACME, force=False, expected=None)
    after, _ = world.uses.delete_version(BOT, "2", who=ACME, force=True, expected=None)
    assert (after.aliases, f"{BOT}@prod" in world.routes()) == ({"default": "1"}, False)


def test_a_job_that_goes_on_from_it_is_named(world: Modelled) -> None:
    own = world.model("101").called
    going = world.loop.desk.create(world.loop.order(model=own), owner="acme")
    assert ("job", going.id) in uses(world, "101")
    with pytest.raises(InUse, match=going.id):
        world.uses.delete("101", who=ACME, force=True, expected=None)
    world.loop.desk.cancel(going.id, owner="acme")
    assert ("job", going.id) not in uses(world, "101")


def test_a_stale_deletion_is_refused(world: Modelled) -> None:
    with pytest.raises(Stale):
        world.uses.delete(BOT, who=ACME, force=True, expected=99)
    with pytest.raises(Stale):
        world.uses.delete_version(BOT, "2", who=ACME, force=True, expected=99)


def test_a_rival_write_is_waited_for(world: Modelled) -> None:
    world.documents.rivals = 2
    world.uses.delete_version(BOT, "2", who=ACME, force=True, expected=None)
    world.documents.rivals = 2
    world.uses.delete(BOT, who=ACME, force=True, expected=None)
    assert BOT not in world.routes()


@pytest.mark.parametrize("fuse", range(1, 9))
def test_a_deletion_that_is_cut_short_leaves_no_alias_to_nowhere_and_is_ended_by_another(
    world: Modelled, fuse: int
) -> None:
    world.point("prod", "2")
    world.loop.fuse.left = fuse
    with suppress(Crash):
        world.uses.delete(BOT, who=ACME, force=True, expected=None)
    world.loop.fuse.left = None
    if (left := world.shelf.models.known(BOT)) is not None:
        names = {f"{BOT}@{alias}" for alias in left.value.aliases}
        assert names <= set(world.routes())
        world.uses.delete(BOT, who=ACME, force=left.value.state != "archived", expected=None)
    assert (world.shelf.models.known(BOT), world.shelf.all_versions(BOT)) == (None, [])
    assert not [name for name in world.routes() if name.startswith(BOT)]


def test_what_is_left_of_a_deletion_takes_no_version_and_comes_back_with_its_versions(world: Modelled) -> None:
    world.loop.fuse.left = 2  # between the two writes
    with pytest.raises(Crash):
        world.uses.delete(BOT, who=ACME, force=True, expected=None)
    world.loop.fuse.left = None
    with pytest.raises(BadInput, match="Restore it first"):
        world.put(world.tune())
    world.desk.offer(BOT, offered=True, who=ACME, expected=None)
    world.point("default", "2")
    assert world.leads(BOT) == "102"


def test_another_tenants_model_cannot_be_deleted(world: Modelled) -> None:
    with pytest.raises(NotFound):
        world.uses.delete(BOT, who=RIVAL, force=True, expected=None)
    with pytest.raises(NotFound):
        world.uses.of(BOT, None, who=RIVAL)


def test_what_google_deployed_by_itself_goes_with_the_model(world: Modelled) -> None:
    assert [each.id for each in world.shelf.deployments("101")] == ["101"]
    world.uses.delete(BOT, who=ACME, force=True, expected=None)
    world.uses.delete("101", who=ACME, force=True, expected=None)
    assert world.shelf.deployments("101") == []


def test_a_deployment_that_costs_is_never_taken_along(tmp_path: Path) -> None:
    made = rollouts.World(tmp_path, usd_per_hour=6.0)
    made.finish()
    made.settle()
    world = Modelled(tmp_path)
    with pytest.raises(InUse, match=f"tuneway deployments delete {rollouts.MAIN}"):
        world.uses.delete("ft-1", who=ACME, force=True, expected=None)
    made.desk.remove(rollouts.MAIN, owner="acme", force=True)
    made.settle()
    world.uses.delete("ft-1", who=ACME, force=False, expected=None)
    with pytest.raises(NotFound):
        world.shelf.owned("ft-1", None)


def test_a_version_behind_anothers_endpoint_is_used_by_its_deployment_and_by_who_leads_there(tmp_path: Path) -> None:
    there = Shared(tmp_path)
    there.shared(v2=20)
    shelf = ModelShelf(there.plain, now=lambda: 0.0)
    found = Uses(shelf, JobOrigins(there.plain)).of("ft-1", "2", who=ACME)
    assert {(use.kind, use.name) for use in found} == {("deployment", GUEST), ("route", rollouts.ALIAS)}


def test_a_version_is_called_where_it_is_alone_rather_than_beside_others(tmp_path: Path) -> None:
    there = Shared(tmp_path)
    there.shared(v2=20)
    shelf = ModelShelf(there.plain, now=lambda: 0.0)

    def called() -> str:
        (target,) = shelf.targets(shelf.models.get("ft-1").value, there.inventory.version("ft-1", "2", owner=None))
        return target.resource.rpartition("/")[2]

    assert called() == rollouts.MAIN
    there.desk.create("ft-1", "2", Wish(name="alone"), owner="acme")
    there.settle()
    assert called() == "alone"


def test_a_version_that_is_not_deployed_is_given_no_alias(tmp_path: Path) -> None:
    made = rollouts.World(tmp_path, automatic=False)
    made.finish()
    world = Modelled(tmp_path)
    with pytest.raises(BadInput, match="tuneway deployments create ft-1 --version 1"):
        world.point("prod", "1", model="ft-1")


def test_a_version_on_a_machine_of_its_own_is_called_there(tmp_path: Path) -> None:
    made = rollouts.World(tmp_path, usd_per_hour=6.0)
    made.finish()
    made.settle()
    world = Modelled(tmp_path)
    world.point("prod", "1", model="ft-1")
    route = world.routes()[f"{rollouts.ALIAS}@prod"]
    assert route.targets == world.routes()[rollouts.ALIAS].targets


def test_a_use_says_whose_it_is() -> None:
    assert msgspec.json.decode(msgspec.json.encode(Use(kind="route", name="a", version="1"))) == {
        "kind": "route",
        "name": "a",
        "version": "1",
        "own": True,
    }


def test_what_is_archived_is_deployed_no_more(tmp_path: Path) -> None:
    made = rollouts.World(tmp_path, automatic=False)
    made.finish()
    world = Modelled(tmp_path)
    world.desk.offer("ft-1", offered=False, who=ACME, expected=None)
    with pytest.raises(BadInput, match="Restore it first"):
        made.desk.create("ft-1", None, Wish(), owner="acme")
    world.desk.offer("ft-1", offered=True, who=ACME, expected=None)
    assert made.desk.create("ft-1", None, Wish(), owner=None).model == "ft-1"


def test_a_model_that_all_may_call_takes_its_names_along(world: Modelled) -> None:
    into = Into(name="writer", owner="ops", shared=True)
    world.registering.from_targets(elsewhere(), into, base_model="", who=ADMIN)
    world.desk.point("writer", "prod", "1", who=ADMIN, expected=None)
    assert {world.routes()[name].owner for name in ("writer", "writer@prod")} == {None}
    world.uses.delete("writer", who=ADMIN, force=True, expected=None)
    assert not [name for name in world.routes() if name.startswith("writer")]


def test_a_deployment_is_asked_for_by_alias_and_a_model_without_versions_has_none(tmp_path: Path) -> None:
    made = rollouts.World(tmp_path, automatic=False)
    made.finish()
    world = Modelled(tmp_path)
    assert made.desk.create("ft-1", "default", Wish(), owner="acme").version == "1"
    resource = "projects/p/locations/us-central1/models/7000"
    world.registering.from_provider(resource, Into(name="mathster", owner="acme"))
    with pytest.raises(NotFound, match="no version"):
        made.desk.create("mathster", None, Wish(), owner="acme")


@pytest.fixture
def asleep(tmp_path: Path) -> NapWorld:
    """An open model whose deployment sleeps."""
    made = NapWorld(tmp_path)
    made.begin()
    made.resting.sleep(rollouts.MAIN, owner="acme")
    made.until(DeploymentStatus.ASLEEP)
    return made


@pytest.mark.usefixtures("asleep")
def test_a_version_that_sleeps_is_given_an_alias_and_a_call_by_it_wakes_it(tmp_path: Path) -> None:
    world = Modelled(tmp_path)
    world.point("prod", "1", model="ft-1")
    assert world.routes()[f"{rollouts.ALIAS}@prod"].targets == world.routes()[rollouts.ALIAS].targets


@pytest.mark.usefixtures("asleep")
def test_who_leads_to_a_version_that_sleeps_is_named_too(tmp_path: Path) -> None:
    assert ("route", rollouts.ALIAS) in uses(Modelled(tmp_path), "ft-1", "1")


def test_of_two_places_the_one_that_is_awake_is_called(asleep: NapWorld) -> None:
    asleep.desk.create("ft-1", "1", Wish(name="awake"), owner=None)
    asleep.settle()
    shelf = ModelShelf(asleep.plain, now=lambda: 0.0)
    (target,) = shelf.targets(shelf.models.get("ft-1").value, asleep.inventory.version("ft-1", "1", owner=None))
    assert target.resource.endswith("/awake")
