"""Around every event function: its trace, which what it publishes takes along, one canonical line, crashes reported."""

import functools
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

import flask
import msgspec
from cloudevents.http import CloudEvent
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, ServiceUnavailable

from tuneway.edge.events import Undecodable
from tuneway.edge.telemetry.lines import NOWHERE, EventLine, Severity, placed
from tuneway.edge.telemetry.logs import Logs
from tuneway.errors import TunewayError
from tuneway.ports.traces import CURRENT, Trace
from tuneway.structs import read_fields

EventHandler = Callable[[CloudEvent], None]
Outcome = Literal["taken", "refused", "crashed"]
# Where a message may bear its trace: ours, CloudEvents', and that of Google's clients with OpenTelemetry on.
TRACED = ("traceparent", "ce-traceparent", "googclient_traceparent")
PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"
SUBJECTS = ("job_id", "sweep_id", "deployment_id")


class _Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of a Pub/Sub message, what its line says."""

    message_id: str = ""
    attributes: Mapping[str, str] = {}


class _Delivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The envelope; the functions framework keeps only the message of a plain push, see ``_delivery``."""

    message: _Message = _Message()
    subscription: str = ""
    delivery_attempt: int | None = None


class _End(msgspec.Struct, frozen=True, kw_only=True):
    """How the handling of an event ended."""

    outcome: Outcome = "taken"
    severity: Severity = "INFO"
    error: str | None = None


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an event beside itself."""

    function: str
    end: _End
    trace: Trace | None
    seconds: float


def observed_event(logs: Logs) -> Callable[[EventHandler], EventHandler]:
    """What an event function is wrapped in, below the framework's decorator.

    A fault becomes an answer that has the message delivered again: one that was foreseen is a line, any other is also
    reported with its stack, and neither shows the platform its text.
    """
    read_fields()

    def around(handler: EventHandler) -> EventHandler:
        @functools.wraps(handler)
        def observed(event: CloudEvent) -> None:
            delivery, begun, end = _delivery(event), time.perf_counter(), _End()
            trace = logs.started(*_context(event, delivery.message.attributes), new=True)
            current = CURRENT.set(trace)
            try:
                handler(event)
            except (TunewayError, Undecodable) as fault:
                end = _End(outcome="refused", severity="WARNING", error=type(fault).__name__)
                logs.note("WARNING", f"The message is refused: {fault}")
                raise _again(fault) from fault
            except Exception as fault:
                end = _End(outcome="crashed", severity="ERROR", error=type(fault).__name__)
                logs.note("ERROR", repr(fault), stack=traceback.format_exc())
                raise InternalServerError from fault
            finally:
                seconds = time.perf_counter() - begun
                told = _Told(function=handler.__name__, end=end, trace=trace, seconds=seconds)
                logs.write(_line(event, delivery, told=told))
                CURRENT.reset(current)

        return observed

    return around


def _again(fault: Exception) -> HTTPException:
    """The answer to what was foreseen; anything but a 2xx has the message delivered again."""
    return BadRequest() if isinstance(fault, Undecodable) else ServiceUnavailable()


def _delivery(event: CloudEvent) -> _Delivery:
    """What is told of the event; empty for what is no message, as Cloud Storage's events are.

    Of a plain push the framework drops the subscription and the attempt, so the request itself is read first.
    """
    request = flask.request.get_json(silent=True) if flask.has_request_context() else None
    for data in (request, event.get_data()):
        with suppress(msgspec.ValidationError):
            found = msgspec.convert(data, _Delivery)
            if found.message.message_id:
                return found
    return _Delivery()


def _context(event: CloudEvent, attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The trace that a message bears, else the event's own, else that of the call which brings it."""
    borne = next((attributes[name] for name in TRACED if name in attributes), event.get("traceparent"))
    if borne is not None or not flask.has_request_context():
        return borne if isinstance(borne, str) else None, None
    headers = flask.request.headers
    return headers.get("traceparent"), headers.get("X-Cloud-Trace-Context")


def _line(event: CloudEvent, delivery: _Delivery, *, told: _Told) -> EventLine:
    source, attributes = str(event["source"]), delivery.message.attributes
    subscription = delivery.subscription.rpartition("/")[2]
    trace = told.trace or NOWHERE
    return EventLine(
        severity=told.end.severity,
        message="event",
        time=datetime.now(UTC),
        **placed(trace),
        parent=trace.parent,
        function=told.function,
        outcome=told.end.outcome,
        ms=round(told.seconds * 1000, 2),
        system="gcp_pubsub" if event["type"] == PUBSUB else "gcp_storage",
        # The path that a subscription pushes to ends in the topic's name, and its own begins with it.
        destination=source.rpartition("/")[2] or subscription.rpartition(".")[0] or None,
        subscription=subscription or None,
        id=delivery.message.message_id or str(event["id"]),
        operation="process",
        operation_type="process",
        attempt=delivery.delivery_attempt,
        error=told.end.error,
        **{name: attributes[name] for name in SUBJECTS if name in attributes},
    )
