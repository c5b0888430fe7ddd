"""A sweep through the local stack: two at a time, killed in the middle, watched, shown, its choice promoted."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.integration.stack.running import BASE, Stack, command, dataset, provider_jobs, running
from tests.waiting import PATIENCE

ALIVE = {"JOB_STATE_PENDING", "JOB_STATE_QUEUED", "JOB_STATE_RUNNING"}


def _run(stack: Stack, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.defpath, "COLUMNS": "220"}
    options = [*words, "--data", str(stack.data)]
    return subprocess.run(
        [command(), *options], capture_output=True, text=True, timeout=300, env=environment, check=False
    )


def _said(stack: Stack, *words: str) -> str:
    done = _run(stack, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _rows(folder: Path) -> str:
    path = folder / "rows.jsonl"
    path.write_bytes(dataset(200))
    return str(path)


def _alive(stack: Stack) -> int:
    return sum(job["state"] in ALIVE for job in provider_jobs(stack.vertex))


def test_a_sweep_survives_a_kill_in_the_middle_and_its_choice_is_promoted(tmp_path: Path) -> None:
    order = (
        "sweeps",
        "create",
        BASE,
        _rows(tmp_path),
        "--grid",
        "n_epochs=1,2,3,4",
        "--promote",
        "shop",
        "--name",
        "e",
    )
    with running(tmp_path / "data") as stack:
        sweep = _said(stack, *order)
        end = time.monotonic() + PATIENCE
        while len(provider_jobs(stack.vertex)) < 3 and time.monotonic() < end:
            assert _alive(stack) <= 2
            time.sleep(0.1)
        stack.stop(signal.SIGKILL)
    with running(tmp_path / "data") as stack:
        assert _said(stack, *order) == sweep
        watched = _said(stack, "sweeps", "watch", sweep)
        assert (len(provider_jobs(stack.vertex)), "4 succeeded" in watched) == (4, True)
        seen: dict[str, Any] = json.loads(_said(stack, "sweeps", "show", sweep, "--json"))
        assert [row["ranked_by"] for row in seen["leaderboard"]] == ["no loss told"] * 4
        assert (seen["status"], seen["promote"]["state"]) == ("succeeded", "none")
        job = seen["leaderboard"][0]["job"]
        _said(stack, "sweeps", "promote", sweep, job, "shop")
        _said(stack, "sweeps", "watch", sweep)
        assert _said(stack, "chat", "shop", "What is 12 plus one?") == "It is 13."
        assert sweep in _said(stack, "sweeps", "list")
        others = [row["job"] for row in seen["leaderboard"][1:3]]
        compared = _said(stack, "jobs", "compare", *others)
        assert next(line for line in compared.splitlines() if "n_epochs" in line).startswith("*")


def test_a_cancelled_sweep_ends_the_watch_with_three(tmp_path: Path) -> None:
    # So slow that the first job still trains when the next command has started.
    with running(tmp_path / "data", "--speed", "5") as stack:
        words = ("sweeps", "create", BASE, _rows(tmp_path), "--grid", "n_epochs=8,9,10", "--concurrency", "1")
        sweep = _said(stack, *words)
        assert _said(stack, "sweeps", "cancel", sweep) in {"cancelling", "cancelled"}
        assert _run(stack, "sweeps", "watch", sweep).returncode == 3


def test_a_file_of_jobs_is_submitted_once_however_often(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.yaml"
    rows = _rows(tmp_path)
    jobs.write_text(
        f"fine_tuning_config:\n- custom_llm_provider: vertex_ai\n  vertex_project: p\n"
        f"jobs:\n- {{model: {BASE}, training_file: {rows}, hyperparameters: {{n_epochs: 1}}}}\n"
        f"- {{model: {BASE}, training_file: {rows}, custom_llm_provider: vertex_ai}}\n"
    )
    with running(tmp_path / "data") as stack:
        assert "stand-in" in _said(stack, "jobs", "create", "-f", str(jobs), "--dry-run")
        assert json.loads(_said(stack, "jobs", "list", "--json")) == []
        first, second = (_run(stack, "jobs", "create", "-f", str(jobs), "--json") for _ in range(2))
        made, again = ([job["id"] for job in json.loads(done.stdout)] for done in (first, second))
        assert (made, len(set(made)), "vertex_project" in first.stderr) == (again, 2, True)
        assert len(stack.http.get("/v1/files").json()["data"]) == 1
        watched = _run(stack, "jobs", "watch", *made)
        assert (watched.returncode, watched.stdout.count("New fine-tuned model created")) == (0, 2)
