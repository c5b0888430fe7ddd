"""A re-tune from its order to the route that leads to the new version, and every way in which it stops before."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.registry.modelled import ACME, ADMIN, BOT, RIVAL
from tests.unit.registry.retiring import HEIR, PLAN, World
from tuneway.errors import BadInput, Conflict, NotFound
from tuneway.ports import ProviderState
from tuneway.ports.retirements import RetuneWish
from tuneway.registry.retirements.retune import Retune, Status


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.trained()
    return made


def tried(world: World, model: str = "101", *, loss: float = 1.0, **order: Any) -> Retune:
    """A re-tune whose job has ended, as far as it goes by itself."""
    begun = world.start(model, **order)
    world.train(begun.job, loss=loss)
    world.tick()
    return world.retune(begun.id)


def whats(retune: Retune) -> list[str]:
    return [moment.what for moment in retune.moments]


def test_it_goes_from_the_stored_dataset_to_the_route_by_itself(world: World) -> None:
    old = world.model("101").called
    found = tried(world)
    assert (found.status, found.alias, found.new) == (Status.CANARYING, old, "102@1")
    job = world.loop.job(found.job)
    assert (job.base_model, job.training_file) == (HEIR, world.loop.job(found.old_job).training_file)
    for _ in range(3):
        world.call(old, 10)
        world.tick()
    over = world.retune(found.id)
    assert (over.status, over.open) == (Status.PROMOTED, False)
    assert whats(over) == ["tuning", "registering", "comparing", "canarying", "promoted"]
    assert world.target(old).resource.endswith("endpoints/102")
    assert [each["ce-type"].rpartition(".")[2] for each in world.told("retune.")] == whats(over)


def test_both_versions_name_each_other(world: World) -> None:
    tried(world)
    new, old = (world.lineages.of(model, "1", owner="acme").version for model in ("102", "101"))
    assert (new.replaces, old.replaced_by) == ("101@1", "102@1")
    assert world.rows()["101"].replaced_by == ("102@1",)


def test_a_model_with_a_name_of_its_own_gets_the_next_version_and_its_aliases_move(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(world.trained())
    world.point("prod", "1")
    world.call(f"{BOT}@prod", 3)
    found = tried(world, BOT)
    assert (found.new, found.alias) == (f"{BOT}@2", f"{BOT}@prod")
    for _ in range(3):
        world.call(f"{BOT}@prod", 10)
        world.tick()
    over = world.retune(found.id)
    assert over.status is Status.PROMOTED
    assert world.model().aliases == {"default": "1", "prod": "2"}
    assert world.leads(f"{BOT}@prod") == "102"
    assert set(over.left) == {BOT, f"{BOT}@default", world.loop.job(over.old_job).alias}
    assert "still lead to" in over.moments[-1].message


def test_one_with_a_larger_loss_stops_with_the_numbers_and_changes_no_route(world: World) -> None:
    found = tried(world, loss=1.06)
    assert (found.status, found.open) == (Status.STOPPED, False)
    said = "Its training loss is 1.06, the old one's 1: above the 1.05 that are allowed."
    assert said in found.moments[-1].message
    assert ("training_loss", (1.0, 1.06)) in [(row.name, row.values) for row in found.comparison]
    assert world.target(world.model("101").called).resource.endswith("/101")


def test_a_loss_within_the_margin_is_not_worse(world: World) -> None:
    assert tried(world, loss=1.05).status is Status.CANARYING


def test_losses_of_another_family_are_shown_and_left_to_the_canary(world: World) -> None:
    found = tried(world, loss=9.0, wish=RetuneWish(base_model="google/gemma3@gemma-3-1b-it"))
    assert found.status is Status.CANARYING
    assert "different families" in found.moments[-1].message


def test_without_losses_the_canary_decides(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.trained(loss=None)
    found = tried(world)
    assert found.status is Status.CANARYING
    assert "no losses of the same data" in found.moments[-1].message


def test_a_canary_that_fails_puts_the_route_back_and_says_why(world: World) -> None:
    old = world.model("101").called
    found = tried(world)
    world.tick()
    world.call(old, 40, bad="endpoints/102")
    world.tick(2)
    over = world.retune(found.id)
    assert over.status is Status.STOPPED
    assert "rolled_back" in over.moments[-1].message
    assert "40 of 40 requests failed" in over.moments[-1].message
    assert world.target(old).resource.endswith("/101")


def test_without_a_canary_it_ends_after_the_comparison(world: World) -> None:
    found = tried(world, plan=None)
    assert found.status is Status.STOPPED
    assert found.moments[-1].message.endswith(f"answers as '{found.answers}', and no route is changed.")


def test_where_nothing_leads_to_the_old_version_there_is_nothing_to_try_it_on(world: World) -> None:
    begun = world.start("101")
    world.lead(world.model("101").called, *world.routes_elsewhere())
    world.train(begun.job)
    world.tick()
    assert "nothing to try it on" in world.retune(begun.id).moments[-1].message


def test_a_job_that_fails_ends_it_with_its_reason(world: World) -> None:
    begun = world.start("101")
    world.train(begun.job, state=ProviderState.FAILED)
    world.tick()
    found = world.retune(begun.id)
    assert (found.status, found.open) == (Status.FAILED, False)
    assert "It broke." in found.moments[-1].message


def test_a_job_above_the_price_waits_for_a_person_and_says_so_once(world: World) -> None:
    begun = world.start("101", wish=RetuneWish(max_cost_usd=0.0))
    world.loop.deliver_new()
    world.tick(3)
    assert whats(world.retune(begun.id)) == ["tuning", "held"]


def test_another_canary_on_the_route_is_waited_for(world: World) -> None:
    old = world.model("101").called
    world.trained()
    other = world.model("102").called
    begun = world.start("101")
    desk = world.canary_desk()
    desk.start(old, other, PLAN, by="ops")
    world.train(begun.job)
    world.tick(3)
    assert whats(world.retune(begun.id))[-2:] == ["canarying", "waiting"]
    desk.abort(old, by="ops")
    world.tick()
    assert world.canary(old).id == world.retune(begun.id).canary


def test_a_route_that_was_taken_elsewhere_while_it_waited_is_left_alone(world: World) -> None:
    old = world.model("101").called
    world.trained()
    begun = world.start("101")
    desk = world.canary_desk()
    desk.start(old, world.model("102").called, PLAN, by="ops")
    world.train(begun.job)
    world.tick()
    desk.promote(old, by="ops")
    world.tick()
    found = world.retune(begun.id)
    assert (found.status, found.canary != world.canary(old).id) == (Status.STOPPED, True)
    assert "does not lead to 101@1 any more" in found.moments[-1].message


def test_cancelled_while_it_tunes_the_job_ends(world: World) -> None:
    begun = world.start("101")
    found = world.retunes.cancel(begun.id, who=ACME)
    assert (found.status, world.loop.job(found.job).status) == (Status.CANCELLED, "cancelled")
    assert world.retunes.cancel(begun.id, who=ACME).moments == found.moments


def test_cancelled_in_its_canary_the_route_is_as_it_was(world: World) -> None:
    old = world.model("101").called
    found = tried(world)
    over = world.retunes.cancel(found.id, who=ACME)
    assert (over.status, world.canary(old).state) == (Status.CANCELLED, "aborted")
    assert world.target(old).resource.endswith("/101")


def test_one_that_has_ended_is_not_cancelled(world: World) -> None:
    found = tried(world, plan=None)
    with pytest.raises(BadInput, match="has ended already"):
        world.retunes.cancel(found.id, who=ACME)


def test_the_same_key_brings_back_the_same_one_and_another_order_does_not(world: World) -> None:
    first = world.start("101", idempotency_key="once")
    assert world.start("101", idempotency_key="once").id == first.id
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 2
    with pytest.raises(BadInput, match="another") as refused:
        world.start("101", idempotency_key="once", plan=None)
    assert refused.value.code == "idempotency_key_reused"


def test_a_model_has_one_at_a_time(world: World) -> None:
    first = world.start("101")
    with pytest.raises(Conflict, match=first.id) as refused:
        world.start("101")
    assert refused.value.code == "retune_under_way"
    world.retunes.cancel(first.id, who=ACME)
    assert world.start("101").id != first.id


def test_another_tenant_sees_nothing_of_it(world: World) -> None:
    begun = world.start("101")
    for asked in (
        lambda: world.start("101", who=RIVAL),
        lambda: world.retunes.cancel(begun.id, who=RIVAL),
        lambda: world.book.owned(begun.id, "rival"),
    ):
        with pytest.raises(NotFound):
            asked()
    assert world.book.newest(owner="rival", model="101", after=None, limit=9) == []
    assert world.book.newest(owner=None, model="101", after=None, limit=9) == [world.retune(begun.id)]
    with pytest.raises(NotFound, match="to go on after"):
        world.book.newest(owner=None, model="another", after=begun.id, limit=9)
    assert world.book.owned(begun.id, ADMIN.owner).id == begun.id


def test_an_admins_canary_goes_on_the_routes_of_others_and_an_owners_does_not(world: World) -> None:
    world.lead("shop", world.target(world.model("101").called), owner=None)
    for _ in range(3):
        world.call("shop", 1)
    mine = world.retunes.planned("101", world.order(), who=ACME)
    everybodys = world.retunes.planned("101", world.order(), who=ADMIN)
    assert (mine.alias, everybodys.alias) == (world.model("101").called, "shop")


def test_what_no_job_made_cannot_be_tuned_again(world: World) -> None:
    world.elsewhere_registered()
    with pytest.raises(BadInput, match="nobody here has the dataset"):
        world.start("outside")
