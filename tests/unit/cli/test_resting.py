"""``tuneway deployments sleep``, ``wake`` and ``rest``, against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.registry.naps import NapWorld
from tests.unit.registry.rollouts import MAIN
from tuneway.edge.registry.deployments import rules
from tuneway.registry.shelves import DeploymentStatus as Status


@pytest.fixture
def world(tmp_path: Path) -> NapWorld:
    made = NapWorld(tmp_path)
    made.begin()
    return made


@pytest.fixture
def run(world: NapWorld) -> Iterator[Run]:
    with served(rules(world.desk, world.inventory)) as command:
        yield command


def said(run: Run, *words: str) -> str:
    done = run("deployments", *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_it_is_put_to_sleep_and_woken_by_hand_and_the_table_says_what_that_saved(run: Run, world: NapWorld) -> None:
    assert said(run, "sleep", MAIN) == f"Deployment {MAIN} is draining.\n"
    world.until(Status.ASLEEP)
    world.clock += 7200
    assert (
        said(run, "wake", MAIN) == f"Deployment {MAIN} is waking. So far it has slept 2.0 hours and saved 2.00 USD.\n"
    )
    world.until(Status.READY)
    assert "2.00" in said(run, "list")
    assert json.loads(said(run, "show", MAIN))["sleep"]["saved_usd"] == 2.0


def test_when_it_sleeps_is_said_in_words(run: Run, world: NapWorld) -> None:
    hours = ["--window", "mon-fri 08:00-18:00 Europe/Berlin", "--window", "sat,sun 10:00-12:00"]
    assert "sleeps when nobody needs it" in said(run, "rest", MAIN, "--idle", "2h", *hours, "--strict")
    rest = json.loads(said(run, "show", MAIN))["rest"]
    assert (rest["idle_minutes"], rest["strict"]) == (120, True)
    assert rest["windows"] == [
        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "timezone": "Europe/Berlin"},
        {"days": ["sat", "sun"], "from": "10:00", "to": "12:00", "timezone": "UTC"},
    ]
    assert said(run, "rest", MAIN, "--never") == f"Deployment {MAIN} sleeps no more.\n"
    assert world.deployment().rest is None


def test_a_week_may_end_on_a_monday(run: Run, world: NapWorld) -> None:
    said(run, "rest", MAIN, "--window", "sat-mon 08:00-18:00")
    found = world.deployment().rest
    assert found is not None
    assert found.windows[0].days == ("sat", "sun", "mon")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "Say when"),
        (["--never", "--idle", "5m"], "--never stands alone"),
        (["--idle", "soon"], "is not like 30m or 2h"),
        (["--window", "mon-fri"], "is not like 'mon-fri 08:00-18:00 Europe/Berlin'"),
        (["--window", "mon-fri 08:00"], "is not like"),
        (["--window", "lundi 08:00-18:00"], "are no days"),
        (["--window", "mon- 08:00-18:00"], "are no days"),
    ],
)
def test_what_cannot_be_read_is_refused_here(run: Run, words: list[str], why: str) -> None:
    done = run("deployments", "rest", MAIN, *words)
    assert done.exit_code == 2
    assert why in done.output


@pytest.mark.parametrize(
    ("window", "why"), [("mon 18:00-08:00", "as two"), ("mon 08:00-18:00 Mars/Base", "no time zone 'Mars/Base'")]
)
def test_what_cannot_be_kept_is_refused_there(run: Run, window: str, why: str) -> None:
    done = run("deployments", "rest", MAIN, "--window", window)
    assert done.exit_code == 1
    assert why in done.output
