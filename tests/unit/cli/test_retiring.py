"""``tuneway models retiring | retune | retunes``, against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.registry.test_retirements import Door
from tests.unit.registry.retiring import BASE, HEIR, ending
from tuneway.routing.routes import Target


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture
def run(door: Door) -> Iterator[Run]:
    with served(door.rules) as command:
        yield command


def said(run: Run, *words: str) -> str:
    done = run("models", *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_goes_is_shown_with_what_to_do(run: Run, door: Door) -> None:
    alias = door.world.model("101").called
    lines = said(run, "retiring").splitlines()
    assert lines[0] == f"101 (on {BASE}): retires 2026-12-08, 20 days left"
    assert f"  routes: {alias}" in lines
    assert f"  successor: {HEIR} (until 2027-07-21)" in lines
    (price,) = [line for line in lines if line.startswith("  re-tune: ")]
    assert price.startswith(f"  re-tune: on {HEIR} for ")
    assert price.endswith(": tuneway models retune 101@1")
    assert lines[lines.index(price) + 1].startswith("    price: ")
    assert lines[lines.index(price) + 1].endswith("2026-11-21)")
    assert f"    base_model: {BASE} → {HEIR}" in lines


def test_what_keeps_it_from_being_tuned_again_is_said(run: Run, door: Door) -> None:
    job = door.world.rows()["101"].job or ""
    door.world.loop.files.delete(door.world.loop.job(job).training_file)
    assert "  re-tune: no. " in said(run, "retiring")


def test_where_no_successor_is_named_a_base_can_be(tmp_path: Path) -> None:
    door = Door(tmp_path, catalogue=ending(successor=None))
    with served(door.rules) as run:
        (line,) = [line for line in said(run, "retiring").splitlines() if "re-tune: " in line]
    assert line.endswith("Name a base_model to tune on: tuneway models retune 101@1 --onto BASE")


def test_nothing_to_show_is_said(run: Run) -> None:
    assert "within 3 days" in said(run, "retiring", "--within", "3")
    assert json.loads(said(run, "retiring", "--within", "3", "--json"))["data"] == []


def test_a_dry_run_says_what_it_would_be(run: Run) -> None:
    told = said(run, "retune", "101", "--dry-run")
    assert told.startswith(f"101@1 would be tuned on {HEIR} for ")
    assert "  canary: on 'ft:" in told
    assert "  price: " in told
    assert said(run, "retunes") == "There are none.\n"


def test_it_is_started_shown_and_cancelled(run: Run, door: Door, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"steps": [5], "min_requests": 9}')
    told = said(run, "retune", "101@1", "--onto", HEIR, "--canary", str(plan), "--max-cost", "9")
    (known,) = door.world.book.newest(owner=None, model="101", after=None, limit=2)
    assert f"Look at it: tuneway models retunes {known.id}" in told
    assert known.plan is not None
    assert (known.plan.min_requests, known.plan.steps) == (9, (5.0, 100.0))
    assert "  price: " in told
    assert known.id in said(run, "retunes")
    assert f"  tuning: Job {known.job} tunes '{HEIR}'" in said(run, "retunes", known.id)
    assert "cancelled: Cancelled." in said(run, "retunes", known.id, "--cancel")


def test_the_same_key_is_the_same_one(run: Run) -> None:
    words = ("retune", "101", "--canary", "none", "--idempotency-key", "once", "--json")
    first, second = (json.loads(said(run, *words)) for _ in range(2))
    assert first["id"] == second["id"]
    assert first["plan"] is None


@pytest.mark.parametrize("content", [None, "[1]", "{"])
def test_a_file_that_holds_no_plan_is_refused(run: Run, tmp_path: Path, content: str | None) -> None:
    plan = tmp_path / "plan.json"
    if content is not None:
        plan.write_text(content)
    done = run("models", "retune", "101", "--canary", str(plan))
    assert done.exit_code == 1
    assert "holds no plan of a canary" in done.output


def test_a_retune_to_cancel_has_to_be_named(run: Run) -> None:
    done = run("models", "retunes", "--cancel")
    assert (done.exit_code, "Name the re-tune" in done.output) == (1, True)


def test_a_base_that_no_catalogue_knows_is_told_of(run: Run, door: Door) -> None:
    door.world.lead("own", Target(resource="projects/p/locations/us/publishers/google/models/gemini-9-nano"))
    assert "nobody here knows their dates: gemini-9-nano." in said(run, "retiring")
    assert json.loads(said(run, "retiring", "--json"))["unknown"] == ["gemini-9-nano"]
