"""A job's own model, of which a model of a name has a version, too: one thing, told once and tuned again once."""

from pathlib import Path

import pytest

from tests.unit.registry.modelled import BOT
from tests.unit.registry.retiring import World
from tuneway.errors import BadInput, Conflict
from tuneway.registry.models.comparing import Comparison, Row
from tuneway.registry.retirements.losses import judged
from tuneway.registry.retirements.retune import Status


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.put(made.trained())
    return made


def origin(world: World) -> str:
    """The job's own model."""
    copy = world.shelf.versions(BOT).get("1").value
    return (copy.copy_of or "").rpartition("@")[0]


def test_the_model_of_the_name_is_told_of_and_not_the_jobs_own(world: World) -> None:
    assert origin(world)
    rows = world.rows()
    assert [id_ for id_, row in rows.items() if row.kind == "model"] == [BOT]


def test_both_are_tuned_again_one_after_the_other_and_not_at_once(world: World) -> None:
    begun = world.start(BOT)
    with pytest.raises(Conflict, match=rf"{begun.id} of '{BOT}' is tuning"):
        world.start(origin(world))


def test_both_know_their_successor_and_are_not_tuned_again_by_an_oversight(world: World) -> None:
    begun = world.start(BOT, plan=None)
    world.train(begun.job, loss=1.0)
    world.tick()
    ended = world.retune(begun.id)
    assert ended.status is Status.STOPPED
    first = world.shelf.versions(origin(world)).find()[0].value
    assert first.replaced_by == world.shelf.versions(BOT).get("1").value.replaced_by == ended.new
    with pytest.raises(BadInput, match="Name the version to tune it once more") as refused:
        world.start(origin(world))
    assert refused.value.code == "already_replaced"
    assert world.start(origin(world), version=first.number).status is Status.TUNING


@pytest.mark.parametrize(
    ("old", "new", "worse"), [(1.0, float("nan"), True), (1.0, float("inf"), True), (float("nan"), 1.0, False)]
)
def test_a_loss_that_is_no_number_is_worse_than_one_that_is(old: float, new: float, *, worse: bool) -> None:
    found = Comparison(versions=(), rows=(Row(name="training_loss", values=(old, new), differs=True),))
    assert judged(found, one_family=True).worse is worse
