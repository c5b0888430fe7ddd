"""Lines as spans, in OTLP's JSON: one for a request, one for an event; never a prompt, never a key.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (read 2026-11): ids are hex, 64-bit numbers are text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict, cast

import msgspec

from tuneway.edge.telemetry.lines import FAULTS_OF_OURS, EventLine, Line, RequestLine
from tuneway.edge.telemetry.process import Process

SERVER, CONSUMER = 2, 5  # SpanKind
FAILED = 2  # StatusCode
SAMPLED, REMOTE = 0x1, 0x300  # SpanFlags: the trace's own, and "the parent is known to be in another process"
# What OpenTelemetry names otherwise, or what a span says by itself; the rest is ours, by our name.
NAMED = {
    "path": "url.path",
    "method": "http.request.method",
    "status": "http.response.status_code",
}
# Neither what was asked nor whose key it was leaves for a collector.
KEPT = frozenset({"severity", "message", "time", "ms", "prompt", "key", "parent_span_id"})


class AnyValue(TypedDict, total=False):
    """One of these."""

    stringValue: str
    boolValue: bool
    intValue: str
    doubleValue: float
    arrayValue: "ArrayValue"


class ArrayValue(TypedDict):
    """A list."""

    values: list[AnyValue]


class KeyValue(TypedDict):
    """An attribute."""

    key: str
    value: AnyValue


class Status(TypedDict):
    """How it ended; absent where it went well, as the specification asks of servers."""

    code: int
    message: NotRequired[str]


class Span(TypedDict):
    """https://github.com/open-telemetry/opentelemetry-proto/blob/v1.8.0/opentelemetry/proto/trace/v1/trace.proto."""

    traceId: str
    spanId: str
    parentSpanId: NotRequired[str]
    flags: int
    name: str
    kind: int
    startTimeUnixNano: str
    endTimeUnixNano: str
    attributes: list[KeyValue]
    status: NotRequired[Status]


def request_of(spans: Sequence[Span], process: Process) -> bytes:
    """The body of one export."""
    scope = {"name": "tuneway"}
    resource = {"attributes": list(_attributes(_resource(process)))}
    return msgspec.json.encode(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}
    )


def span_of(line: RequestLine | EventLine) -> Span | None:
    """The span that a line tells of; None where it stands in no trace."""
    if line.trace is None or line.span is None:
        return None
    ended = int(line.time.timestamp() * 1_000_000) * 1000
    span: Span = {
        "traceId": line.trace.rpartition("/")[2],
        "spanId": line.span,
        "flags": (SAMPLED if line.sampled else 0) | (REMOTE if line.parent else 0),
        "name": _name(line),
        "kind": SERVER if isinstance(line, RequestLine) else CONSUMER,
        "startTimeUnixNano": str(ended - int(line.ms * 1_000_000)),
        "endTimeUnixNano": str(ended),
        "attributes": list(_attributes(_told(line))),
    }
    if line.parent:
        span["parentSpanId"] = line.parent
    if _failed(line):
        span["status"] = {"code": FAILED, "message": line.error} if line.error else {"code": FAILED}
    return span


def _name(line: RequestLine | EventLine) -> str:
    """Few names, many spans: what a caller makes up, such as a path or a model that is not there, stands in none."""
    match line:
        case RequestLine(operation=str() as operation, served=str() as served):
            return f"{operation} {served}"
        case RequestLine(operation=str() as operation):
            return operation
        case RequestLine(method=method):
            return method or "HTTP"
        case EventLine(destination=destination):
            return f"{line.operation} {destination or line.system}"


def _failed(line: RequestLine | EventLine) -> bool:
    return line.status >= FAULTS_OF_OURS if isinstance(line, RequestLine) else line.outcome != "taken"


def _told(line: Line) -> Mapping[str, object]:
    fields = msgspec.to_builtins(line)
    ours = {name: value for name, value in fields.items() if name not in KEPT and not name.startswith("logging.")}
    return {NAMED.get(name, name if "." in name else f"tuneway.{name}"): value for name, value in ours.items()}


def _resource(process: Process) -> Mapping[str, object]:
    """https://opentelemetry.io/docs/specs/semconv/resource/ (read 2026-11)."""
    cloud = {"cloud.provider": "gcp", "cloud.account.id": process.project}
    return {
        "service.name": process.service,
        **cloud,
        **({"service.version": process.revision} if process.revision else {}),
    }


def _attributes(named: Mapping[str, object]) -> Iterator[KeyValue]:
    for name, value in named.items():
        yield {"key": name, "value": _value(value)}


def _value(value: object) -> AnyValue:
    match value:
        case bool():  # before int, which it is, too
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_value(each) for each in cast("list[object]", value)]}}
        case _:
            return {"stringValue": str(value)}
