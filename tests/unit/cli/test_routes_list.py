"""``tuneway routes list`` against a door: every target by a name, wherever it is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.access.keys import Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.door import Rule

OWN = {"identifier": "custom_openai/gemma", "base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SqliteDocuments(tmp_path / "state.sqlite"))


@pytest.fixture
def run(desk: Desk) -> Iterator[Run]:
    mine = [Rule(rule.method, rule.path, Scope.TUNE, rule.handler) for rule in desk.rules]
    with served(mine) as run:
        yield run


def rows(run: Run) -> list[list[str]]:
    done = run("routes", "list")
    assert done.exit_code == 0, done.output
    return [row.split() for row in done.stdout.splitlines()]


def test_a_target_outside_of_vertex_ai_has_a_name_too(run: Run, desk: Desk) -> None:
    desk.put(body=OWN)
    assert rows(run) == [
        ["ALIAS", "VERSION", "OWNER", "TARGETS", "FALLBACKS"],
        ["shop", "1", "-", "custom_openai/gemma", "-"],
    ]


def test_several_are_told_with_their_weights(run: Run, desk: Desk) -> None:
    desk.put(body={"targets": [{**OWN, "weight": 3}, ONE]})
    (row,) = rows(run)[1:]
    assert row[3:6] == ["3", "x", "custom_openai/gemma,"]
    assert row[6:8] == ["1", "x"]
    assert row[8].startswith("projects/")
