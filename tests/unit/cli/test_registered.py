"""``tuneway models``: the registry by hand, against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.registry.test_model_registry import Door, FakeSettling
from tests.unit.registry.modelled import BOT
from tuneway.edge.fine_tuning import replays
from tuneway.edge.registry import model_reading, model_registry
from tuneway.registry.inventory import Inventory
from tuneway.tuning.inspection import Inspector


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture
def run(door: Door) -> Iterator[Run]:
    world, loop = door.world, door.world.loop
    inspector = Inspector(loop.shelf, loop.files, catalogue=loop.catalogue, now=lambda: loop.clock)
    rules = [
        *model_reading.rules(Inventory(world.documents)),
        *model_registry.built(
            world.documents, loop.events, desk=FakeSettling(), book=door.book, now=lambda: loop.clock
        ),
        *replays.rules(loop.desk, inspector),
    ]
    with served(rules) as command:
        for job in door.jobs:
            assert command("models", "register", BOT, "--job", job.id, "--label", "team=shop").exit_code == 0
        yield command


def said(run: Run, *words: str) -> str:
    done = run("models", *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_models_and_versions_are_tables(run: Run) -> None:
    assert [line.split()[0] for line in said(run, "registered").splitlines()] == ["MODEL", "101", "102", BOT]
    assert [line.split()[0] for line in said(run, "registered", "--label", "team=shop").splitlines()] == ["MODEL", BOT]
    head, one, two = said(run, "versions", BOT).splitlines()
    assert head.split() == ["VERSION", "STATE", "ALIASES", "JOB", "DATASET", "LABELS"]
    assert (one.split()[:3], two.split()[:3]) == (["1", "ready", "default"], ["2", "ready", "-"])


def test_a_list_of_many_pages_is_read_to_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneway.cli.registered.PAGE", 2)
    assert len(json.loads(said(run, "registered", "--json"))) == 3


def test_a_model_and_a_version_are_shown(run: Run) -> None:
    assert [each["number"] for each in json.loads(said(run, "show", BOT))["versions"]] == ["1", "2"]
    assert json.loads(said(run, "show", f"{BOT}@default"))["number"] == "1"


def test_labels_are_added_and_taken_away(run: Run) -> None:
    assert said(run, "label", BOT, "stage=live", "team-").strip() == "stage=live"
    assert said(run, "label", f"{BOT}@2", "best=yes").strip() == "best=yes,team=shop"
    said(run, "describe", BOT, "For the shop.")
    assert json.loads(said(run, "show", BOT))["description"] == "For the shop."
    done = run("models", "label", BOT, "nonsense")
    assert (done.exit_code, "KEY=VALUE" in done.output) == (1, True)


def test_aliases_are_pointed_and_taken_away(run: Run) -> None:
    assert f"{BOT}@prod" in said(run, "alias", BOT, "prod", "2", "--was", "none")
    done = run("models", "alias", BOT, "prod", "1", "--was", "1")
    assert (done.exit_code, "is at version '2'" in done.output) == (1, True)
    assert json.loads(said(run, "aliases", BOT, "--json"))["moves"][0]["after"] == "2"
    assert "prod" not in said(run, "unalias", BOT, "prod")
    assert said(run, "aliases", BOT).splitlines()[0].split() == ["ALIAS", "VERSION", "NAME"]


def test_versions_are_compared_in_a_table(run: Run) -> None:
    said(run, "alias", BOT, "prod", "2")
    table = said(run, "compare", f"{BOT}@1", f"{BOT}@prod")
    assert f"{BOT}@2" in table.splitlines()[0]
    marked = [line.split()[1] for line in table.splitlines() if line.startswith("*")]
    assert "job" in marked
    assert "backend" not in marked
    assert json.loads(said(run, "compare", BOT, "102", "--json"))["versions"] == [f"{BOT}@1", "102@1"]


def test_lineage_is_shown_and_replayed(run: Run, door: Door) -> None:
    job = json.loads(said(run, "lineage", BOT))["job"]["job"]
    assert job == door.jobs[0].id
    again = json.loads(said(run, "replay", f"{BOT}@1", "--json"))
    assert again["training_file"] == door.jobs[0].training_file
    assert f"is {job} once more" in said(run, "replay", BOT)
    door.world.loop.files.delete(door.jobs[0].training_file)
    assert run("models", "replay", BOT).exit_code == 1


def test_what_is_archived_is_restored(run: Run) -> None:
    assert "archived" in said(run, "archive", BOT)
    assert BOT not in said(run, "registered")
    assert BOT in said(run, "registered", "--archived")
    assert "ready" in said(run, "restore", BOT)
    assert "archived" in said(run, "archive", f"{BOT}@2")


def test_what_is_used_is_deleted_by_force_alone(run: Run) -> None:
    assert f"{BOT}@default" in said(run, "uses", BOT)
    refused = run("models", "delete", BOT)
    assert (refused.exit_code, "is used by" in refused.output) == (1, True)
    assert "Nothing uses" in said(run, "uses", f"{BOT}@2")
    assert "is deleted" in said(run, "delete", f"{BOT}@2")
    assert "is deleted" in said(run, "delete", BOT, "--force")
    assert BOT not in said(run, "registered")
