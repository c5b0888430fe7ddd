"""A probe is kept with its date, shown with the route, and told of what it cost."""

from pathlib import Path

import pytest

from tests.unit.edge.asking import NOW
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.adapters.sqlite_documents import SqliteDocuments


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(SqliteDocuments(tmp_path / "state.sqlite"))
    desk.put()
    return desk


@pytest.mark.parametrize("path", ["/shop:probe", "/shop/probe"])
def test_a_probe_says_what_works_and_what_it_cost(desk: Desk, path: str) -> None:
    found = desk.ask("POST", path).json
    (target,) = found["targets"]
    assert (found["alias"], found["version"], found["created_at"], found["author"]) == ("shop", 1, NOW, "acme")
    assert (target["dialect"], target["first_chunk_ms"], target["whole_ms"]) == ("gemini", 12.5, 340.0)
    assert target["stars"]["vision"] == {"works": False, "reason": "It sees nothing."}
    assert (found["cost_usd"], found["outdated"]) == (0.001, False)


def test_it_is_shown_again_and_with_the_route(desk: Desk) -> None:
    assert desk.ask("GET", "/shop/probe").status == 404
    assert "probe" not in desk.ask("GET", "/shop").json
    found = desk.ask("POST", "/shop:probe").json
    assert desk.ask("GET", "/shop/probe").json == found
    shown = desk.ask("GET", "/shop").json["probe"]
    assert (shown["created_at"], shown["version"], shown["targets"]) == (NOW, 1, found["targets"])


def test_one_of_a_route_that_changed_since_is_outdated(desk: Desk) -> None:
    desk.ask("POST", "/shop:probe")
    desk.put(body={**ONE, "retries": 1})
    assert desk.ask("GET", "/shop/probe").json["outdated"]


def test_a_cost_that_is_not_known_is_none(desk: Desk) -> None:
    desk.cost = None
    assert desk.ask("POST", "/shop:probe").json["cost_usd"] is None


def test_only_an_admin_may_spend_it_and_only_on_a_route(desk: Desk) -> None:
    assert desk.ask("POST", "/shop:probe", key="tune").status == 403
    assert desk.ask("POST", "/none:probe").status == desk.ask("GET", "/none/probe").status == 404
