"""``tuneway routes history``, ``diff`` and ``rollback`` against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.access.keys import Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.door import Rule


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(SqliteDocuments(tmp_path / "state.sqlite"))
    desk.put()
    desk.put(body={**ONE, "retries": 2})
    return desk


@pytest.fixture
def run(desk: Desk) -> Iterator[Run]:
    mine = [Rule(rule.method, rule.path, Scope.TUNE, rule.handler) for rule in desk.rules]
    with served(mine) as run:
        yield run


def test_the_history_names_version_author_and_fields(run: Run) -> None:
    lines = run("routes", "history", "shop").output.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert lines[0].endswith("acme: retries")


def test_the_history_as_json_is_the_rows(run: Run) -> None:
    rows = json.loads(run("routes", "history", "shop", "--json", "--limit", "1").output)
    assert [(row["version"], row["changed"]) for row in rows] == [(2, ["retries"])]


def test_the_diff_is_of_the_newest_version_or_a_named_one(run: Run) -> None:
    assert "  retries: - → 2" in run("routes", "diff", "shop").output
    assert "nothing → version 1" in run("routes", "diff", "shop", "1").output
    assert "  retries: 2 → -" in run("routes", "diff", "shop", "1", "--against", "2").output


def test_a_rollback_says_what_it_did(run: Run, desk: Desk) -> None:
    assert run("routes", "rollback", "shop").output == "Route shop is as in version 1; this is version 3.\n"
    assert desk.book.get("shop").retries == 0
    assert "Rolled back to version 1" in run("routes", "history", "shop").output


def test_a_rollback_of_what_has_changed_fails_and_says_why(run: Run) -> None:
    late = run("routes", "rollback", "shop", "--to", "1", "--if-version", "1")
    assert (late.exit_code, "at version 2 now" in late.output) == (1, True)


def test_what_never_was_has_no_history(run: Run) -> None:
    assert run("routes", "history", "never").exit_code == 1
