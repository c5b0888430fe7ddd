"""The lines that are logged, with the field names Cloud Logging, Error Reporting and OpenTelemetry read."""

from datetime import datetime
from typing import Literal, TypedDict

import msgspec

from tuneway.ports.traces import Trace

Severity = Literal["INFO", "WARNING", "ERROR"]
FAULTS_OF_OURS = 500
# https://cloud.google.com/error-reporting/docs/formatting-error-messages (read 2026-11)
REPORTED = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every line says. The trace is absent where nobody sent one; ``parent`` where no span of ours is in it.

    https://cloud.google.com/logging/docs/structured-logging (read 2026-11)
    """

    severity: Severity
    message: str
    time: datetime
    trace: str | None = msgspec.field(default=None, name="logging.googleapis.com/trace")
    span: str | None = msgspec.field(default=None, name="logging.googleapis.com/spanId")
    sampled: bool | None = msgspec.field(default=None, name="logging.googleapis.com/trace_sampled")
    parent: str | None = msgspec.field(default=None, name="parent_span_id")


class Placed(TypedDict):
    """Where a line stands in a trace, as a line's fields."""

    trace: str | None
    span: str | None
    sampled: bool | None


NOWHERE = Trace(id="")


def placed(trace: Trace) -> Placed:
    """The fields of a line that belongs to the trace; whether it is sampled goes with the name it has for the logs."""
    return {"trace": trace.name or None, "span": trace.span, "sampled": trace.sampled if trace.name else None}


def severity_of(status: int) -> Severity:
    """That of a request's line; what a caller did wrong is no error."""
    return "ERROR" if status >= FAULTS_OF_OURS else "INFO"


class RequestLine(Line, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The one canonical line of a request, with OpenTelemetry's names where it has any; usage recording rides on it.

    Times are milliseconds. ``attempts`` and ``target`` say how it was answered, ``cost_usd`` is absent where no price
    is known, ``prompt`` unless the route asks for it. ``trial`` is the canary that the route tries, ``failed`` who was
    asked in vain before, ``asleep`` who would have been asked and was asleep. Doors without models give no ``key``:
    usage is what lines with one are counted for.
    """

    request: str
    path: str
    status: int
    ms: float
    method: str | None = None
    ms_upstream: float | None = None
    owner: str | None = None
    key: str | None = None
    target: str | None = None
    attempts: int = 0
    stream: bool = False
    estimated: bool = False
    cost_usd: float | None = None
    prompt: object = None
    operation: str | None = msgspec.field(default=None, name="gen_ai.operation.name")
    provider: str | None = msgspec.field(default=None, name="gen_ai.provider.name")
    model: str | None = msgspec.field(default=None, name="gen_ai.request.model")
    served: str | None = msgspec.field(default=None, name="gen_ai.response.model")
    tokens_in: int | None = msgspec.field(default=None, name="gen_ai.usage.input_tokens")
    tokens_out: int | None = msgspec.field(default=None, name="gen_ai.usage.output_tokens")
    error: str | None = msgspec.field(default=None, name="error.type")
    failed: tuple[str, ...] = ()
    trial: str | None = None
    asleep: tuple[str, ...] = ()


class EchoLine(Line, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A line that takes the way of a request's, to see that what is recorded arrives: ``echo`` is a deployment's id.

    The log sink lets through what says ``request`` and has a key.
    """

    owner: str
    key: str
    status: int
    ms: float
    echo: str


class EventLine(Line, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The one canonical line of an event that a function was given; ``ms`` are milliseconds, ``attempt`` counts from 1.

    ``outcome``: ``taken``; ``refused``, to be delivered again; or ``crashed``, likewise. ``job_id`` and its like are
    the message's own attributes. Names: https://opentelemetry.io/docs/specs/semconv/messaging/ (read 2026-11).
    """

    function: str = msgspec.field(name="faas.name")
    outcome: Literal["taken", "refused", "crashed"]
    ms: float
    system: str = msgspec.field(name="messaging.system")
    destination: str | None = msgspec.field(default=None, name="messaging.destination.name")
    subscription: str | None = msgspec.field(default=None, name="messaging.destination.subscription.name")
    id: str = msgspec.field(name="messaging.message.id")
    operation: str = msgspec.field(name="messaging.operation.name")
    operation_type: str = msgspec.field(name="messaging.operation.type")
    attempt: int | None = msgspec.field(default=None, name="messaging.gcp_pubsub.message.delivery_attempt")
    job_id: str | None = None
    sweep_id: str | None = None
    deployment_id: str | None = None
    error: str | None = msgspec.field(default=None, name="error.type")


class Service(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an error happened, as Error Reporting groups them."""

    service: str
    version: str | None = None


class Note(Line, frozen=True, kw_only=True, omit_defaults=True):
    """Anything else worth a line; with ``stack_trace``, an error as Error Reporting takes it."""

    request: str | None = None
    stack_trace: str | None = None
    kind: str | None = msgspec.field(default=None, name="@type")
    service: Service | None = msgspec.field(default=None, name="serviceContext")
