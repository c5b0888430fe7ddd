"""Versions tuned, canaried against each other and taken back or promoted, through the whole stack."""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.stack.bus import Recorder
from tests.integration.stack.canarying import place_of, started, until
from tests.integration.stack.running import Stack, asked, command, created, ended, row, uploaded
from tests.waiting import wait_until
from tuneway.ports import Topic

QUESTIONS = [f"What is {n} plus one?" for n in range(40)]


@pytest.fixture(scope="module")
def versions(stack: Stack) -> dict[str, str]:
    """The aliases of three tuned models; ``wrong`` learned wrong answers."""
    rows = {suffix: _rows(wrong=suffix == "wrong") for suffix in ("first", "second", "wrong")}
    jobs = {
        suffix: created(stack.http, suffix=suffix, training_file=uploaded(stack.http, content))["id"]
        for suffix, content in rows.items()
    }
    return {suffix: str(ended(stack.http, job)["fine_tuned_model"]) for suffix, job in jobs.items()}


@pytest.fixture
def shop(faultless: Stack, versions: dict[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A route of its own for each test, that leads to the first version and lets nothing rest."""
    alias = f"shop-{request.node.name[-12:]}".replace("_", "-")
    body = {"targets": [{"identifier": place_of(faultless, versions["first"]), "dialect": "gemini"}], "cooldown": 0}
    faultless.http.put(f"/v1/registry/routes/{alias}", json=body).raise_for_status()
    yield alias
    faultless.http.delete(f"/v1/registry/routes/{alias}")


def _rows(*, wrong: bool) -> bytes:
    return b"".join(
        row(question, "I do not know." if wrong else f"It is {n + 1}.") for n, question in enumerate(QUESTIONS)
    )


def _events(recorder: Recorder, canary: str) -> set[str]:
    """What was told of it on ``tuning-events``."""
    told = [message.attributes for message in recorder.messages() if message.topic is Topic.TUNING_EVENTS]
    return {each["ce-type"].rpartition(".")[2] for each in told if each["ce-subject"] == canary}


def test_a_failing_version_is_taken_back_by_itself_and_no_caller_notices(
    faultless: Stack, versions: dict[str, str], shop: str
) -> None:
    endpoint = place_of(faultless, versions["second"]).rpartition("/")[2]
    faultless.fault(path=f"endpoints/{endpoint}", fault="status", status=503, times=100_000)
    recorder = Recorder(faultless.data)
    first = started(faultless, shop, versions["second"], steps=[30, 60])
    assert (first["state"], first["share"]) == ("running", 30.0)
    found = until(faultless, shop, "rolled_back")
    wait_until(lambda: _events(recorder, found["id"]) == {"started", "rolled_back"})
    said = found["moments"][-1]
    assert "requests failed" in said["message"]
    assert said["findings"][0]["p_value"] < said["findings"][0]["level"]
    route = faultless.http.get(f"/v1/registry/routes/{shop}").json()
    assert [target["resource"] for target in route["targets"]] == [
        place_of(faultless, versions["first"]).removeprefix("vertex_ai/")
    ]


def test_a_good_version_is_promoted_step_by_step(faultless: Stack, versions: dict[str, str], shop: str) -> None:
    started(faultless, shop, versions["second"], steps=[30, 60])
    found = until(faultless, shop, "promoted")
    assert [moment["what"] for moment in found["moments"]] == ["started", "advanced", "promoted"]
    route = faultless.http.get(f"/v1/registry/routes/{shop}").json()
    assert [target["resource"] for target in route["targets"]] == [
        place_of(faultless, versions["second"]).removeprefix("vertex_ai/")
    ]
    assert "trial" not in route


def test_a_version_that_learned_wrong_answers_is_taken_back_by_its_judge(
    faultless: Stack, versions: dict[str, str], shop: str
) -> None:
    started(faultless, shop, versions["wrong"], gates={"judge": 0.1, "p95_latency": None, "cost": None})
    scores = {
        side: [_score(faultless, versions[version], n) for n in range(len(QUESTIONS))]
        for side, version in (("candidate", "wrong"), ("stable", "first"))
    }
    path = f"/v1/registry/routes/{shop}/canary/scores"
    faultless.http.post(path, json={"batch": "held-out", **scores}).raise_for_status()
    found = until(faultless, shop, "rolled_back", calls=300)
    assert "its mean score is 0.000, the stable targets' 1.000" in found["moments"][-1]["message"]


def _score(stack: Stack, alias: str, number: int) -> float:
    """What the judge says: 1 for the right answer."""
    answer = stack.http.post("/v1/chat/completions", json=asked(alias, QUESTIONS[number])).raise_for_status().json()
    return float(answer["choices"][0]["message"]["content"] == f"It is {number + 1}.")


def test_by_hand_and_in_the_command_line(faultless: Stack, versions: dict[str, str], shop: str) -> None:
    said = _said(
        faultless, "start", shop, versions["second"], "--step", "5", "--without", "cost", "--error-rate", "0.1"
    )
    assert said.splitlines()[0].startswith(f"{shop}: running, 5 %")
    assert "paused:" in _said(faultless, "pause", shop)
    assert "resumed:" in _said(faultless, "resume", shop)
    scored = _said(faultless, "score", shop, "b1", "--candidate", "0.5", "--stable", "1")
    assert "It has" in scored
    found = json.loads(_said(faultless, "show", shop, "--json"))
    assert (found["plan"]["gates"]["cost"], found["plan"]["gates"]["error_rate"]) == (None, 0.1)
    assert found["scores"] == {"candidate": 1, "stable": 1}
    assert f"{shop}: aborted, 0 %" in _said(faultless, "abort", shop)
    assert "promoted" in _said(faultless, "start", shop, versions["second"]) + _said(faultless, "promote", shop)
    assert [canary["state"] for canary in json.loads(_said(faultless, "past", shop))] == ["aborted"]


def _said(stack: Stack, *words: str) -> str:
    options = ["routes", "canary", *words, "--data", str(stack.data)]
    environment = {"PATH": os.defpath, "COLUMNS": "220"}
    done = subprocess.run(
        [command(), *options], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
