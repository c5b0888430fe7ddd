"""The whole stack is killed again and again while jobs run; nothing accepted is lost and nothing is paid for twice."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.stack.running import (
    BASE,
    alive,
    asked,
    dataset,
    ended,
    family_of,
    launched,
    provider_jobs,
    running,
)
from tests.ports import free_port, listens
from tests.waiting import PATIENCE, wait_until

KILLS = 20
JOBS = 12
KEY = "tw-chaos"
# Jobs take about four seconds, so that each lives through two or three kills.
SPEED = "20"


class Customer:
    """Orders jobs one after the other, asking again with the same idempotency key until there is an answer."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=60, trust_env=False)
        self.accepted: list[str] = []
        self.patience = threading.Event()

    def order(self) -> list[str]:
        for number in range(JOBS):
            # The file is uploaded once and for all: the same key with another file would be another order.
            file = self._until_answered(partial(self._uploaded, number))
            self.accepted.append(self._until_answered(partial(self._ordered, number, file)))
            self.patience.wait(2.0)
        return self.accepted

    def _uploaded(self, number: int) -> str:
        files = {"file": ("train.jsonl", dataset(200 + number))}
        answer = self.http.post("/v1/files", files=files, data={"purpose": "fine-tune"})
        return str(answer.raise_for_status().json()["id"])

    def _ordered(self, number: int, file: str) -> str:
        body = {"model": BASE, "training_file": file, "suffix": f"n{number}", "hyperparameters": {"n_epochs": 1}}
        answer = self.http.post("/v1/fine_tuning/jobs", json=body, headers={"idempotency-key": f"order-{number}"})
        return str(answer.raise_for_status().json()["id"])

    def _until_answered(self, call: Callable[[], str]) -> str:
        end = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                return call()
            time.sleep(0.05)
        raise AssertionError("nobody answered for ten minutes")


def killed_once(data: Path, port: int, chance: random.Random) -> None:
    """Start the stack and kill it: now and then while it starts, else within two seconds of its answering."""
    with launched(data, "--port", str(port), "--api-key", KEY, "--speed", SPEED) as process:
        if chance.random() > 0.25:
            wait_until(lambda: listens(port))
        time.sleep(chance.uniform(0.0, 2.0))
        assert process.poll() is None, "it ended before it was killed"
        family = family_of(process.pid)
        process.kill()
        process.wait()
    wait_until(lambda: not alive(family))


@pytest.mark.timeout(1800)
def test_twenty_kills_lose_no_job_and_pay_for_none_twice(tmp_path: Path) -> None:
    chance, port = random.Random(20), free_port()
    customer = Customer(f"http://127.0.0.1:{port}")
    with closing(customer.http), ThreadPoolExecutor(1) as pool:
        ordering = pool.submit(customer.order)
        for _ in range(KILLS):
            killed_once(tmp_path, port, chance)
        with running(tmp_path, "--port", str(port), "--api-key", KEY, "--speed", SPEED) as stack:
            jobs = [ended(stack.http, job) for job in ordering.result()]
            assert len(jobs) == len({job["id"] for job in jobs}) == JOBS
            for job in jobs:
                assert job["status"] == "succeeded", job["error"]
                assert len(provider_jobs(stack.vertex, job["id"])) == 1
                assert_answers(stack.http, job)
            assert len(provider_jobs(stack.vertex)) == JOBS
            assert stack.http.get("/v1/registry/dead_letters").json()["data"] == []


def assert_answers(http: httpx.Client, job: dict[str, Any]) -> None:
    answer = http.post("/v1/chat/completions", json=asked(job["fine_tuned_model"]))
    assert answer.json()["choices"][0]["message"]["content"] == "It is 13."
    told = http.get(f"/v1/fine_tuning/jobs/{job['id']}/events?limit=100").json()["data"]
    once = [event["message"] for event in told if not event["message"].startswith(("Step", "Phase"))]
    assert len(once) == len(set(once)), once
