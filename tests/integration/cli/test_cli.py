"""The command line against a running stack, as a person types it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.stack.running import Stack, command, dataset, running
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("cli")) as started:
        yield started


@pytest.fixture(scope="module")
def model(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows.write_bytes(dataset())
    job = _said(stack, "jobs", "create", "gemini-3.5-flash", str(rows), "--suffix", "cli", "--epochs", "1")
    return _said(stack, "jobs", "watch", job).splitlines()[-1]


def _run(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    options = [] if "--url" in words else ["--data", str(stack.data)]
    environment = {"PATH": os.defpath, "COLUMNS": "200"}
    return subprocess.run(
        [command(), *words, *options], capture_output=True, text=True, timeout=300, env=environment, check=False
    )


def _said(stack: Stack, *words: str) -> str:
    done = _run(stack, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_job_is_made_watched_and_shown(stack: Stack, model: str) -> None:
    assert model.startswith("ft:gemini-3.5-flash:local:cli:")
    (line,) = [line for line in _said(stack, "jobs", "list").splitlines() if model in line]
    job_id = line.split()[0]
    assert json.loads(_said(stack, "jobs", "show", job_id))["status"] == "succeeded"
    assert "Created fine-tuning job." in _said(stack, "jobs", "events", job_id).splitlines()[0]
    assert job_id in [job["id"] for job in json.loads(_said(stack, "jobs", "list", "--json"))]


def test_a_tuned_model_is_asked_by_its_alias(stack: Stack, model: str) -> None:
    assert _said(stack, "chat", model, "What is 12 plus one?", "--system", "Be short.") == "It is 13."
    assert model in _said(stack, "models", "list").splitlines()
    assert model in [each["id"] for each in json.loads(_said(stack, "models", "list", "--json"))]


def test_a_failed_job_ends_the_watch_with_one_and_the_reason(stack: Stack, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("no json\n")
    job = _said(stack, "jobs", "create", "gemini-3.5-flash", str(rows))
    done = _run(stack, "jobs", "watch", job)
    assert done.returncode == 1
    assert "line 1" in done.stderr.lower()


def test_a_job_is_cancelled(stack: Stack, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset(2000))  # so many that it still trains when the next command has started
    job = _said(stack, "jobs", "create", "gemini-3.5-flash", str(rows), "--epochs", "10")
    assert _said(stack, "jobs", "cancel", job) in {"cancelled", "running"}


def test_a_route_is_put_listed_called_and_removed(stack: Stack, model: str) -> None:
    endpoint = json.loads(_said(stack, "routes", "list", "--json"))[0]["targets"][0]["resource"]
    _said(stack, "routes", "put", "shop", f"vertex_ai/{endpoint}")
    assert _said(stack, "chat", "shop", "What is 12 plus one?") == "It is 13."
    _said(stack, "routes", "remove", "shop")
    wait_until(lambda: _run(stack, "chat", "shop", "Hello").returncode == 1)  # within a look at the routes
    done = _run(stack, "chat", "shop", "Hello")
    assert done.returncode == 1
    assert "shop" in done.stderr


def test_a_stack_is_found_by_url_and_key_too(stack: Stack) -> None:
    done = _run(stack, "models", "list", "--url", stack.url, "--api-key", stack.key)
    assert done.returncode == 0, done.stderr
    wrong = _run(stack, "models", "list", "--url", stack.url, "--api-key", "tw-wrong")
    assert (wrong.returncode, "API key" in wrong.stderr) == (1, True)


def test_without_a_stack_the_commands_say_what_to_do(stack: Stack, tmp_path: Path) -> None:
    done = subprocess.run([command(), "jobs", "list"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "tuneway up" in done.stderr) == (1, True)
    away = _run(stack, "jobs", "list", "--url", "http://127.0.0.1:1", "--api-key", "tw-any")
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)


def test_what_a_killed_stack_left_half_written_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "stack.json").touch()
    words = [command(), "jobs", "list", "--data", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "tuneway up" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_a_key_no_header_can_hold_is_refused_in_plain_words(stack: Stack) -> None:
    done = _run(stack, "jobs", "list", "--url", stack.url, "--api-key", "tw-schlüssel")
    assert (done.returncode, "no API key" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_bundles_are_written(tmp_path: Path) -> None:
    done = subprocess.run([command(), "package", "tick", "--to", str(tmp_path)], capture_output=True, check=False)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tick", "tick.zip"]
    assert subprocess.run([command(), "package", "nosuch"], cwd=tmp_path, capture_output=True, check=False).returncode


def test_the_simulation_runs_alone(tmp_path: Path) -> None:
    words = [command(), "simulate", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" at ")[1].split()[0]
        path = "/v1/projects/p/locations/us-central1/tuningJobs"
        for _ in range(50):
            try:
                answer = httpx.get(url + path, trust_env=False, timeout=60)
                break
            except httpx.ConnectError:
                continue
        assert answer.json().get("tuningJobs", []) == []
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in {0, 130}


def test_a_job_above_its_limit_is_approved_or_refused_by_hand(stack: Stack, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    order = ("jobs", "create", "gemini-3.5-flash", str(rows), "--epochs", "1", "--max-cost", "0.01")
    approved, refused = _said(stack, *order), _said(stack, *order)
    for job in (approved, refused):
        done = _run(stack, "jobs", "watch", job)
        assert (done.returncode, f"jobs approve {job}" in " ".join(done.stderr.split())) == (1, True)
    assert "held" in next(line for line in _said(stack, "jobs", "list").splitlines() if line.startswith(approved))
    assert _said(stack, "jobs", "approve", approved) == "submitting"
    assert _said(stack, "jobs", "watch", approved).splitlines()[-1].startswith("ft:")
    assert _said(stack, "jobs", "refuse", refused, "--reason", "too dear") == "failed"
    assert "too dear" in _run(stack, "jobs", "watch", refused).stderr
    told = json.loads(_said(stack, "jobs", "events", refused, "--json"))
    assert [event["level"] for event in told][-2:] == ["warn", "error"]
