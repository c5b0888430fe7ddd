"""Around a request that a thread answers: its trace, which what it publishes takes along, and its canonical line."""

import functools
import secrets
import time
import traceback
from collections.abc import Callable
from contextvars import Token
from datetime import UTC, datetime

import flask
from werkzeug.exceptions import InternalServerError, ServiceUnavailable

from tuneway.edge.telemetry.lines import NOWHERE, RequestLine, placed, severity_of
from tuneway.edge.telemetry.logs import Logs
from tuneway.errors import TunewayError
from tuneway.ports.traces import CURRENT, Trace
from tuneway.structs import read_fields

Handler = Callable[[flask.Request], dict[str, int]]


class Watch:
    """One request from its first line of ours to its last."""

    def __init__(self, logs: Logs, request: flask.Request) -> None:
        self.id = f"req-{secrets.token_hex(12)}"
        self.owner: str | None = None
        self.error: str | None = None
        self._logs = logs
        self._method = request.method
        self._path = request.path
        self._begun = time.perf_counter()
        headers = request.headers
        self._trace = logs.started(headers.get("traceparent"), headers.get("X-Cloud-Trace-Context"), new=True)
        self._before: Token[Trace | None] = CURRENT.set(self._trace)

    def left(self) -> None:
        """What the thread does from here on belongs to this request no more."""
        CURRENT.reset(self._before)

    def write(self, status: int) -> None:
        """Write its line, with the owner and the error that it was told."""
        trace = self._trace or NOWHERE
        self._logs.write(
            RequestLine(
                severity=severity_of(status),
                message="request",
                time=datetime.now(UTC),
                **placed(trace),
                parent=trace.parent,
                request=self.id,
                method=self._method,
                path=self._path,
                status=status,
                ms=round((time.perf_counter() - self._begun) * 1000, 2),
                owner=self.owner,
                error=self.error,
            )
        )


def observed_request(logs: Logs) -> Callable[[Handler], Handler]:
    """What a function is wrapped in, below the framework's decorator, that the platform calls and that has no door."""
    read_fields()

    def around(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def observed(request: flask.Request) -> dict[str, int]:
            watch, status = Watch(logs, request), 200
            try:
                return handler(request)
            except TunewayError as fault:
                status, watch.error = 503, type(fault).__name__
                logs.note("WARNING", f"It could not be done now: {fault}", request=watch.id)
                raise ServiceUnavailable from fault
            except Exception as fault:
                status, watch.error = 500, type(fault).__name__
                logs.note("ERROR", repr(fault), request=watch.id, stack=traceback.format_exc())
                raise InternalServerError from fault
            finally:
                watch.write(status)
                watch.left()

        return observed

    return around
