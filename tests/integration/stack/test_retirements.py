"""A base model that retires: warned of once, tuned again by one command, tried and promoted, all by events alone."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stack.bus import Recorder
from tests.integration.stack.canarying import place_of, status
from tests.integration.stack.running import BASE, Stack, command, created, ended, running
from tests.waiting import wait_until
from tuneway.ports import Topic

HEIR = "gemini-3.5-flash-lite"
PLAN = {
    "steps": [50],
    "min_requests": 10,
    "min_minutes": 0,
    "gates": {"error_rate": 0.0, "p95_latency": None, "cost": None},
}
OVER = {"promoted", "stopped", "failed", "cancelled"}


@pytest.fixture(scope="module")
def ends() -> str:
    return str(datetime.now(UTC).date() + timedelta(days=20))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, ends: str) -> Iterator[Stack]:
    """A stack with a tuned model and a route to it, started again with a catalogue in which its base retires."""
    data = tmp_path_factory.mktemp("retiring")
    with running(data) as before:
        alias = ended(before.http, created(before.http, suffix="shop")["id"])["fine_tuned_model"]
        body = {"targets": [{"identifier": place_of(before, alias), "dialect": "gemini"}], "cooldown": 0}
        before.http.put("/v1/registry/routes/shop", json=body).raise_for_status()
    own = data / "catalogue.json"
    own.write_text(json.dumps({"models": [{"name": BASE, "retired_on": ends, "successor": HEIR}]}))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TUNEWAY_CATALOGUE_FILE", str(own))
        Recorder(data)
        with running(data) as after:
            yield after


@pytest.fixture(scope="module")
def model(stack: Stack) -> str:
    (found,) = stack.http.get("/v1/registry/models").raise_for_status().json()["data"]
    return str(found["id"])


def tuneway(stack: Stack, *words: str) -> str:
    """What the command line says."""
    environment = {"COLUMNS": "200", "NO_COLOR": "1"}
    told = [command(), *words, "--url", stack.url, "--api-key", stack.key]
    done = subprocess.run(told, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def events(stack: Stack, kind: str) -> list[dict[str, str]]:
    """What was told, each event once, however often it came."""
    found = [each for each in Recorder(stack.data).messages() if each.topic is Topic.TUNING_EVENTS]
    told = [each.attributes for each in found if each.attributes.get("ce-type", "").startswith(f"tuneway.{kind}")]
    return list({each["ce-id"]: each for each in told}.values())


def test_it_is_warned_of_once(stack: Stack, model: str) -> None:
    wait_until(lambda: bool(events(stack, "model.retiring")))
    beats = stack.http.get("/v1/registry/retirements").raise_for_status().json()["data"]
    told = events(stack, "model.retiring")
    assert [(each["ce-subject"], each["threshold"]) for each in told] == [(model, "30")]
    assert [row["id"] for row in beats] == [model]


def test_the_command_line_shows_what_goes_and_what_a_retune_costs(stack: Stack, model: str, ends: str) -> None:
    said = tuneway(stack, "models", "retiring")
    left = said.partition(f"{model} (on {BASE}): retires {ends}, ")[2]
    assert left.startswith(("20 days left", "19 days left")), said  # a day may end meanwhile
    assert "routes: ft:" in said
    assert "shop" in said
    assert f"re-tune: on {HEIR} for " in said
    estimate = stack.http.get("/v1/registry/retirements?within=30").json()["data"][0]["retune"]["quote"]["estimate"]
    assert estimate["tokens_high"] >= estimate["tokens_low"] > 0


def test_one_command_tunes_it_again_and_the_rest_goes_by_itself(stack: Stack, model: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    for _ in range(3):
        assert status(stack, "shop") == 200
    wait_until(lambda: counted(stack) >= 3)
    dry = tuneway(stack, "models", "retune", model, "--dry-run", "--canary", str(plan))
    assert "Nothing was done." in dry
    said = json.loads(tuneway(stack, "models", "retune", model, "--canary", str(plan), "--json"))
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(stack.http.get(f"/v1/registry/retunes/{said['id']}").raise_for_status().json())
        if found["status"] == "canarying":
            assert {status(stack, "shop") for _ in range(20)} == {200}
        return found["status"] in OVER

    wait_until(over)
    assert found["status"] == "promoted", found["moments"]
    assert [moment["what"] for moment in found["moments"]][-4:] == [
        "registering",
        "comparing",
        "canarying",
        "promoted",
    ]
    check_what_is_left(stack, found)


def check_what_is_left(stack: Stack, found: dict[str, Any]) -> None:
    """The route leads to the new version, and both versions name each other."""
    assert found["alias"] == "shop"
    assert place_of(stack, "shop") == place_of(stack, found["answers"])
    for version, field, other in ((found["new"], "replaces", "old"), (old_of(found), "replaced_by", "new")):
        id_, _, number = version.partition("@")
        lineage = stack.http.get(f"/v1/registry/models/{id_}/versions/{number}/lineage").raise_for_status().json()
        assert lineage["version"][field] == {"old": old_of(found), "new": found["new"]}[other]
    assert len(stack.http.get("/v1/fine_tuning/jobs").json()["data"]) == 2
    wait_until(lambda: "tuneway.retune.promoted" in {each["ce-type"] for each in events(stack, "retune.")})
    assert len(events(stack, "model.retiring")) == 1
    assert "promoted" in tuneway(stack, "models", "retunes")
    assert "leads to" in tuneway(stack, "models", "retunes", found["id"])


def old_of(found: dict[str, Any]) -> str:
    return f"{found['model']}@{found['version']}"


def counted(stack: Stack) -> int:
    answer = stack.http.get("/v1/registry/usage", params={"alias": "shop"}).raise_for_status().json()
    return int(answer["total"]["requests"])
