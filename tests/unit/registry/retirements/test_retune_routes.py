"""What a re-tune may do to routes: it takes no calls but the old version's, and leaves what people changed as it is."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.registry.modelled import ACME, ADMIN, BOT
from tests.unit.registry.retiring import PLAN, World
from tuneway.errors import BadInput, Conflict
from tuneway.ports.retirements import Begin, RetuneQuote, RetuneWish
from tuneway.registry.retirements.retune import Retune, Status
from tuneway.registry.retirements.retune_desk import RetuneDesk
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import Model
from tuneway.routing.names import place
from tuneway.routing.routes import Target

PROD = f"{BOT}@prod"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.put(made.trained())
    made.point("prod", "1")
    made.call(PROD, 3)
    return made


def tried(world: World) -> Retune:
    """A re-tune whose job has ended, as far as it goes by itself."""
    begun = world.start(BOT)
    world.train(begun.job, loss=1.0)
    world.tick()
    return world.retune(begun.id)


def won(world: World) -> Retune:
    """A re-tune whose canary was promoted by hand, which it does not know yet."""
    found = tried(world)
    world.canary_desk().promote(PROD, by="ops")
    return found


def other() -> Target:
    return Target(provider="openai", dialect="openai", model="gpt-5", base_url="https://api.openai.com/v1")


@pytest.mark.parametrize("place_there", ["asked first", "asked as well"])
def test_a_route_that_leads_to_others_too_is_not_tried_on(world: World, place_there: str) -> None:
    old = world.target(PROD)
    behind = msgspec.structs.replace(old, order=1 if place_there == "asked first" else 0)
    world.lead(PROD, other(), behind)
    world.call(PROD, 9)
    found = tried(world)
    assert found.alias in {BOT, f"{BOT}@default"}
    assert other() in world.routes()[PROD].targets


def test_another_tenants_route_is_neither_tried_on_nor_named_for_an_admin(world: World) -> None:
    world.lead("secret", world.target(PROD), owner="rival")
    world.call("secret", 9)
    begun = world.start(BOT, who=ADMIN)
    world.train(begun.job, loss=1.0)
    world.tick()
    world.canary_desk().promote(PROD, by="ops")
    world.tick()
    over = world.book.owned(begun.id, "acme").value
    assert (over.status, over.alias) == (Status.PROMOTED, PROD)
    assert "secret" not in str(over)


def test_where_all_routes_lead_to_others_too_it_stops_and_says_what_to_do(world: World) -> None:
    for name, route in world.routes().items():
        world.lead(name, other(), msgspec.structs.replace(route.targets[0], order=1))
    found = tried(world)
    assert found.status is Status.STOPPED
    assert "leads to support-bot@1 alone" in found.moments[-1].message
    assert "by hand" in found.moments[-1].message


def test_a_route_that_was_rolled_back_by_hand_stays_so(world: World) -> None:
    old = world.target(PROD)
    found = won(world)
    book = RouteBook(world.documents, now=world.now)
    book.put(msgspec.structs.replace(book.get(PROD), targets=(old,)))
    world.tick()
    over = world.retune(found.id)
    assert (over.status, world.target(PROD)) == (Status.STOPPED, old)
    assert "was changed" in over.moments[-1].message
    assert world.model().aliases["prod"] == "1"


def test_what_stood_behind_the_old_version_stands_behind_the_new_one(world: World) -> None:
    spare = msgspec.structs.replace(other(), order=1)
    world.lead(PROD, world.target(PROD), spare)
    found = won(world)
    world.tick()
    assert world.retune(found.id).status is Status.PROMOTED
    assert world.model().aliases["prod"] == "2"
    assert place(world.routes()[PROD].targets[0]).endswith("/102")
    assert world.routes()[PROD].targets[1:] == (spare,)


def test_one_that_is_cancelled_while_its_canary_begins_has_none(world: World) -> None:
    rival = world.trained()
    begun = world.start(BOT)
    desk = world.canary_desk()
    desk.start(PROD, rival.alias, PLAN, by="ops")
    world.train(begun.job, loss=1.0)
    world.tick(2)
    read = world.book.kept.get(begun.id)
    assert read.value.status is Status.CANARYING
    world.retunes.cancel(begun.id, who=ACME)
    desk.abort(PROD, by="ops")
    with pytest.raises(Conflict):
        world.steps.take_on(read)
    assert world.canary(PROD).id != read.value.canary
    assert world.leads(PROD) == "101"


def test_a_model_of_the_same_name_that_is_somebody_elses_now_is_left_alone(world: World) -> None:
    begun = world.start(BOT)
    world.train(begun.job, loss=1.0)
    rival = world.trained()
    world.canary_desk().start(PROD, rival.alias, PLAN, by="ops")
    world.tick(2)
    stored = world.shelf.models.get(BOT)
    taken: Model = msgspec.structs.replace(stored.value, owner="rival")
    world.documents.commit(world.shelf.models.replace(stored, taken))
    for name, route in world.routes().items():
        world.lead(name, *route.targets, owner="rival", trial=route.trial)
    world.canary_desk().abort(PROD, by="ops")
    world.tick()
    assert world.retune(begun.id).status is Status.STOPPED
    assert world.leads(PROD) == "101"


def test_an_archived_model_is_refused_before_anything_is_paid(world: World) -> None:
    world.desk.offer(BOT, offered=False, who=ACME, expected=None)
    with pytest.raises(BadInput, match="Restore it first") as refused:
        world.start(BOT)
    assert (refused.value.param, refused.value.code) == ("model", "archived")
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 1


class Beaten:
    """Somebody else sends the same request while this one is on its way."""

    def __init__(self, world: World) -> None:
        self.world = world

    def quote(self, job: str, wish: RetuneWish) -> RetuneQuote:
        return self.world.retuner.quote(job, wish)

    def begin(self, job: str, wish: RetuneWish, how: Begin) -> str:
        self.world.start(BOT, idempotency_key="once")
        return self.world.retuner.begin(job, wish, how)


def test_the_same_key_twice_at_once_is_one_retune_for_both(world: World) -> None:
    beaten = RetuneDesk(world.steps, world.shelf, Beaten(world), new_id=world.loop.new_id)
    found = beaten.start(BOT, world.order(idempotency_key="once"), who=ACME)
    assert world.book.newest(owner="acme", model=BOT, after=None, limit=9) == [found]
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 2
