"""Lines as spans: each field in OTLP's place, and what must not leave stays."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.unit.edge.otlp import ExportTraceServiceRequest, Span
from tuneway.edge.telemetry.lines import EventLine, RequestLine
from tuneway.edge.telemetry.process import Process
from tuneway.edge.telemetry.spans import request_of, span_of

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
TRACED: dict[str, Any] = {"trace": f"projects/p/traces/{'a' * 32}", "span": "b" * 16, "sampled": True}
CHAT: dict[str, Any] = {
    "path": "/v1/chat/completions",
    "operation": "chat",
    "served": "gemini-3.5-flash",
    "model": "shop",
    "provider": "gcp.vertex_ai",
    "tokens_in": 3,
    "cost_usd": 0.5,
    "stream": True,
    "failed": ("a", "b"),
    "key": "0123456789ab",
    "prompt": {"messages": "a secret"},
}


def request(status: int = 200, **fields: Any) -> RequestLine:
    given = {"severity": "INFO", "message": "request", "time": NOW, "request": "req-1", "path": "/", "ms": 1250.5}
    return RequestLine(**{**given, **TRACED, "status": status, **fields})


def event(**fields: Any) -> EventLine:
    given = {"severity": "INFO", "message": "event", "time": NOW, "ms": 2.0, "function": "poll_jobs", "id": "7"}
    words = {"outcome": "taken", "system": "gcp_pubsub", "operation": "process", "operation_type": "process"}
    return EventLine(**{**given, **words, **TRACED, **fields})


def read(line: RequestLine | EventLine) -> Span:
    """The span as a collector reads it."""
    span = span_of(line)
    assert span is not None
    [found] = msgspec.json.decode(request_of([span], Process()), type=ExportTraceServiceRequest).spans
    return found


def test_a_request_is_a_servers_span_as_long_as_it_took() -> None:
    span = read(request(**CHAT))
    assert (span.trace_id, span.span_id, span.parent_span_id, span.kind) == ("a" * 32, "b" * 16, None, 2)
    assert span.end_time_unix_nano == str(int(NOW.timestamp() * 1000) * 1_000_000)
    assert int(span.end_time_unix_nano) - int(span.start_time_unix_nano) == 1_250_500_000
    assert (span.name, span.status, span.flags) == ("chat gemini-3.5-flash", {}, 1)


def test_attributes_have_opentelemetrys_names_where_it_has_any() -> None:
    assert read(request(**CHAT)).told == {
        "tuneway.request": "req-1",
        "url.path": "/v1/chat/completions",
        "http.response.status_code": "200",
        "tuneway.stream": True,
        "tuneway.cost_usd": 0.5,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": "shop",
        "gen_ai.response.model": "gemini-3.5-flash",
        "gen_ai.usage.input_tokens": "3",
        "tuneway.failed": ["a", "b"],
    }


def test_neither_prompt_nor_key_leaves() -> None:
    sent = json.dumps(span_of(request(**CHAT)))
    assert "secret" not in sent
    assert "0123456789ab" not in sent


def test_a_callers_span_is_the_parent_and_known_to_be_elsewhere() -> None:
    span = read(request(parent="c" * 16, sampled=False))
    assert (span.parent_span_id, span.flags) == ("c" * 16, 0x300)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (request(operation="chat", model="made up"), "chat"),
        (request(method="GET", path="/v1/files/x"), "GET"),
        (request(), "HTTP"),
        (event(destination="poll-due"), "process poll-due"),
        (event(), "process gcp_pubsub"),
    ],
)
def test_a_name_holds_nothing_that_callers_make_up(line: RequestLine | EventLine, name: str) -> None:
    assert read(line).name == name


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (request(499, error="client_left"), {}),
        (request(429, error="rate_limited"), {}),
        (request(503, error="try_later"), {"code": 2, "message": "try_later"}),
        (request(500), {"code": 2}),
        (event(outcome="refused", error="TryLater"), {"code": 2, "message": "TryLater"}),
        (event(outcome="crashed", error="ValueError"), {"code": 2, "message": "ValueError"}),
    ],
)
def test_only_a_fault_of_ours_fails_a_span(line: RequestLine | EventLine, status: dict[str, object]) -> None:
    assert read(line).status == status


def test_an_event_is_a_consumers_span() -> None:
    span = read(event(destination="poll-due", attempt=3, job_id="ftjob-1"))
    assert span.kind == 5
    assert span.told == {
        "faas.name": "poll_jobs",
        "tuneway.outcome": "taken",
        "messaging.system": "gcp_pubsub",
        "messaging.destination.name": "poll-due",
        "messaging.message.id": "7",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.gcp_pubsub.message.delivery_attempt": "3",
        "tuneway.job_id": "ftjob-1",
    }


def test_a_line_in_no_trace_is_no_span() -> None:
    assert span_of(request(trace=None)) is None
    assert span_of(request(span=None)) is None


def test_spans_say_whose_they_are() -> None:
    here = Process(project="shop", service="tuneway-predict", revision="r-1")
    span = span_of(request(time=NOW + timedelta(seconds=1)))
    assert span is not None
    [found] = msgspec.json.decode(request_of([span, span], here), type=ExportTraceServiceRequest).resource_spans
    assert {each.key: each.value.told for each in found.resource.attributes} == {
        "service.name": "tuneway-predict",
        "service.version": "r-1",
        "cloud.provider": "gcp",
        "cloud.account.id": "shop",
    }
    assert [len(scope.spans) for scope in found.scope_spans] == [2]
