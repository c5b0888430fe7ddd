"""Usage in: a request's canonical log line, as Cloud Logging's sink sends it to Pub/Sub; and the echo of a deployment.

It is a LogEntry in JSON: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry (read 2026-11).
Cloud Run takes ``severity`` and ``time`` out of the line; the time stands in the entry then.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cloudevents.http import CloudEvent
from msgspec import Meta

from tuneway.edge.events import Undecodable, message
from tuneway.registry.counts.tallies import Request
from tuneway.registry.hosting.rests.stirring import Echo

BROKE = "upstream_broke"  # a stream that had begun with 200
# Every number of a ``jsonPayload`` is a double.
Number = Annotated[float, Meta(ge=0)]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of ``RequestLine``."""

    status: Number
    ms: Number
    owner: str
    key: str
    request: str = ""
    target: str = ""
    attempts: Number = 1
    cost_usd: Number | None = None
    model: str = msgspec.field(default="", name="gen_ai.request.model")
    tokens_in: Number = msgspec.field(default=0, name="gen_ai.usage.input_tokens")
    tokens_out: Number = msgspec.field(default=0, name="gen_ai.usage.output_tokens")
    failed: tuple[str, ...] = ()
    trial: str | None = None
    asleep: tuple[str, ...] = ()
    echo: str = ""
    error: str = msgspec.field(default="", name="error.type")


class _LogEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    insert_id: str
    timestamp: datetime
    json_payload: _Line


def recorded(event: CloudEvent) -> Request | Echo:
    """The request, or the echo, that a message tells of. Raises Undecodable."""
    try:
        entry = msgspec.json.decode(message(event).content(), type=_LogEntry)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Undecodable(f"Not a log entry of a request: {fault}") from fault
    line = entry.json_payload
    at = entry.timestamp.replace(tzinfo=entry.timestamp.tzinfo or UTC).timestamp()
    if line.echo:
        return Echo(deployment=line.echo, at=at)
    return Request(
        id=line.request or entry.insert_id,
        at=at,
        owner=line.owner,
        key=line.key,
        # What was asked for and not found is whatever callers make up: it is counted, not listed.
        route=line.model if line.target or line.asleep else "",
        target=line.target,
        status=502 if line.error == BROKE else int(line.status),
        ms=line.ms,
        attempts=int(line.attempts),
        tokens_in=int(line.tokens_in),
        tokens_out=int(line.tokens_out),
        cost_usd=line.cost_usd,
        failed=line.failed,
        trial=line.trial if line.target else None,
        asleep=line.asleep,
    )
