"""A job is promoted to a name: a route, or the alias of a model's version, which then says the same as the name."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Crash
from tests.unit.registry.modelled import BOT, RIVAL, Modelled
from tuneway.registry.models.promote import promote
from tuneway.tuning.jobs import Job
from tuneway.tuning.promotions import JobPromotion


class World(Modelled):
    """One version of a model, called by its name alone and as ``prod``, and a job that is to follow it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.put(self.tune())
        self.point("prod", "1")

    def promote(self, job: Job, alias: str) -> JobPromotion:
        stored = self.loop.lifecycle.jobs.get(job.id)
        asked = msgspec.structs.replace(stored.value, promotion=JobPromotion(alias=alias))
        self.documents.commit(self.loop.lifecycle.jobs.replace(stored, asked))
        return self.again(job)

    def again(self, job: Job) -> JobPromotion:
        promote(self.documents, self.loop.outcomes, job=job.id, now=lambda: self.loop.clock)
        found = self.loop.job(job.id).promotion
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_plain_name_is_a_route(world: World) -> None:
    assert world.promote(world.tune(), "shop").state == "done"
    assert world.leads("shop") == "102"
    assert set(world.model().aliases) == {"default", "prod"}


@pytest.mark.parametrize(
    ("name", "alias"), [(f"{BOT}@prod", "prod"), (f"{BOT}@new", "new"), (BOT, "default"), (f"{BOT}@default", "default")]
)
def test_a_versions_name_gets_the_job_as_the_next_version(world: World, name: str, alias: str) -> None:
    job = world.tune()
    assert world.promote(job, name).state == "done"
    assert (world.model().aliases[alias], world.leads(name)) == ("2", "102")
    assert world.shelf.version(world.model(), "2").value.job == job.id
    if alias == "default":
        assert world.leads(BOT) == world.leads(f"{BOT}@default") == "102"


def test_a_job_that_is_a_version_already_is_no_second_one(world: World) -> None:
    job = world.tune()
    world.put(job)
    assert world.promote(job, f"{BOT}@prod").state == "done"
    assert [each.number for each in world.shelf.all_versions(BOT)] == ["1", "2"]
    assert world.model().aliases["prod"] == "2"


def test_the_model_that_a_job_made_itself_has_the_version(world: World) -> None:
    job = world.tune()
    name = f"{world.model('102').called}@prod"
    assert world.promote(job, name).state == "done"
    assert (world.model("102").aliases["prod"], world.leads(name)) == ("1", "102")


def test_what_another_job_made_takes_no_version(world: World) -> None:
    job, name = world.tune(), f"{world.model('101').called}@prod"
    refused = world.promote(job, name)
    assert refused.state == "refused"
    assert f"tuneway models register NAME --job {job.id}" in (refused.message or "")
    assert name not in world.routes()


def test_what_cannot_be_an_alias_is_told(world: World) -> None:
    refused = world.promote(world.tune(), f"{BOT}@cp-3")
    assert refused.state == "refused"
    assert "'cp-…', which names checkpoints" in (refused.message or "")
    assert f"{BOT}@cp-3" not in world.routes()


@pytest.mark.parametrize("name", [BOT, f"{BOT}@prod", f"{BOT}@new"])
def test_another_tenants_model_is_left_alone(world: World, name: str) -> None:
    before = world.model(), world.routes()
    refused = world.promote(world.tune(owner=str(RIVAL.owner)), name)
    assert (refused.state, refused.message) == ("refused", f"The alias '{name}' is in use. Promote to another.")
    assert world.model() == before[0]
    assert {alias: world.routes().get(alias) for alias in before[1]} == before[1]


def test_an_archived_model_is_left_alone(world: World) -> None:
    job = world.tune()
    stored = world.shelf.models.get(BOT)
    world.documents.commit(world.shelf.models.replace(stored, msgspec.structs.replace(stored.value, state="archived")))
    refused = world.promote(job, f"{BOT}@prod")
    assert refused.state == "refused"
    assert "Restore it first" in (refused.message or "")
    assert world.leads(f"{BOT}@prod") == "101"


@pytest.mark.parametrize("fuse", range(1, 14))
def test_whoever_dies_on_the_way_leaves_name_and_alias_at_one_version(tmp_path: Path, fuse: int) -> None:
    world = World(tmp_path)
    job = world.tune()
    world.loop.fuse.left = fuse
    try:
        world.promote(job, f"{BOT}@prod")
    except Crash:
        _agree(world)
    world.loop.fuse.left = None
    world.promote(job, f"{BOT}@prod")
    _agree(world)
    assert (world.model().aliases["prod"], len(world.shelf.all_versions(BOT))) == ("2", 2)


def _agree(world: World) -> None:
    assert world.leads(f"{BOT}@prod") == f"10{world.model().aliases['prod']}"
