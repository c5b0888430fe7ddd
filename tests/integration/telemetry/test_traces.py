"""A whole job in the local stack: its order's trace goes with it, and its id is in the line of every event about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.stack.bus import Recorder
from tests.integration.stack.running import Stack, created, ended, running
from tests.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FOLLOWING = {"create_job", "poll_jobs", "register_model", "notify"}
ORDER = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traced")


@pytest.fixture(scope="module")
def stack(data: Path) -> Iterator[Stack]:
    with running(data) as started:
        yield started


def lines(data: Path) -> list[dict[str, Any]]:
    """All that the functions have logged."""
    [log] = [path for path in data.rglob("*.log") if b'"message":"request"' in path.read_bytes()]
    written = log.read_bytes().rpartition(b"\n")[0]  # the last line may be under way
    return [msgspec.json.decode(line) for line in written.splitlines()]


def taken(lines: list[dict[str, Any]], job: str) -> set[str]:
    """The functions that have taken an event about the job."""
    return {line["faas.name"] for line in lines if line.get("job_id") == job and line.get("outcome") == "taken"}


def of(line: dict[str, Any]) -> str:
    return str(line.get("logging.googleapis.com/trace", ""))


def test_a_job_can_be_followed_by_its_orders_trace_and_by_its_id(stack: Stack, data: Path) -> None:
    stack.http.headers.update(ORDER)
    job = created(stack.http, suffix="traced")["id"]
    for name in ORDER:
        del stack.http.headers[name]
    assert ended(stack.http, job)["status"] == "succeeded"
    wait_until(lambda: taken(lines(data), job) >= FOLLOWING)  # on a busy machine one may be refused, and come again
    wait_until(Recorder(data).quiet)
    found = lines(data)
    ordered = [line for line in found if of(line).endswith(TRACE)]
    assert {line["path"] for line in ordered if line["message"] == "request"} >= {"/v1/fine_tuning/jobs"}
    assert {line["faas.name"] for line in ordered if line["message"] == "event"} >= {"create_job", "notify"}
    events = [line for line in found if line["message"] == "event" and line.get("job_id") == job]
    assert all(line["messaging.destination.subscription.name"] for line in events)
    assert min(line["messaging.gcp_pubsub.message.delivery_attempt"] for line in events) == 1


def test_every_beat_and_every_request_leaves_a_line_of_its_own(stack: Stack, data: Path) -> None:
    asked = stack.http.get("/v1/fine_tuning/jobs").headers["x-request-id"]
    wait_until(lambda: any(line.get("path") == "/tick" for line in lines(data)))
    wait_until(lambda: any(line.get("request") == asked for line in lines(data)))
    [line] = [line for line in lines(data) if line.get("request") == asked]
    assert (line["message"], line["method"], line["path"], line["status"]) == (
        "request",
        "GET",
        "/v1/fine_tuning/jobs",
        200,
    )
    assert "key" not in line
