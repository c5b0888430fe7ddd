"""``/v1/registry/retirements`` and ``…/retunes``: what is asked, what is shown, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.asking import Asked, Asking
from tests.unit.registry.retiring import BASE, HEIR, World
from tuneway.edge.registry.retirements import retirement_rules, retune_rules
from tuneway.tuning.catalogue import Catalogue

RETUNES = "/v1/registry/models/101/retunes"


class Door:
    def __init__(self, folder: Path, *, catalogue: Catalogue | None = None) -> None:
        self.world = World(folder, catalogue=catalogue)
        self.world.trained()
        self.rules = [*retirement_rules(self.world.radar, self.world.retuner), *retune_rules(self.world.retunes)]
        self.ask = Asking(self.rules)

    def post(self, key: str = "tune", sent: dict[str, str] | None = None, **body: Any) -> Asked:
        return self.ask("POST", RETUNES, key=key, body=body, sent=sent)

    def get(self, path: str, key: str = "tune") -> Any:
        return self.ask("GET", f"/v1/registry/{path}", key=key).json


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_row_is_shown_with_its_price(door: Door) -> None:
    (row,) = door.get("retirements?within=20")["data"]
    assert (row["object"], row["id"], row["base_model"], row["successor"]) == (
        "registry.retirement",
        "101",
        BASE,
        HEIR,
    )
    assert row["retires_on"] == "2026-12-08"
    assert row["retune"]["quote"]["estimate"]["currency"] == "USD"
    assert door.get("retirements?within=19")["data"] == []


@pytest.mark.parametrize("within", ["-1", "soon", "1e9", "99999999", "²", "9" * 5000])
def test_days_are_a_number(door: Door, within: str) -> None:
    answer = door.ask("GET", f"/v1/registry/retirements?within={within}")
    assert (answer.status, answer.error["param"]) == (400, "within")


def test_another_tenant_sees_none_of_it(door: Door) -> None:
    begun = door.post().json
    assert door.get("retirements", key="tune@rival")["data"] == []
    assert door.get("retunes", key="tune@rival")["data"] == []
    for method in ("GET", "DELETE"):
        assert door.ask(method, f"/v1/registry/retunes/{begun['id']}", key="tune@rival").status == 404
    assert door.post(key="tune@rival").status == 404
    assert door.ask("GET", "/v1/registry/retirements", key="predict").status == 403


def test_a_dry_run_writes_nothing(door: Door) -> None:
    planned = door.post(dry_run=True).json
    assert (planned["object"], planned["base_model"], planned["version"]) == ("registry.retune.plan", HEIR, "1")
    assert planned["alias"] == door.world.model("101").called
    assert planned["changes"] == [f"base_model: {BASE} → {HEIR}"]
    assert door.get("retunes")["data"] == []


def test_a_retune_is_shown_listed_and_cancelled(door: Door) -> None:
    begun = door.post(canary={"steps": [50], "min_requests": 5}).json
    assert (begun["object"], begun["status"], begun["base_model"]) == ("registry.retune", "tuning", HEIR)
    assert begun["plan"]["steps"] == [50.0, 100.0]
    assert not {"asked", "admin", "told", "open", "cancel_asked"} & set(begun)
    assert door.get("retunes")["data"] == door.get("models/101/retunes")["data"] == [begun]
    assert door.get(f"retunes/{begun['id']}") == begun
    over = door.ask("DELETE", f"/v1/registry/retunes/{begun['id']}").json
    assert over["status"] == "cancelled"


def test_a_body_may_be_left_out(door: Door) -> None:
    answer = door.ask("POST", RETUNES)
    assert (answer.status, answer.json["plan"]["min_requests"]) == (200, 100)


def test_wishes_go_over_what_the_old_job_had(door: Door) -> None:
    begun = door.post(
        base_model="gemini-3.1-flash-lite", hyperparameters={"n_epochs": 7}, max_cost_usd=3.5, canary=False
    ).json
    assert begun["changes"] == [f"base_model: {BASE} → gemini-3.1-flash-lite", "epochs: auto → 7 (as asked for)"]
    job = door.world.loop.job(begun["job"])
    assert (job.hyperparameters.epochs, job.allowance.caller) == (7, 3.5)
    assert begun.get("plan") is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"base_model": "gemini-1.5-pro"}, "base_model"),
        ({"base_model": "nobody-knows-it"}, "base_model"),
        ({"version": "9"}, "version"),
        ({"hyperparameters": {"n_epochs": 10_000}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"warmth": 1}}, "hyperparameters.warmth"),
        ({"canary": {"steps": [100]}}, "canary"),
        ({"canary": {"steps": [50, 10]}}, "steps"),
        ({"canary": {"steps": [50], "gates": {"error_rate": None, "p95_latency": None, "cost": None}}}, "gates"),
        ({"max_cost_usd": -1}, "max_cost_usd"),
        ({"dry-run": True}, "dry-run"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_begun(door: Door, body: dict[str, Any], param: str) -> None:
    for dry in (False, True):
        answer = door.ask("POST", RETUNES, body={**body, "dry_run": dry})
        assert answer.status in {400, 404}, answer.json
        assert answer.error["param"] == param
    assert door.get("retunes")["data"] == []


def test_a_second_one_is_refused_while_the_first_is_under_way(door: Door) -> None:
    first = door.post().json
    answer = door.post()
    assert (answer.status, answer.error["code"]) == (409, "retune_under_way")
    assert first["id"] in answer.error["message"]


def test_the_same_key_is_the_same_retune(door: Door) -> None:
    sent = {"Idempotency-Key": "once"}
    assert door.post(sent=sent).json["id"] == door.post(sent=sent).json["id"]
    answer = door.post(sent=sent, canary=False)
    assert (answer.status, answer.error["code"]) == (400, "idempotency_key_reused")


def test_pages_go_on_after_the_last_row(door: Door) -> None:
    ids = []
    for _ in range(3):
        begun = door.post().json
        door.world.loop.clock += 1
        door.ask("DELETE", f"/v1/registry/retunes/{begun['id']}")
        ids.append(begun["id"])
    for path in ("retunes", "models/101/retunes"):
        first = door.get(f"{path}?limit=2")
        assert ([row["id"] for row in first["data"]], first["has_more"]) == (ids[:0:-1], True)
        rest = door.get(f"{path}?limit=2&after={ids[1]}")
        assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (ids[:1], False)
    assert door.ask("GET", "/v1/registry/retunes?after=retune-nobody").status == 404
