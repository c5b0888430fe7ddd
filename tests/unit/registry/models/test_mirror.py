"""The registry and the provider's own stay in step: what was changed on either side, what is new, what is gone."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.fakes import Crash
from tests.unit.registry.modelled import ACME, ADMIN, Modelled
from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import ListedVersion, Topic
from tuneway.registry.models.mirror import CONSOLE, HOUR, MOST_AT_ONCE, PACE, Mirror, MirrorBeat, ModelRef, merged
from tuneway.registry.models.model_desk import Words
from tuneway.registry.models.registering import Into
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target

MODEL = "101"
RESOURCE = "projects/p/locations/us-central1/models/101"
IMPORTED = "projects/p/locations/us-central1/models/7000"


class FakeListings:
    """A provider's registry: versions by model, changed by whoever likes."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, ListedVersion]] = {}
        self.places: dict[str, str] = {}
        self.calls: list[tuple[object, ...]] = []
        self.fault: Exception | None = None
        self.vanishing: set[str] = set()

    def have(self, model: str, number: str, **fields: object) -> None:
        listed = msgspec.structs.replace(ListedVersion(number=number, created_at=5.0), **fields)
        self.kept.setdefault(model, {})[number] = listed

    def versions(self, model: str) -> Sequence[ListedVersion] | None:
        if self.fault:
            raise self.fault
        return list(self.kept[model].values()) if model in self.kept else None

    def endpoint(self, model: str, version: str) -> str | None:
        return self.places.get(f"{model}@{version}")

    def point(self, model: str, version: str, *, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        if version not in self.kept[model]:
            raise NotFound(f"There is no version {version}.")
        self.calls.append(("point", version, tuple(added), tuple(removed)))
        for number, listed in self.kept[model].items():
            lost = {*added, *(removed if number == version else ())}
            aliases = tuple(alias for alias in listed.aliases if alias not in lost)
            own = (*aliases, *added) if number == version else aliases
            self.kept[model][number] = msgspec.structs.replace(listed, aliases=own)

    def label(self, model: str, version: str, labels: dict[str, str]) -> None:
        if version in self.vanishing:
            raise NotFound(f"There is no version {version}.")
        self.calls.append(("label", version, labels))
        self.kept[model][version] = msgspec.structs.replace(self.kept[model][version], labels=labels)


class World(Modelled):
    """acme's tuned model, which the provider's registry has as well, with a label that tuning gave it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tune()
        self.listings = FakeListings()
        self.listings.have(RESOURCE, "1", aliases=("default",), labels={"tuned-by": "google"}, tuned=True)
        self.mirror = Mirror(self.shelf, lambda: self.listings)
        self.beat = MirrorBeat(self.documents, self.loop.events, lambda: self.loop.clock)

    def look(self, model: str = MODEL) -> None:
        self.loop.clock += PACE + 1
        self.mirror(ModelRef(model))

    def labels(self, number: str = "1", model: str = MODEL) -> dict[str, str]:
        return self.shelf.versions(model).get(number).value.labels

    def second(self) -> None:
        """Another version, tuned and deployed in the console."""
        self.listings.have(RESOURCE, "2", tuned=True, base_model="gemini-3.5-flash")
        self.listings.places[f"{RESOURCE}@2"] = "projects/p/locations/us-central1/endpoints/202"

    def calls(self) -> list[tuple[object, ...]]:
        heard, self.listings.calls = self.listings.calls, []
        return heard


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.look()
    return made


def test_what_nobody_changed_stays_and_counts_as_no_edit(world: World) -> None:
    before, version = world.model(MODEL), world.shelf.versions(MODEL).get("1").value
    world.look()
    after = world.model(MODEL)
    assert (after.revision, after.aliases, world.calls()) == (before.revision, {"default": "1"}, [])
    assert after.mirror_due == world.loop.clock + PACE
    assert world.shelf.versions(MODEL).get("1").value == version


def test_labels_of_the_console_show_up_and_ours_go_there(world: World) -> None:
    assert world.labels() == {"tuned-by": "google"}
    world.desk.edit_version(MODEL, "1", Words(labels={"tuned-by": "google", "team": "shop"}), who=ACME, expected=None)
    world.listings.have(RESOURCE, "1", aliases=("default",), labels={"tuned-by": "google", "cost": "low"})
    world.look()
    assert world.labels() == {"tuned-by": "google", "team": "shop", "cost": "low"}
    assert world.listings.kept[RESOURCE]["1"].labels == world.labels()
    world.calls()
    world.look()
    assert world.calls() == []


def test_a_label_that_was_taken_away_there_is_gone_here(world: World) -> None:
    world.listings.have(RESOURCE, "1", aliases=("default",), labels={})
    world.look()
    assert (world.labels(), world.calls()) == ({}, [])


def test_an_alias_of_ours_goes_there_and_one_taken_away_does_too(world: World) -> None:
    world.point("prod", "1", model=MODEL)
    world.look()
    assert world.calls() == [("point", "1", ("prod",), ())]
    world.desk.unpoint(MODEL, "prod", who=ACME, expected=None)
    world.look()
    assert world.calls() == [("point", "1", (), ("prod",))]


def test_an_alias_of_the_console_moves_the_name_that_calls_it(world: World) -> None:
    world.second()
    world.point("prod", "1", model=MODEL)
    world.look()
    name = f"{world.model(MODEL).called}@prod"
    assert world.leads(name) == "101"
    world.listings.point(RESOURCE, "2", added=("prod",))
    world.look()
    assert (world.model(MODEL).aliases["prod"], world.leads(name)) == ("2", "202")
    assert (world.model(MODEL).moves[-1].by, world.model(MODEL).moves[-1].after) == (CONSOLE, "2")
    world.listings.point(RESOURCE, "2", removed=("prod",))
    world.look()
    assert ("prod" in world.model(MODEL).aliases, name in world.routes()) == (False, False)


def test_an_alias_that_both_moved_is_where_we_put_it(world: World) -> None:
    world.second()
    world.point("prod", "1", model=MODEL)
    world.look()
    world.listings.point(RESOURCE, "2", added=("default",))
    world.listings.point(RESOURCE, "2", added=("prod",))
    world.desk.unpoint(MODEL, "prod", who=ACME, expected=None)
    world.calls()
    world.look()
    assert world.model(MODEL).aliases == {"default": "2"}
    assert world.calls() == [("point", "2", (), ("prod",))]


def test_a_version_of_the_console_shows_up(world: World) -> None:
    world.second()
    world.look()
    version = world.shelf.versions(MODEL).get("2").value
    assert (version.job, version.base_model, version.endpoint) == (
        "",
        "gemini-3.5-flash",
        "projects/p/locations/us-central1/endpoints/202",
    )
    world.point("canary", "2", model=MODEL)
    assert world.leads(f"{world.model(MODEL).called}@canary") == "202"


def test_what_was_deleted_there_is_marked_and_comes_back(world: World) -> None:
    world.second()
    world.look()
    gone = world.listings.kept[RESOURCE].pop("2")
    world.look()
    assert world.shelf.versions(MODEL).get("2").value.state == "gone"
    with pytest.raises(BadInput, match="gone at its provider"):
        world.point("prod", "2", model=MODEL)
    world.listings.kept[RESOURCE]["2"] = gone
    world.look()
    assert world.shelf.versions(MODEL).get("2").value.state == "ready"


def test_a_model_that_was_deleted_there_is_marked(world: World) -> None:
    kept = world.listings.kept.pop(RESOURCE)
    world.look()
    assert (world.model(MODEL).state, world.model(MODEL).aliases) == ("gone", {"default": "1"})
    world.listings.kept[RESOURCE] = kept
    world.look()
    assert world.model(MODEL).state == "ready"


def test_a_version_that_was_deleted_here_does_not_come_back(world: World) -> None:
    world.second()
    world.look()
    world.point("prod", "2", model=MODEL)
    world.look()
    world.uses.delete_version(MODEL, "2", who=ACME, force=True, expected=None)
    world.calls()
    world.look()
    assert ([each.number for each in world.shelf.all_versions(MODEL)], world.calls()) == (["1"], [])
    assert world.model(MODEL).aliases == {"default": "1"}


def test_a_deletion_that_was_cut_short_takes_nothing_away_there(world: World) -> None:
    world.point("prod", "1", model=MODEL)
    world.look()
    world.loop.fuse.left = 2  # between the two writes
    with pytest.raises(Crash):
        world.uses.delete(MODEL, who=ACME, force=True, expected=None)
    world.loop.fuse.left = None
    world.calls()
    world.look()
    assert (world.calls(), world.model(MODEL).aliases) == ([], {})
    world.desk.offer(MODEL, offered=True, who=ACME, expected=None)
    world.look()
    assert (world.calls(), world.model(MODEL).aliases) == ([], {"default": "1", "prod": "1"})
    assert world.leads(f"{world.model(MODEL).called}@prod") == "101"


def test_a_name_that_is_somebody_elses_leads_where_it_led(world: World) -> None:
    name = f"{world.model(MODEL).called}@prod"
    RouteBook(world.documents, now=lambda: 0.0).put(Route(alias=name, targets=(Target(resource="r"),), created_at=0.0))
    world.listings.point(RESOURCE, "1", added=("prod",))
    world.look()
    assert (world.model(MODEL).aliases["prod"], world.routes()[name].targets[0].resource) == ("1", "r")


@pytest.mark.parametrize("fault", [NotAllowed("No permission."), BadInput("No such place.")])
def test_what_the_provider_refuses_is_told_on_the_model(world: World, fault: Exception) -> None:
    world.listings.fault = fault
    world.look()
    assert (world.model(MODEL).mirror_error, world.model(MODEL).mirror_due) == (str(fault), world.loop.clock + PACE)
    world.listings.fault = None
    world.look()
    assert world.model(MODEL).mirror_error is None


def test_a_provider_that_is_away_is_asked_again_in_the_next_hour(world: World) -> None:
    world.point("prod", "1", model=MODEL)
    world.listings.fault = TryLater("Away.")
    world.look()
    assert (world.model(MODEL).mirror_due, world.model(MODEL).mirror_error) == (0.0, "Away.")
    world.listings.fault = None
    world.look()
    assert world.calls() == [("point", "1", ("prod",), ())]


def test_a_rival_write_is_waited_for_and_nothing_is_told_twice(world: World) -> None:
    world.point("prod", "1", model=MODEL)
    world.documents.rivals = 2
    world.look()
    assert world.calls() == [("point", "1", ("prod",), ())]
    world.documents.rivals = 10_000
    with pytest.raises((TryLater, Conflict)):
        world.look()


def test_a_model_of_the_provider_is_taken_in(world: World) -> None:
    world.listings.have(IMPORTED, "1", aliases=("default",), base_model="gemini-3.5-pro", tuned=True)
    world.listings.have(IMPORTED, "2", aliases=("golden",), labels={"team": "maths"})
    world.listings.places[f"{IMPORTED}@1"] = "projects/p/locations/us-central1/endpoints/701"
    made = world.registering.from_provider(IMPORTED, Into(name="mathster", owner="acme"))
    assert (made.state, world.changes[-1]) == ("importing", "mathster")
    world.look("mathster")
    model = world.model("mathster")
    assert (model.state, model.base_model, model.aliases) == (
        "ready",
        "gemini-3.5-pro",
        {"default": "1", "golden": "2"},
    )
    assert (world.leads("mathster"), world.labels("2", "mathster")) == ("701", {"team": "maths"})
    assert "mathster@golden" not in world.routes()
    assert world.registering.from_provider(IMPORTED, Into(name="mathster", owner="acme")) == model


@pytest.mark.parametrize(
    ("resource", "name", "param"),
    [
        ("models/7", "mathster", "vertex"),
        ("projects/p/locations/us-central1/endpoints/7", "mathster", "vertex"),
        (f"{IMPORTED}@2", "mathster", "vertex"),
        (f"{IMPORTED}/../x", "mathster", "vertex"),
        (RESOURCE, "mathster", "vertex"),
        (IMPORTED, "No Name", "name"),
        (IMPORTED, "taken", "name"),
    ],
)
def test_what_cannot_be_taken_in_is_refused(world: World, resource: str, name: str, param: str) -> None:
    world.put(world.tune(), "taken")
    with pytest.raises(BadInput) as caught:
        world.registering.from_provider(resource, Into(name=name, owner="acme"))
    assert caught.value.param == param


def test_one_that_is_not_there_is_marked(world: World) -> None:
    world.registering.from_provider(IMPORTED, Into(name="mathster", owner="acme"))
    world.look("mathster")
    assert world.model("mathster").state == "gone"


def test_a_tick_asks_once_an_hour_and_wakes_what_is_due(world: World) -> None:
    sent = len(world.loop.events.sent)
    world.loop.clock = (world.loop.clock + PACE + HOUR) // HOUR * HOUR + 61
    assert world.beat.tick() == 0
    world.loop.clock += HOUR - 61
    assert world.beat.tick() == 1
    (message,) = world.loop.events.sent[sent:]
    assert (message.topic, message.attributes) == (Topic.DEPLOY_REQUESTED, {"model_id": MODEL})
    world.mirror(ModelRef(MODEL))
    assert world.beat.tick() == 0
    assert MOST_AT_ONCE == 100


def test_an_edit_is_told_at_once_or_with_the_tick(world: World) -> None:
    world.changes.clear()
    world.desk.edit(MODEL, Words(description="x"), who=ADMIN, expected=None)
    assert (world.changes, world.model(MODEL).mirror_due) == ([MODEL], 0.0)
    world.loop.events.away = True
    world.beat.tell(MODEL)
    world.loop.events.away = False
    world.loop.clock = (world.loop.clock + HOUR) // HOUR * HOUR
    assert world.beat.tick() == 1


def test_a_model_that_no_provider_knows_is_not_looked_up(world: World) -> None:
    job = world.tune()
    world.put(job)
    world.listings.fault = AssertionError("asked")
    world.mirror(ModelRef("support-bot"))
    world.mirror(ModelRef("nosuch"))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "both"),
    [
        ({}, {}, {}, {}),
        ({"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}),
        ({"a": "1"}, {"a": "2"}, {"a": "1"}, {"a": "2"}),
        ({"a": "1"}, {"a": "2"}, {"a": "3"}, {"a": "2"}),
        ({"a": "1"}, {"a": "1"}, {}, {}),
        ({"a": "1"}, {}, {"a": "1"}, {}),
        ({}, {"a": "1"}, {"b": "2"}, {"a": "1", "b": "2"}),
        ({"a": "1"}, {}, {"a": "2"}, {}),
    ],
)
def test_the_changes_of_both_sides_are_kept(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str], both: dict[str, str]
) -> None:
    assert merged(base, ours, theirs) == both


def test_an_alias_given_here_to_what_was_deleted_there_holds_up_nothing(world: World) -> None:
    world.second()
    world.look()
    world.desk.point(MODEL, "prod", "2", who=ACME, expected=None)
    del world.listings.kept[RESOURCE]["2"]
    world.listings.have(RESOURCE, "3", tuned=True)
    world.look()
    states = {each.number: each.state for each in world.shelf.all_versions(MODEL)}
    assert states == {"1": "ready", "2": "gone", "3": "ready"}
    assert (world.model(MODEL).aliases["prod"], world.calls()) == ("2", [])
    assert world.model(MODEL).mirror_error is None


def test_what_is_deleted_there_while_it_is_looked_at_is_looked_at_again(world: World) -> None:
    world.desk.edit_version(MODEL, "1", Words(labels={"team": "shop"}), who=ACME, expected=None)
    world.listings.vanishing = {"1"}
    world.look()
    found = world.model(MODEL)
    assert found.mirror_error is not None
    assert (found.mirror_due, "no version 1" in found.mirror_error) == (0.0, True)
    world.listings.vanishing = set()
    world.look()
    assert (world.model(MODEL).mirror_error, world.labels()) == (None, {"team": "shop"})
