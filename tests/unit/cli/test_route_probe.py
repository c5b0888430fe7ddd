"""``tuneway routes probe`` against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.access.keys import Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.door import Rule
from tuneway.routing.fragments import Asleep
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import change


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(SqliteDocuments(tmp_path / "state.sqlite"))
    desk.put()
    return desk


@pytest.fixture
def run(desk: Desk) -> Iterator[Run]:
    mine = [Rule(rule.method, rule.path, Scope.TUNE, rule.handler) for rule in desk.rules]
    with served(mine) as run:
        yield run


def test_it_shows_a_table_of_stars_and_why_not(run: Run) -> None:
    shown = run("routes", "probe", "shop")
    head, row, *_ = shown.stdout.splitlines()
    assert head.split() == ["target", "speaks", "first", "whole", "stream", "tools", "json_schema", "vision", "usage"]
    assert row.split()[1:] == ["gemini", "12", "ms", "340", "ms", "★", "-", "-", "-", "-"]
    assert "vision: It sees nothing." in shown.stderr
    assert "9 tokens for $0.001000." in shown.stdout
    assert shown.exit_code == 0


def test_the_last_one_can_be_seen_again(run: Run, desk: Desk) -> None:
    assert run("routes", "probe", "shop", "--last").exit_code == 1
    run("routes", "probe", "shop")
    desk.put(body={**ONE, "retries": 1})
    assert "has changed since" in run("routes", "probe", "shop", "--last").stderr


def test_a_cost_that_is_not_known_is_called_so(run: Run, desk: Desk) -> None:
    desk.cost = None
    assert "9 tokens of unknown cost." in run("routes", "probe", "shop").stdout


def test_as_json_it_is_the_answer(run: Run) -> None:
    assert json.loads(run("routes", "probe", "shop", "--json").stdout)["object"] == "route.probe"


def test_one_that_is_asleep_has_not_failed(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "resting.sqlite")
    desk = Desk(documents)
    desk.put()
    place = place_of(desk.book.get("shop").targets[0])
    change(documents, lambda snapshot: snapshot.with_sleep(place, Asleep(seconds=9)))
    with served([Rule(rule.method, rule.path, Scope.TUNE, rule.handler) for rule in desk.rules]) as run:
        shown = run("routes", "probe", "shop")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[1].split()[1:] == ["gemini", "asleep", "-", "-", "-", "-", "-", "-"]
    assert "asleep: It is asleep. It is woken by a call" in shown.stderr
