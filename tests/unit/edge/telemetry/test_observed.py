"""Event functions, wrapped: one line an event, its trace carried on, and faults that are answers."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import pytest
from cloudevents.http import CloudEvent
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, ServiceUnavailable

from tuneway.edge.events import Undecodable
from tuneway.edge.telemetry.lines import REPORTED
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.telemetry.observed import observed_event
from tuneway.edge.telemetry.process import Process
from tuneway.errors import TryLater
from tuneway.ports import Message, Topic
from tuneway.ports.traces import CURRENT, carrying

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"
SOURCE = "//pubsub.googleapis.com/projects/p/topics/poll-due"


class Function:
    """An event function in its wrapping, and what it logged."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "x.log"
        self.logs = Logs(self._log, process=Process(project="shop", service="tuneway-poll-jobs", revision="r-1"))

    def __call__(self, event: CloudEvent, handler: Callable[[CloudEvent], None] = lambda _: None) -> None:
        def poll_jobs(event: CloudEvent) -> None:
            handler(event)

        observed_event(self.logs)(poll_jobs)(event)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    @property
    def line(self) -> Any:
        return self.lines[-1]


@pytest.fixture
def function(tmp_path: Path) -> Function:
    return Function(tmp_path)


def event(data: Any = None, *, source: str = SOURCE, **attributes: str) -> CloudEvent:
    return CloudEvent({"type": PUBSUB, "source": source, "id": "7", **attributes}, data or delivered())


def delivered(**attributes: str) -> dict[str, object]:
    content = base64.b64encode(b'{"job_id": "ftjob-1"}').decode()
    message = {"data": content, "messageId": "7", "attributes": attributes}
    return {"message": message, "subscription": "projects/p/subscriptions/poll-due.poll_jobs", "deliveryAttempt": 3}


def raising(fault: Exception) -> Callable[[CloudEvent], None]:
    def handler(_: CloudEvent) -> None:
        raise fault

    return handler


def test_an_event_leaves_one_line_in_opentelemetrys_names(function: Function) -> None:
    function(event(delivered(job_id="ftjob-1", traceparent=TRACEPARENT)))
    line = function.line
    assert line.pop("time")
    assert 0 <= line.pop("ms") < 1000
    assert len(function.lines) == 1
    assert line == {
        "severity": "INFO",
        "message": "event",
        "faas.name": "poll_jobs",
        "outcome": "taken",
        "messaging.system": "gcp_pubsub",
        "messaging.destination.name": "poll-due",
        "messaging.destination.subscription.name": "poll-due.poll_jobs",
        "messaging.message.id": "7",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.gcp_pubsub.message.delivery_attempt": 3,
        "job_id": "ftjob-1",
        "logging.googleapis.com/trace": f"projects/shop/traces/{'a' * 32}",
        "logging.googleapis.com/spanId": "b" * 16,
        "logging.googleapis.com/trace_sampled": True,
    }


@pytest.mark.parametrize("name", ["sweep_id", "deployment_id"])
def test_a_line_says_what_the_event_is_about(function: Function, name: str) -> None:
    function(event(delivered(**{name: "x-1"})))
    assert function.line[name] == "x-1"


def test_what_the_function_publishes_and_logs_belongs_to_the_messages_trace(function: Function) -> None:
    sent: list[Message] = []

    def handler(_: CloudEvent) -> None:
        sent.append(carrying(Message(topic=Topic.JOB_FINISHED, data=b"{}")))
        function.logs.note("INFO", "on the way")

    function(event(delivered(traceparent=TRACEPARENT)), handler)
    assert sent[0].attributes == {"traceparent": TRACEPARENT}
    assert function.lines[0]["logging.googleapis.com/trace"] == f"projects/shop/traces/{'a' * 32}"
    assert CURRENT.get() is None


@pytest.mark.parametrize(
    "found",
    [
        event(delivered(**{"ce-traceparent": TRACEPARENT})),
        event(delivered(googclient_traceparent=TRACEPARENT)),
        event(traceparent=TRACEPARENT),
    ],
)
def test_a_trace_is_found_wherever_it_is_borne(function: Function, found: CloudEvent) -> None:
    function(found)
    assert function.line["logging.googleapis.com/trace"].endswith("a" * 32)


def test_without_any_an_event_begins_a_trace(function: Function) -> None:
    function(event())
    function(event())
    traces = {line["logging.googleapis.com/trace"] for line in function.lines}
    assert len(traces) == 2


@pytest.mark.parametrize(
    ("fault", "kind"), [(TryLater("not now"), ServiceUnavailable), (Undecodable("no job"), BadRequest)]
)
def test_a_foreseen_fault_is_refused_and_reported_to_nobody(
    function: Function, fault: Exception, kind: type[HTTPException]
) -> None:
    with pytest.raises(kind) as caught:
        function(event(), raising(fault))
    note, line = function.lines
    assert (line["severity"], line["outcome"], line["error.type"]) == ("WARNING", "refused", type(fault).__name__)
    assert (note["severity"], "stack_trace" in note, str(fault) in note["message"]) == ("WARNING", False, True)
    assert str(fault) not in str(caught.value)


def test_a_crash_is_reported_with_its_stack_and_its_text_stays_here(function: Function) -> None:
    with pytest.raises(InternalServerError) as caught:
        function(event(delivered(traceparent=TRACEPARENT)), raising(ValueError("secret detail")))
    report, line = function.lines
    assert (line["severity"], line["outcome"], line["error.type"]) == ("ERROR", "crashed", "ValueError")
    assert (report["severity"], report["@type"]) == ("ERROR", REPORTED)
    assert report["serviceContext"] == {"service": "tuneway-poll-jobs", "version": "r-1"}
    assert report["stack_trace"].startswith("Traceback (most recent call last):")
    assert report["stack_trace"].endswith("ValueError: secret detail\n")
    assert report["logging.googleapis.com/trace"] == line["logging.googleapis.com/trace"]
    assert "secret detail" not in str(caught.value)


def test_a_plain_push_tells_its_subscription_and_attempt_by_the_request(function: Function) -> None:
    converted = event({"message": {"@type": "x", "data": "", "messageId": "7", "attributes": {}}}, source="//pubsub/")
    with flask.Flask("x").test_request_context("/", method="POST", json=delivered()):
        function(converted)
    assert function.line["messaging.destination.subscription.name"] == "poll-due.poll_jobs"
    assert function.line["messaging.destination.name"] == "poll-due"
    assert function.line["messaging.gcp_pubsub.message.delivery_attempt"] == 3


def test_a_message_without_a_trace_stands_in_that_of_the_call_that_brings_it(function: Function) -> None:
    with flask.Flask("x").test_request_context("/", method="POST", headers={"traceparent": TRACEPARENT}):
        function(event())
    assert function.line["logging.googleapis.com/trace"].endswith("a" * 32)


def test_an_event_of_cloud_storage_is_told_by_its_bucket(function: Function) -> None:
    head = {
        "type": "google.cloud.storage.object.v1.finalized",
        "source": "//storage.googleapis.com/projects/_/buckets/b",
    }
    function(CloudEvent({**head, "id": "9"}, {"bucket": "b", "name": "x.jsonl"}))
    line = function.line
    assert (line["messaging.system"], line["messaging.destination.name"]) == ("gcp_storage", "b")
    assert line["messaging.message.id"] == "9"


@pytest.mark.parametrize("data", [b"raw", {}, {"message": 5}, [], "text"])
def test_what_is_no_message_leaves_its_line_all_the_same(function: Function, data: object) -> None:
    function(CloudEvent({"type": PUBSUB, "source": "x", "id": "7"}, data))
    assert function.line["messaging.message.id"] == "7"
