"""A probe is kept with its date, shown with the route, and told of what it cost."""

from pathlib import Path

import pytest

from tests.unit.edge.asking import NOW
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.routing.fragments import Asleep
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import change

AT = 1_800_000_000.0  # 2027-01-15 08:00 UTC


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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Asleep(seconds=90.2), "It is woken by a call (tuneway deployments wake), which takes about 91 seconds"),
        (Asleep(seconds=90, strict=True), "It is woken by hand (tuneway deployments wake)"),
        (Asleep(seconds=90, wakes_at=AT, strict=True), "It wakes by itself at 2027-01-15 08:00 UTC, or is woken by"),
        (Asleep(seconds=90, ready_at=AT), "It is being woken: probe it again when it answers."),
    ],
)
def test_what_is_asleep_is_told_so_and_not_asked(tmp_path: Path, said: Asleep, told: str) -> None:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    desk = Desk(documents)
    other = {"identifier": "vertex_ai/gemini-3.5-pro"}
    desk.put(body={"targets": [ONE, other]})
    change(documents, lambda snapshot: snapshot.with_sleep(_place(desk, 0), said))
    found = desk.ask("POST", "/shop:probe").json
    resting, awake = found["targets"]
    assert (resting["asleep"], resting["answers"]["code"]) == (True, "model_asleep")
    assert resting["answers"]["reason"].startswith(f"It is asleep. {told}")
    assert {star["code"] for star in resting["stars"].values()} == {"model_asleep"}
    assert (awake["answers"], "asleep" in awake, found["cost_usd"]) == ({"works": True}, False, 0.001)
    assert [target.partition("/models/")[2] for target in desk.probed] == ["gemini-3.5-pro"]


def test_where_all_sleep_nobody_is_asked_and_it_costs_nothing(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    desk = Desk(documents)
    desk.put()
    change(documents, lambda snapshot: snapshot.with_sleep(_place(desk, 0), Asleep(seconds=9)))
    found = desk.ask("POST", "/shop:probe").json
    assert (desk.probed, found["cost_usd"], len(found["targets"])) == ([], 0.0, 1)


def _place(desk: Desk, number: int) -> str:
    return place_of(desk.book.get("shop").targets[number])
