"""Models by hand: what a job made gets a name of its own, and what is served elsewhere gets an entry."""

from pathlib import Path

import pytest

from tests.unit.registry.modelled import ACME, ADMIN, BOT, PLACE, RIVAL, Modelled, elsewhere
from tuneway.errors import BadInput
from tuneway.registry.models.model_desk import Words
from tuneway.registry.models.registering import Into
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target


@pytest.fixture
def world(tmp_path: Path) -> Modelled:
    return Modelled(tmp_path)


def test_what_a_job_made_is_found_by_the_job(world: Modelled) -> None:
    job = world.tune()
    model, version = world.registering.made_by(job.id, who=ACME)
    assert (model.id, version.number, version.job) == ("101", "1", job.id)


def test_jobs_become_versions_of_one_model(world: Modelled) -> None:
    first, second = world.tune(), world.tune()
    _, one = world.put(first, labels={"stage": "first"})
    model, two = world.put(second, labels={"stage": "second"})
    assert (one.number, two.number, model.last) == ("1", "2", 2)
    assert (one.copy_of, two.copy_of) == ("101@1", "102@1")
    assert (one.dataset_sha256, one.checkpoints) == (first.dataset and first.dataset.sha256, ())
    assert (model.labels, two.labels) == ({"stage": "first"}, {"stage": "second"})


def test_registering_a_job_twice_changes_nothing(world: Modelled) -> None:
    job = world.tune()
    assert world.put(job) == world.put(job)
    assert len(world.shelf.all_versions(BOT)) == 1


def test_a_rival_write_is_waited_for(world: Modelled) -> None:
    job = world.tune()
    world.documents.rivals = 2
    model, version = world.put(job)
    assert (model.last, version.number) == (1, "1")


@pytest.mark.parametrize("job", ["ftjob-nosuch", "another's"])
def test_a_job_that_is_not_ones_own_is_unknown(world: Modelled, job: str) -> None:
    own = world.tune().id if job == "another's" else job
    with pytest.raises(BadInput, match="no finished job") as caught:
        world.registering.from_job(own, Into(name=BOT, owner="rival"), who=RIVAL)
    assert (caught.value.param, caught.value.code) == ("job", "job_not_found")


def test_a_job_that_has_not_ended_made_nothing(world: Modelled) -> None:
    job = world.loop.desk.create(world.loop.order(), owner="acme")
    with pytest.raises(BadInput, match="no finished job"):
        world.put(job)


@pytest.mark.parametrize("name", ["ab", "Bot", "ft-bot", "9lives", "a/b", "bot-", "x" * 64, "bot@1", ""])
def test_a_name_that_is_none_is_refused(world: Modelled, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        world.registering.from_targets(elsewhere(), Into(name=name, owner="acme"), base_model="", who=ADMIN)
    assert caught.value.param == "name"


def test_another_tenants_name_is_in_use(world: Modelled) -> None:
    world.put(world.tune())
    theirs = world.tune(owner="rival")
    with pytest.raises(BadInput, match="in use"):
        world.put(theirs, who=RIVAL)


def test_a_routes_name_is_in_use(world: Modelled) -> None:
    job = world.tune()
    book = RouteBook(world.documents, now=lambda: 0.0)
    book.put(Route(alias=BOT, targets=(Target(resource="r"),), created_at=0.0, owner=None))
    with pytest.raises(BadInput, match="in use"):
        world.put(job)
    assert BOT not in [each.id for each in world.shelf.models.find()]


def test_an_admin_registers_a_tenants_job_for_the_tenant(world: Modelled) -> None:
    job = world.tune()
    into = Into(name=BOT, owner="ops")
    model, _ = world.registering.from_job(job.id, into, who=ADMIN)
    assert model.owner == "acme"


def test_what_is_served_elsewhere_answers_by_its_name(world: Modelled) -> None:
    into = Into(name="writer", owner="acme", shared=True, words=Words(description="For all."))
    model, version = world.registering.from_targets(elsewhere(), into, base_model="", who=ADMIN)
    assert (model.base_model, model.description, version.job, version.backend) == ("gpt-5", "For all.", "", "elsewhere")
    assert (world.leads("writer"), world.routes()["writer"].owner) == ("gpt-5", None)
    _, again = world.registering.from_targets(elsewhere(), into, base_model="", who=ADMIN)
    assert again == version
    _, other = world.registering.from_targets(elsewhere("gpt-6"), into, base_model="", who=ADMIN)
    assert other.number == "2"


def test_nothing_is_put_into_a_model_that_is_archived_or_the_providers_own(world: Modelled) -> None:
    job = world.tune()
    world.put(job)
    world.desk.offer(BOT, offered=False, who=ACME, expected=None)
    with pytest.raises(BadInput, match="archived"):
        world.put(world.tune())


def test_everybodys_routes_are_not_taken_over_by_a_model_for_all(world: Modelled) -> None:
    job = world.tune()
    book = RouteBook(world.documents, now=lambda: 0.0)
    theirs = Target(resource=f"{PLACE}/endpoints/77")
    for alias in ("helper", "helper@prod"):
        book.put(Route(alias=alias, targets=(theirs,), created_at=0.0, owner=None))
    with pytest.raises(BadInput, match="in use"):
        world.registering.from_job(job.id, Into(name="helper", owner="acme", shared=True), who=ADMIN)
    assert {alias: world.leads(alias) for alias in ("helper", "helper@prod")} == {"helper": "77", "helper@prod": "77"}


def test_an_alias_of_a_model_for_all_does_not_take_over_a_route(world: Modelled) -> None:
    job = world.tune()
    model, version = world.registering.from_job(job.id, Into(name="helper", owner="acme", shared=True), who=ADMIN)
    book = RouteBook(world.documents, now=lambda: 0.0)
    book.put(Route(alias="helper@prod", targets=(Target(resource=f"{PLACE}/endpoints/77"),), created_at=0.0))
    with pytest.raises(BadInput, match="in use"):
        world.desk.point(model.id, "prod", version.number, who=ACME, expected=None)
    assert world.leads("helper@prod") == "77"
