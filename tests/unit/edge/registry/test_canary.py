"""``/v1/registry/routes/{alias}/canary``: what is asked, what is shown, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.asking import Asked, Asking
from tests.unit.registry.canary_site import Site
from tests.unit.registry.requests import CANDIDATE, STABLE
from tuneway.edge.registry.canary import rules

ROOT = "/v1/registry/routes/shop/canary"


class Door:
    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.ask = Asking(rules(self.site.desk))

    def post(self, what: str = "", **body: Any) -> Asked:
        return self.ask("POST", f"{ROOT}{what}", key="admin@ann", body=body)

    def get(self, what: str = "") -> Any:
        return self.ask("GET", f"{ROOT}{what}", key="admin").json


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_canary_is_shown_with_what_is_measured_and_what_it_waits_for(door: Door) -> None:
    assert door.post(candidate="tuned", min_requests=20, min_minutes=1).status == 200
    door.site.both(10)
    door.site.serve(CANDIDATE, 1, status=500, cost_usd=None)
    found = door.get()
    assert (found["object"], found["state"], found["share"]) == ("route.canary", "running", 1.0)
    assert (found["candidate"], found["stable"]) == (CANDIDATE, [STABLE])
    mine = found["measured"]["candidate"]
    assert (mine["requests"], mine["errors"], mine["cost_usd_per_request"]) == (11, 1, 0.25)
    assert mine["latency_ms"]["p95"] == pytest.approx(103, abs=10)
    assert found["waits_for"] == "It has 11 of 20 requests. It lasted 0.0 of 1 minutes."
    assert found["moments"][0]["by"] == "ann"
    assert not {"before", "told", "open", "looked"} & set(found)


def test_by_hand_it_is_paused_resumed_scored_promoted_and_remembered(door: Door) -> None:
    door.post(candidate="tuned")
    assert door.post("/pause").json["state"] == "paused"
    assert door.get()["waits_for"].startswith("It is paused.")
    assert door.post("/resume").json["state"] == "running"
    assert door.post("/scores", batch="a", candidate=[0.5, 1], stable=[1]).json["scores"] == {
        "candidate": 2,
        "stable": 1,
    }
    assert door.post("/abort").json["state"] == "aborted"
    assert "measured" not in door.get()
    door.post(candidate="tuned")
    assert door.post("/promote").json["share"] == 100.0
    assert [canary["state"] for canary in door.get("/past")["data"]] == ["aborted"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "candidate"),
        ({"candidate": "nobody"}, "candidate"),
        ({"candidate": "tuned", "steps": []}, "steps"),
        ({"candidate": "tuned", "steps": [0]}, "steps[0]"),
        ({"candidate": "tuned", "steps": [50, 10]}, "steps"),
        ({"candidate": "tuned", "confidence": 1}, "confidence"),
        ({"candidate": "tuned", "gates": {"p95_latency": 0.5}}, "gates.p95_latency"),
        ({"candidate": "tuned", "gates": {"speed": 1}}, "gates.speed"),
        ({"candidate": "tuned", "min_requests": 0}, "min_requests"),
        ({"candidate": "tuned", "pace": 1}, "pace"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(door: Door, body: dict[str, Any], param: str) -> None:
    answer = door.post(**body)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize(
    "body", [{"batch": "a", "candidate": [2]}, {"batch": "", "stable": [1]}, {"candidate": [1]}, {"batch": "a", "x": 1}]
)
def test_scores_are_from_0_to_1_and_named(door: Door, body: dict[str, Any]) -> None:
    door.post(candidate="tuned")
    assert door.post("/scores", **body).status == 400


def test_one_at_a_time_and_none_is_no_canary(door: Door) -> None:
    assert door.ask("GET", ROOT, key="admin").status == 404
    assert door.post("/pause").status == 404
    door.post(candidate="tuned")
    assert door.post(candidate="tuned").status == 409
    door.post("/abort")
    assert door.post("/promote").status == 409


def test_canaries_are_for_admins(door: Door) -> None:
    assert door.ask("GET", ROOT, key="tune").status == 403
    assert door.ask("POST", ROOT, key="predict", body={"candidate": "tuned"}).status == 403
