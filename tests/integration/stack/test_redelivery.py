"""Every event delivered twice and out of order changes nothing, on a real stack's bus."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.stack.bus import Recorder, bus_of
from tests.integration.stack.running import Stack, asked, created, ended, lengthy, provider_jobs, running, uploaded
from tests.waiting import wait_until
from tuneway.ports import Topic

# What is under way, and the day's look at retirements: the beat's own marks, which move while nothing else does.
BEATS = {"underway", "retirement_looks"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path / "state") as started:
        yield started


def state(data: Path) -> set[tuple[str, str, str]]:
    """Every document with its version: a write that changes nothing would show as well."""
    with closing(sqlite3.connect(data / "state.sqlite", timeout=120)) as connection:
        asked = "SELECT collection, collection || '/' || id, fields, version FROM documents"
        return {(id_, fields, version) for room, id_, fields, version in connection.execute(asked) if room not in BEATS}


def test_every_event_twice_and_out_of_order_changes_nothing(own: Stack) -> None:
    recorder = Recorder(own.data)
    jobs = [created(own.http)["id"] for _ in range(3)]
    jobs.append(created(own.http, training_file=uploaded(own.http, b"{}\n"))["id"])
    jobs.append(lengthy(own.http)["id"])
    own.http.post(f"/v1/fine_tuning/jobs/{jobs[-1]}/cancel").raise_for_status()
    endings = [ended(own.http, job)["status"] for job in jobs]
    assert endings == ["succeeded"] * 3 + ["failed", "cancelled"]
    wait_until(recorder.quiet)
    before, submitted = state(own.data), provider_jobs(own.vertex)
    messages = recorder.messages()
    assert {message.topic for message in messages} >= {Topic.JOB_REQUESTED, Topic.POLL_DUE, Topic.JOB_FINISHED}
    bus = bus_of(own.data)
    for seed in (1, 2):
        bus.publish(*random.Random(seed).sample(messages, len(messages)))
    wait_until(recorder.quiet)
    assert len(recorder.messages()) >= 3 * len(messages)
    assert state(own.data) == before
    assert provider_jobs(own.vertex) == submitted
    for job in jobs[:3]:
        model = own.http.get(f"/v1/fine_tuning/jobs/{job}").json()["fine_tuned_model"]
        assert own.http.post("/v1/chat/completions", json=asked(model)).status_code == 200
    assert own.http.get("/v1/registry/dead_letters").json()["data"] == []
