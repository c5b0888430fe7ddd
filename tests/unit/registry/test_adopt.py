"""A finished job's model is taken in once, whatever is delivered twice or dies in between."""

from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from tests.fakes import Crash, Fuse, FusedDocuments
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.ports import Checkpoint, Key, Outcome, Query, TunedModel, Write
from tuneway.registry.adopt import adopt
from tuneway.registry.inventory import Inventory
from tuneway.registry.models.model_desk import ModelDesk, Who, Words
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current

PLACE = "projects/p/locations/us"
COLLECTIONS = ("models", "models/9/versions", "deployments", "routes", "snapshots")


def outcome() -> Outcome:
    points = tuple(Checkpoint(id=str(n), epoch=n, step=n * 10, endpoint=f"{PLACE}/endpoints/{70 + n}") for n in (1, 2))
    tuned = TunedModel(model=f"{PLACE}/models/9@1", endpoint=f"{PLACE}/endpoints/72", checkpoints=points)
    return Outcome(
        job="ftjob-1",
        owner="acme",
        alias="ft:base:acme::1",
        base_model="gemini-3.5-flash",
        tuned=tuned,
        dataset_sha256="f" * 64,
        finished_at=5.0,
    )


class FakeOutcomes:
    def __init__(self, found: Outcome | None) -> None:
        self.found = found
        self.settled: list[tuple[str, str, int | None]] = []

    def of(self, job: str) -> Outcome | None:
        return self.found if self.found is None or self.found.job == job else None

    def settle(self, job: str, *, alias: str, since: int | None = None) -> None:
        self.settled.append((job, alias, since))

    def tell(self, job: str, *, message: str) -> None:
        raise AssertionError((job, message))

    def close(self, job: str, *, message: str) -> None:
        raise AssertionError((job, message))

    def promoted(self, job: str, *, since: int | None = None, refusal: str | None = None) -> None:
        raise AssertionError((job, since, refusal))


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


def shelves(documents: SqliteDocuments) -> list[object]:
    return [documents.find(Query(collection=name)) for name in COLLECTIONS]


def test_a_model_is_registered_deployed_and_routed(documents: SqliteDocuments) -> None:
    outcomes = FakeOutcomes(outcome())
    adopt(documents, outcomes, job="ftjob-1", since=3)
    inventory = Inventory(documents)
    (model,) = inventory.models(owner="acme")
    (version,) = inventory.versions("9", owner="acme")
    assert (model.resource, model.base_model) == (f"{PLACE}/models/9", "gemini-3.5-flash")
    assert (version.number, version.job, version.dataset_sha256) == ("1", "ftjob-1", "f" * 64)
    assert [(d.id, d.checkpoint) for d in inventory.deployments(owner="acme")] == [("71", "1"), ("72", "2")]
    route = current(documents).routes["ft:base:acme::1"]
    assert (route.owner, route.targets[0].resource) == ("acme", f"{PLACE}/endpoints/72")
    assert outcomes.settled == [("ftjob-1", "ft:base:acme::1", 3)]


def test_adopting_twice_changes_nothing_but_tells_the_job_again(documents: SqliteDocuments) -> None:
    outcomes = FakeOutcomes(outcome())
    adopt(documents, outcomes, job="ftjob-1", since=3)
    before = shelves(documents)
    adopt(documents, outcomes, job="ftjob-1", since=3)
    assert shelves(documents) == before
    assert len(outcomes.settled) == 2


def test_a_route_changed_by_hand_meanwhile_stays(documents: SqliteDocuments) -> None:
    outcomes = FakeOutcomes(outcome())
    adopt(documents, outcomes, job="ftjob-1", since=0)
    book = RouteBook(documents, now=lambda: 9.0)
    target = Target(resource=f"{PLACE}/endpoints/71")
    book.put(Route(alias="ft:base:acme::1", targets=(target,), created_at=0.0, owner="acme"))
    adopt(documents, outcomes, job="ftjob-1", since=0)
    assert current(documents).routes["ft:base:acme::1"].targets[0].resource == f"{PLACE}/endpoints/71"


def test_nothing_to_adopt_is_no_fault(documents: SqliteDocuments) -> None:
    outcomes = FakeOutcomes(None)
    adopt(documents, outcomes, job="ftjob-1", since=0)
    assert (outcomes.settled, documents.get(Key("snapshots", "routes"))) == ([], None)


@pytest.mark.parametrize("moment", [1, 2])
def test_a_crash_leaves_all_of_it_or_nothing(documents: SqliteDocuments, moment: int) -> None:
    outcomes = FakeOutcomes(outcome())
    with pytest.raises(Crash):
        adopt(FusedDocuments(documents, Fuse(moment)), outcomes, job="ftjob-1", since=0)
    assert len([found for found in shelves(documents) if found]) == (0 if moment == 1 else len(COLLECTIONS))
    adopt(documents, outcomes, job="ftjob-1", since=0)
    assert all(shelves(documents))
    assert len(outcomes.settled) == 1


def test_each_checkpoint_answers_under_a_name_of_its_own(documents: SqliteDocuments) -> None:
    adopt(documents, FakeOutcomes(outcome()), job="ftjob-1", since=0)
    routes = current(documents).routes
    assert {alias: route.targets[0].resource.rpartition("/")[2] for alias, route in routes.items()} == {
        "ft:base:acme::1": "72",
        "ft:base:acme::1@cp-1": "71",
        "ft:base:acme::1@cp-2": "72",
    }
    assert {route.owner for route in routes.values()} == {"acme"}


def test_a_models_places_stay_its_owners_when_its_routes_are_gone(documents: SqliteDocuments) -> None:
    adopt(documents, FakeOutcomes(outcome()), job="ftjob-1", since=3)
    book = RouteBook(documents, now=lambda: 5.0)
    for alias in list(current(documents).routes):
        book.remove(alias)
    assert current(documents).routes == {}
    assert current(documents).places == {"us/endpoints/71": "acme", "us/endpoints/72": "acme"}


def second() -> Outcome:
    """Another job's, which made the next version of the same model."""
    tuned = TunedModel(model=f"{PLACE}/models/9@2", endpoint=f"{PLACE}/endpoints/82")
    return msgspec.structs.replace(outcome(), job="ftjob-2", alias="ft:base:acme::2", tuned=tuned, finished_at=6.0)


def test_a_next_version_leaves_what_people_made_of_the_model(documents: SqliteDocuments) -> None:
    adopt(documents, FakeOutcomes(outcome()), job="ftjob-1", since=0)
    desk = ModelDesk(ModelShelf(documents, now=lambda: 5.0))
    who = Who(owner="acme", name="acme")
    desk.edit("9", Words(labels={"team": "shop"}), who=who, expected=None)
    desk.point("9", "prod", "1", who=who, expected=None)
    adopt(documents, FakeOutcomes(second()), job="ftjob-2", since=0)
    (model,) = Inventory(documents).models(owner="acme")
    assert (model.alias, model.called) == ("ft:base:acme::2", "ft:base:acme::1")
    assert (model.labels, model.aliases) == ({"team": "shop"}, {"default": "1", "prod": "1"})
    assert [version.number for version in Inventory(documents).versions("9", owner="acme")] == ["1", "2"]


def test_two_versions_that_come_at_once_are_both_taken_in(documents: SqliteDocuments) -> None:
    class Meanwhile(FusedDocuments):
        meanwhile = 0

        @override
        def commit(self, *writes: Write) -> None:
            if self.meanwhile:
                self.meanwhile -= 1
                adopt(self.inner, FakeOutcomes(second()), job="ftjob-2", since=0)
            super().commit(*writes)

    racing = Meanwhile(documents, Fuse())
    racing.meanwhile = 1
    adopt(racing, FakeOutcomes(outcome()), job="ftjob-1", since=0)
    assert [version.number for version in Inventory(documents).versions("9", owner="acme")] == ["1", "2"]
