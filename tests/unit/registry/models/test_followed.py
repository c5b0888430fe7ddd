"""A version alias goes where its name is led, by a canary or by hand; what leads elsewhere is not lost with it."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import FakeEvents, Fuse
from tests.unit.registry.modelled import ACME, BOT, Modelled, elsewhere
from tuneway.edge.canary_events import canary_event
from tuneway.ports import Replace, Write
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import Plan, State
from tuneway.registry.models.model_uses import InUse
from tuneway.registry.models.registering import Into
from tuneway.registry.route_book import RouteBook
from tuneway.routing.history import Mark
from tuneway.routing.routes import Route, Target

PROD = f"{BOT}@prod"


class World(Modelled):
    """Two versions of a model, ``prod`` at the first, and canaries."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for _ in range(2):
            self.put(self.tune())
        self.point("prod", "1")
        self.book = RouteBook(self.documents, now=lambda: self.loop.clock)
        events = FakeEvents(Fuse())
        self.canaries = Canaries(self.documents, events, now=lambda: self.loop.clock, announce=canary_event)
        self.canary = CanaryDesk(self.canaries, new_id=lambda: "1")

    def promote(self, alias: str, *, candidate: str = "102") -> State:
        self.canary.start(alias, self.model(candidate).called, Plan(), by="ann")
        return self.canary.promote(alias, by="ann").state

    def lead(self, alias: str, number: str) -> Route:
        """Put the route by hand."""
        target = Target(resource=f"projects/p/locations/us-central1/endpoints/{number}")
        there = self.book.get(alias)
        return self.book.put(msgspec.structs.replace(there, targets=(target,)), mark=Mark(by="joe"))

    def at(self) -> dict[str, str]:
        return dict(self.model().aliases)


class Spy:
    """The documents of a world, with what is committed together."""

    def __init__(self, world: World) -> None:
        self.inner = world.documents
        self.get, self.find = self.inner.get, self.inner.find
        self.seen: list[tuple[Write, ...]] = []

    def commit(self, *writes: Write) -> None:
        self.seen.append(writes)
        self.inner.commit(*writes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_alias_ends_with_its_name(world: World) -> None:
    world.book.remove(PROD, mark=Mark(by="joe"))
    assert (world.at(), PROD in world.routes()) == ({"default": "1"}, False)
    assert (world.model().moves[-1].alias, world.model().moves[-1].by, world.model().moves[-1].after) == (
        "prod",
        "joe",
        None,
    )


@pytest.mark.parametrize("name", [BOT, f"{BOT}@default"])
def test_the_default_alias_outlives_its_names(world: World, name: str) -> None:
    world.book.remove(name)
    assert world.at() == {"default": "1", "prod": "1"}
    world.point("default", "1")
    assert world.leads(name) == "101"


def test_a_route_that_is_no_versions_name_goes_alone(world: World) -> None:
    before = world.model()
    world.book.put(Route(alias=f"{BOT}@beta", targets=elsewhere(), created_at=0.0, owner="acme"))
    world.book.remove(f"{BOT}@beta")
    assert world.model() == before


def test_a_name_that_leads_to_no_version_of_the_model_is_astray(world: World) -> None:
    assert world.book.astray(world.book.get(PROD)) is None
    named, number = world.book.astray(world.lead(PROD, "999")) or (None, None)
    assert (named and named.alias, number) == ("prod", "1")
    assert world.book.astray(world.lead(PROD, "102")) is None


def test_a_candidate_that_wins_the_name_gets_the_alias(world: World) -> None:
    assert world.promote(PROD) is State.PROMOTED
    assert world.at() == {"default": "1", "prod": "2"}
    move = world.model().moves[-1]
    assert (move.alias, move.before, move.after, move.by) == ("prod", "1", "2", "ann")
    assert world.leads(PROD) == "102"


def test_the_other_names_of_the_alias_go_along(world: World) -> None:
    world.promote(BOT)
    assert world.at()["default"] == "2"
    assert (world.leads(BOT), world.leads(f"{BOT}@default"), world.leads(PROD)) == ("102", "102", "101")


def test_another_name_that_somebody_led_away_stays_there(world: World) -> None:
    world.lead(f"{BOT}@default", "999")
    world.promote(BOT)
    assert (world.leads(BOT), world.leads(f"{BOT}@default")) == ("102", "999")


def test_what_is_taken_back_moves_nothing(world: World) -> None:
    world.canary.start(PROD, world.model("102").called, Plan(), by="ann")
    world.canary.abort(PROD, by="ann")
    assert (world.at()["prod"], world.leads(PROD)) == ("1", "101")


def test_a_candidate_that_is_none_of_the_versions_moves_nothing(world: World) -> None:
    world.tune()
    world.promote(PROD, candidate="103")
    assert (world.at()["prod"], world.leads(PROD)) == ("1", "103")


def test_a_rival_edit_of_the_model_is_waited_for(world: World) -> None:
    world.canary.start(PROD, world.model("102").called, Plan(), by="ann")
    world.documents.rivals = 2
    world.canary.promote(PROD, by="ann")
    assert (world.at()["prod"], world.leads(PROD)) == ("2", "102")


def test_a_name_led_by_hand_to_another_version_and_back_takes_the_alias_along(world: World) -> None:
    world.lead(PROD, "102")
    assert (world.at()["prod"], world.model().moves[-1].by) == ("2", "joe")
    world.lead(PROD, "101")
    assert world.at()["prod"] == "1"
    revision = world.model().revision
    world.lead(PROD, "101")
    world.lead(PROD, "999")
    assert (world.at()["prod"], world.model().revision) == ("1", revision)


def test_a_name_shared_among_versions_is_no_version(world: World) -> None:
    both = tuple(Target(resource=f"projects/p/locations/us-central1/endpoints/{number}") for number in (101, 102))
    world.book.put(msgspec.structs.replace(world.book.get(PROD), targets=both))
    assert world.at()["prod"] == "1"


def test_one_model_at_two_addresses_is_two_versions(world: World) -> None:
    here, there = (
        (msgspec.structs.replace(elsewhere()[0], base_url=f"https://{name}.example/v1"),) for name in ("a", "b")
    )
    for targets in (here, there):
        world.registering.from_targets(targets, Into(name="outside", owner="acme"), base_model="", who=ACME)
    route = world.book.get("outside")
    world.book.put(msgspec.structs.replace(route, targets=there))
    assert world.model("outside").aliases == {"default": "2"}


def test_a_version_is_used_by_a_name_that_leads_to_it(world: World) -> None:
    world.promote(PROD)
    with pytest.raises(InUse, match=PROD):
        world.uses.delete_version(BOT, "2", who=ACME, force=False, expected=None)
    world.point("default", "2")
    world.uses.delete_version(BOT, "1", who=ACME, force=True, expected=None)
    assert world.leads(PROD) == "102"


def test_with_an_alias_goes_no_name_that_leads_elsewhere(world: World) -> None:
    world.point("default", "2")
    world.lead(PROD, "999")
    world.uses.delete_version(BOT, "1", who=ACME, force=True, expected=None)
    assert (world.at(), world.leads(PROD)) == ({"default": "2"}, "999")


def test_the_alias_and_its_name_move_in_one_commit(world: World) -> None:
    world.canary.start(PROD, world.model("102").called, Plan(), by="ann")
    spy = Spy(world)
    world.canaries.documents = spy
    world.canary.promote(PROD, by="ann")
    moved = [writes for writes in spy.seen if any(write.key.collection == "models" for write in writes)]
    assert [{write.key.collection for write in writes} >= {"models", "routes", "canaries"} for writes in moved] == [
        True
    ]
    assert any(isinstance(write, Replace) and write.key.id == BOT for write in moved[0])
