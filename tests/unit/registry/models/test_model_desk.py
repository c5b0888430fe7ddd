"""Edits of registered models: labels, aliases that move at once, what is offered; a stale edit changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.registry.modelled import ACME, ADMIN, BOT, RIVAL, Modelled, elsewhere
from tuneway.errors import BadInput, NotFound, Stale, TryLater
from tuneway.registry.models.model_desk import REMEMBERED, Words
from tuneway.registry.models.registering import Into
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target


@pytest.fixture
def world(tmp_path: Path) -> Modelled:
    """Two jobs of acme's, both versions of one model."""
    made = Modelled(tmp_path)
    for _ in range(2):
        made.put(made.tune())
    return made


def test_a_model_answers_by_its_name_from_its_first_version_on(world: Modelled) -> None:
    assert world.model().aliases == {"default": "1"}
    assert {name: world.leads(name) for name in (BOT, f"{BOT}@default")} == {BOT: "101", f"{BOT}@default": "101"}
    assert world.routes()[BOT].owner == "acme"


def test_an_alias_is_called_by_its_name_and_moves_at_once(world: Modelled) -> None:
    world.point("prod", "1")
    before = world.routes()[f"{BOT}@prod"]
    model = world.point("prod", "2")
    assert (before.targets[0].resource.rpartition("/")[2], world.leads(f"{BOT}@prod")) == ("101", "102")
    assert [(move.alias, move.before, move.after, move.by) for move in model.moves[-2:]] == [
        ("prod", None, "1", "acme"),
        ("prod", "1", "2", "acme"),
    ]


def test_the_default_alias_takes_the_plain_name_along(world: Modelled) -> None:
    world.point("default", "2")
    assert {world.leads(BOT), world.leads(f"{BOT}@default")} == {"102"}


def test_an_alias_may_be_pointed_by_another_alias(world: Modelled) -> None:
    world.point("canary", "2")
    world.point("prod", "canary")
    assert world.model().aliases["prod"] == "2"


def test_pointing_it_again_changes_nothing_and_mends_a_route_that_is_gone(world: Modelled) -> None:
    first = world.point("default", "1")
    RouteBook(world.documents, now=lambda: 0.0).remove(f"{BOT}@default")
    assert world.point("default", "1") == first
    assert world.leads(f"{BOT}@default") == "101"


def test_an_alias_that_is_taken_away_is_called_by_nobody(world: Modelled) -> None:
    world.point("prod", "1")
    after = world.desk.unpoint(BOT, "prod", who=ACME, expected=None)
    assert (after.aliases, f"{BOT}@prod" in world.routes()) == ({"default": "1"}, False)
    assert world.desk.unpoint(BOT, "prod", who=ACME, expected=None) == after


def test_there_is_always_a_default(world: Modelled) -> None:
    with pytest.raises(BadInput, match="always has a default"):
        world.desk.unpoint(BOT, "default", who=ACME, expected=None)


def test_the_alias_of_a_tuned_models_own_name_needs_no_other(world: Modelled) -> None:
    own = world.model("101").called
    world.point("prod", "1", model="101")
    assert own.startswith("ft:")
    assert world.leads(f"{own}@prod") == "101"


@pytest.mark.parametrize("alias", ["cp-3", "Prod", "p", "1st", "prod-", "a/b", "", "x" * 129])
def test_an_alias_that_vertex_would_refuse_is_refused(world: Modelled, alias: str) -> None:
    with pytest.raises(BadInput, match="cannot be a version alias"):
        world.point(alias, "1")


def test_a_name_that_would_be_too_long_is_refused(world: Modelled) -> None:
    with pytest.raises(BadInput, match="at most 128"):
        world.point("x" * 120, "1")


def test_a_name_that_is_somebody_elses_is_not_taken(world: Modelled) -> None:
    book = RouteBook(world.documents, now=lambda: 0.0)
    book.put(Route(alias=f"{BOT}@prod", targets=(Target(resource="r"),), created_at=0.0, owner=None))
    with pytest.raises(BadInput, match="in use") as caught:
        world.point("prod", "1")
    assert caught.value.code == "alias_in_use"
    assert "prod" not in world.model().aliases
    world.desk.unpoint(BOT, "prod", who=ACME, expected=None)
    assert f"{BOT}@prod" in world.routes()


def test_a_stale_edit_is_refused_with_the_version_that_is_there(world: Modelled) -> None:
    revision = world.model().revision
    world.point("prod", "1", expected=revision)
    with pytest.raises(Stale) as caught:
        world.point("prod", "2", expected=revision)
    assert (caught.value.current, caught.value.code) == (revision + 1, "stale_version")
    assert caught.value.there == world.model()
    assert world.leads(f"{BOT}@prod") == "101"


def test_an_alias_moves_only_from_where_it_is_said_to_be(world: Modelled) -> None:
    world.desk.point(BOT, "prod", "1", who=ACME, expected=None, was=None)
    with pytest.raises(Stale, match="is at version '1', not '2'"):
        world.desk.point(BOT, "prod", "2", who=ACME, expected=None, was="2")
    with pytest.raises(Stale, match="is at version '1', not 'None'"):
        world.desk.point(BOT, "prod", "2", who=ACME, expected=None, was=None)
    world.desk.point(BOT, "prod", "2", who=ACME, expected=None, was="1")


def test_an_edit_waits_for_others_and_gives_up_in_the_end(world: Modelled) -> None:
    world.documents.rivals = 3
    world.point("prod", "1")
    world.documents.rivals = 10_000
    with pytest.raises(TryLater):
        world.desk.edit(BOT, Words(description="x"), who=ACME, expected=None)


def test_labels_and_words_are_edited(world: Modelled) -> None:
    words = Words(description="For the shop.", labels={"team": "shop", "größe": "7"})
    after = world.desk.edit(BOT, words, who=ACME, expected=world.model().revision)
    assert (after.description, after.labels) == ("For the shop.", {"team": "shop", "größe": "7"})
    assert world.desk.edit(BOT, Words(description="New."), who=ACME, expected=None).labels == after.labels
    assert world.desk.edit(BOT, Words(labels={}), who=ACME, expected=None).labels == {}
    version = world.desk.edit_version(BOT, "2", words, who=ACME, expected=1)
    assert (version.labels, version.revision) == (after.labels, 2)
    with pytest.raises(Stale):
        world.desk.edit_version(BOT, "2", Words(labels={}), who=ACME, expected=1)


def test_an_edit_that_says_what_is_there_is_no_edit(world: Modelled) -> None:
    before = world.model()
    world.changes.clear()
    assert world.desk.edit(BOT, Words(labels={}), who=ACME, expected=None) == before
    assert world.changes == []


@pytest.mark.parametrize(
    ("labels", "param"),
    [
        ({"Team": "x"}, "labels"),
        ({"1team": "x"}, "labels"),
        ({"": "x"}, "labels"),
        ({"k" * 64: "x"}, "labels"),
        ({"team": "Shop"}, "labels.team"),
        ({"team": "a b"}, "labels.team"),
        ({"team": "v" * 64}, "labels.team"),
        ({f"k{n}": "v" for n in range(65)}, "labels"),
    ],
)
def test_labels_follow_googles_rules(world: Modelled, labels: dict[str, str], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        world.desk.edit(BOT, Words(labels=labels), who=ACME, expected=None)
    assert caught.value.param == param


def test_a_description_has_an_end(world: Modelled) -> None:
    with pytest.raises(BadInput, match="4096"):
        world.desk.edit(BOT, Words(description="x" * 4097), who=ACME, expected=None)


def test_what_is_archived_is_given_no_alias_and_goes_on_answering(world: Modelled) -> None:
    world.desk.offer_version(BOT, "2", offered=False, who=ACME, expected=None)
    with pytest.raises(BadInput, match="archived"):
        world.point("prod", "2")
    world.desk.offer(BOT, offered=False, who=ACME, expected=None)
    with pytest.raises(BadInput, match="archived"):
        world.point("prod", "1")
    assert world.leads(BOT) == "101"
    assert world.desk.offer(BOT, offered=True, who=ACME, expected=None).state == "ready"
    world.desk.offer_version(BOT, "2", offered=True, who=ACME, expected=None)
    assert world.point("prod", "2").aliases["prod"] == "2"


def test_another_tenants_model_is_no_model(world: Modelled) -> None:
    with pytest.raises(NotFound, match="There is no model 'support-bot'"):
        world.desk.edit(BOT, Words(description="mine"), who=RIVAL, expected=None)
    with pytest.raises(NotFound):
        world.desk.point(BOT, "prod", "1", who=RIVAL, expected=None)
    assert world.desk.edit(BOT, Words(description="ops"), who=ADMIN, expected=None).owner == "acme"


def test_a_version_that_is_not_there_cannot_be_pointed_at(world: Modelled) -> None:
    with pytest.raises(NotFound, match="no version '7'"):
        world.point("prod", "7")


def test_the_history_keeps_the_last_moves(world: Modelled) -> None:
    for n in range(REMEMBERED + 3):
        world.point("prod", str(1 + n % 2))
    assert len(world.model().moves) == REMEMBERED


def test_a_version_elsewhere_is_aliased_like_any_other(world: Modelled) -> None:
    into = Into(name=BOT, owner="acme")
    world.registering.from_targets(elsewhere(), into, base_model="", who=ADMIN)
    world.point("prod", "3")
    assert world.leads(f"{BOT}@prod") == "gpt-5"


def test_of_racing_edits_none_is_lost(world: Modelled) -> None:
    """Eight writers add a label each, time and again, to what they have read: every success is there in the end."""
    before = world.model().revision

    def write(name: int) -> None:
        for _ in range(1000):
            seen = world.model()
            labels = {**seen.labels, f"writer-{name}": str(int(seen.labels.get(f"writer-{name}", "0")) + 1)}
            with suppress(Stale):
                world.desk.edit(BOT, Words(labels=labels), who=ACME, expected=seen.revision)
                if labels[f"writer-{name}"] == "5":
                    return
        raise AssertionError(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert world.model().labels == {f"writer-{name}": "5" for name in range(8)}
    assert world.model().revision == before + 40
