"""What stands on a base that retires: names, routes and what answers instead; what it costs to stay, or why not."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.fakes import NOW
from tests.unit.registry.modelled import BOT
from tests.unit.registry.retiring import BASE, HEIR, TODAY, World, ending
from tuneway.ports import Method
from tuneway.ports.retirements import RetuneQuote
from tuneway.registry.retirements.radar import NO_JOB, ONLY_ROUTES, Retiring
from tuneway.registry.retirements.stands import base_of
from tuneway.routing.routes import Target
from tuneway.state import Collection
from tuneway.tuning.cost import Estimate, estimate
from tuneway.tuning.files import FileRecord
from tuneway.tuning.hyperparameters import Hyperparameters

OTHER = Target(provider="openai", dialect="openai", model="gpt-5", base_url="https://api.openai.com/v1")


def publisher(model: str) -> Target:
    return Target(resource=f"projects/p/locations/global/publishers/google/models/{model}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.trained(hyperparameters=Hyperparameters(epochs=3))
    return made


def quote_of(row: Retiring) -> RetuneQuote:
    assert row.retune is not None
    assert row.retune.quote is not None, row.retune.obstacle
    return row.retune.quote


def obstacle_of(row: Retiring) -> tuple[str | None, str | None]:
    assert row.retune is not None
    return row.retune.code, row.retune.obstacle


def test_a_row_says_when_how_sure_and_by_whose_word(world: World) -> None:
    row = world.rows()["101"]
    assert (row.retires_on, row.days_left, row.announced, row.past) == (TODAY + timedelta(days=20), 20, True, False)
    assert (row.base_model, row.successor, row.owner) == (BASE, HEIR, "acme")
    assert row.source
    assert row.as_of == world.catalogue.as_of


def test_routes_aliases_and_what_answers_instead_are_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(world.trained())
    world.point("prod", "1")
    mine = world.target(f"{BOT}@prod")
    world.lead("shop", mine, msgspec.structs.replace(OTHER, order=1), fallbacks=("spare",))
    world.lead("front", OTHER, fallbacks=("shop",))
    row = world.rows()[BOT]
    assert row.aliases == (f"{BOT}@default", f"{BOT}@prod")
    led = {each.route: each for each in row.routes}
    assert set(led) == {BOT, f"{BOT}@default", f"{BOT}@prod", "shop", world.model("101").called}
    assert (led["shop"].whole, led["shop"].falls_back_to, led["shop"].fallback_of) == (
        False,
        ("openai/gpt-5", "spare"),
        ("front",),
    )
    assert led[BOT].whole
    assert "'shop' has openai/gpt-5, spare" in row.then
    assert f"Nothing answers instead for: ft:{BASE}" in row.then


@pytest.mark.parametrize(("days", "word"), [(1, "will be"), (0, "is"), (-3, "is")])
def test_past_is_past_on_the_day_itself(tmp_path: Path, days: int, word: str) -> None:
    world = World(tmp_path, catalogue=ending(400))
    world.trained()
    world.loop.clock = NOW + (400 - days) * 86_400
    row = world.rows()["101"]
    assert (row.past, row.days_left) == (word == "is", days)
    assert row.then.startswith(f"A call to it {word} answered with 404 (model_not_found).")


def test_only_what_goes_within_so_many_days_is_asked_for(world: World) -> None:
    assert [set(world.rows(within=days)) for days in (19, 20)] == [set(), {"101"}]


def test_a_base_without_a_date_has_no_row_and_is_named(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(None, retires_not_before=None))
    world.trained()
    seen = world.radar.look(owner="acme")
    assert (seen.rows, seen.undated) == ((), (BASE,))


def test_a_base_that_no_catalogue_knows_is_named_too(world: World) -> None:
    world.lead("own", publisher("gemini-9-nano"))
    seen = world.radar.look(owner=None)
    assert (seen.unknown, seen.undated) == (("gemini-9-nano",), ())
    assert "gemini-9-nano" not in {row.id for row in seen.rows}


def test_a_promise_is_no_announcement(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(None))
    world.trained()
    row = world.rows()["101"]
    assert (row.announced, str(row.retires_on)) == (False, "2027-05-19")
    assert "No day is announced" in row.then


def test_routes_to_a_base_itself_are_a_row_of_their_own(world: World) -> None:
    world.lead("plain", publisher(BASE), publisher("gemini-2.5-flash"))
    world.lead("cloud", Target(provider="bedrock", model="us.anthropic.claude-3-haiku-20240307-v1:0"))
    rows = world.rows()
    assert {row.kind for row in rows.values()} == {"model", "base_model"}
    assert [each.route for each in rows[BASE].routes] == ["plain"]
    assert rows["gemini-2.5-flash"].past
    assert rows["anthropic.claude-3-haiku-20240307-v1:0"].base_model.startswith("anthropic.claude-3-haiku")
    assert obstacle_of(rows[BASE]) == ("no_job", f"{ONLY_ROUTES} Point its routes to '{HEIR}'.")


def test_where_no_successor_is_named_nobody_is_sent_to_one(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(successor=None))
    world.lead("plain", publisher(BASE))
    row = world.rows()[BASE]
    said = "The catalogue names no successor: point its routes to another model, or give them fallbacks."
    assert (row.successor, obstacle_of(row)) == (None, ("no_job", f"{ONLY_ROUTES} {said}"))


def test_a_model_without_a_job_on_a_base_without_a_successor_is_sent_to_no_successor(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(successor=None))
    world.trained()
    outside = world.shelf.versions("101")
    stored = outside.get("1")
    world.documents.commit(outside.replace(stored, msgspec.structs.replace(stored.value, job="")))
    said = "Tune a new model on another base model: the catalogue names no successor."
    assert obstacle_of(world.rows()["101"]) == ("no_job", f"{NO_JOB} {said}")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (publisher("gemini-2.5-pro"), "vertex_ai/gemini-2.5-pro"),
        (Target(resource="projects/p/locations/us/endpoints/1"), None),
        (Target(provider="bedrock", model="eu.amazon.nova-lite-v1:0"), "bedrock/amazon.nova-lite-v1:0"),
        (Target(provider="bedrock", model="arn:aws:bedrock:us-east-1:1:custom-model-deployment/x"), None),
        (OTHER, None),
    ],
)
def test_a_target_says_which_base_it_calls(target: Target, expected: str | None) -> None:
    assert base_of(target) == expected


def test_another_tenant_sees_nothing_of_it_and_an_admin_all(world: World) -> None:
    world.lead("plain", publisher(BASE))
    assert world.rows(owner="rival") == {}
    assert set(world.rows(owner="acme")) == set(world.rows()) == {"101", BASE}


def test_the_price_is_tunings_own_estimate_of_the_stored_dataset(world: World) -> None:
    row = world.rows()["101"]
    found = quote_of(row)
    job = world.loop.job(row.job or "")
    assert job.dataset is not None
    base = world.catalogue.base(HEIR, today=TODAY)
    expected = estimate(job.dataset, base, Hyperparameters(epochs=3))
    notes = (*expected.notes, *base.warnings(TODAY))
    assert msgspec.convert(found.estimate, Estimate) == msgspec.structs.replace(expected, notes=notes)
    assert found.changes == (f"base_model: {BASE} → {HEIR}",)


def test_a_successor_that_goes_soon_itself_is_passed_over(tmp_path: Path) -> None:
    soon = str(TODAY + timedelta(days=60))
    rows = [
        {"name": BASE, "retired_on": str(TODAY + timedelta(days=20)), "successor": HEIR},
        {"name": HEIR, "retired_on": soon, "successor": "gemini-3.1-flash-lite"},
    ]
    world = World(tmp_path, catalogue=ending().merged(msgspec.json.encode({"models": rows})))
    world.trained()
    row = world.rows()["101"]
    assert (row.successor, row.through) == ("gemini-3.1-flash-lite", (HEIR,))
    assert quote_of(row).base_model == "gemini-3.1-flash-lite"


def test_without_a_successor_one_is_to_be_named(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(20, successor=None))
    world.trained()
    code, said = obstacle_of(world.rows()["101"])
    assert code == "no_successor"
    assert "Name a base_model" in str(said)


def test_a_successor_that_cannot_be_tuned_is_an_obstacle(tmp_path: Path) -> None:
    world = World(tmp_path, catalogue=ending(20, successor="gemini-3.8-flash"))
    world.trained()
    assert obstacle_of(world.rows()["101"])[0] == "model_not_tunable"


def test_a_file_that_is_gone_is_an_obstacle(world: World) -> None:
    job = world.loop.job(world.rows()["101"].job or "")
    world.loop.files.delete(job.training_file)
    code, said = obstacle_of(world.rows()["101"])
    assert code == "file_not_found"
    assert job.training_file in str(said)


def test_an_upload_that_was_deleted_is_an_obstacle(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.loop.files.read(world.loop.upload()) as content:
        record = world.loop.shelf.upload(content, filename="a.jsonl", purpose="fine-tune", owner="acme")
    world.trained(training_file=record.id)
    assert quote_of(world.rows()["101"]).training_file == record.id
    kept = Collection(world.documents, "files", FileRecord)
    world.documents.commit(kept.delete(record.id))
    assert obstacle_of(world.rows()["101"])[0] == "file_not_found"


def test_a_method_that_the_successor_does_not_know_is_an_obstacle(tmp_path: Path) -> None:
    plain = msgspec.json.encode({"models": [{"name": HEIR, "methods": ["supervised"]}]})
    world = World(tmp_path, catalogue=ending(20).merged(plain))
    job = world.trained()
    kept = world.loop.lifecycle.jobs
    stored = kept.get(job.id)
    world.documents.commit(kept.replace(stored, msgspec.structs.replace(stored.value, method=Method.PREFERENCE)))
    assert obstacle_of(world.rows()["101"])[0] == "unsupported_method"


def test_a_job_that_is_not_kept_and_what_no_job_made_are_obstacles(world: World) -> None:
    world.documents.commit(world.loop.lifecycle.jobs.delete(world.rows()["101"].job or ""))
    assert obstacle_of(world.rows()["101"])[0] == "job_not_found"
    outside = world.shelf.versions("101")
    stored = outside.get("1")
    world.documents.commit(outside.replace(stored, msgspec.structs.replace(stored.value, job="")))
    assert obstacle_of(world.rows()["101"]) == ("no_job", f"{NO_JOB} Tune a new model on '{HEIR}'.")


def test_weights_of_ones_own_go_on_answering(world: World) -> None:
    shelf = world.shelf.versions("101")
    stored = shelf.get("1")
    own = msgspec.structs.replace(stored.value, weights="gs://bucket/weights", backend="vertex_open")
    world.documents.commit(shelf.replace(stored, own))
    row = world.rows()["101"]
    assert not row.stops
    assert row.then == "Its own weights go on answering; new tuning jobs on the base are refused."
