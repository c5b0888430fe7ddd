"""Structured logs: one JSON object a line, with the field names Cloud Logging reads; never a key, never a prompt."""

import asyncio
import logging
import os
import secrets
import select
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
from typing_extensions import override

from tuneway.edge.telemetry import tracing
from tuneway.edge.telemetry.lines import (
    NOWHERE,
    REPORTED,
    EventLine,
    Line,
    Note,
    RequestLine,
    Service,
    Severity,
    placed,
)
from tuneway.edge.telemetry.process import Process, process
from tuneway.ports.traces import CURRENT, Trace
from tuneway.settings import Settings

STDERR = 2


class Spans(Protocol):
    """Where lines go that are to be seen as spans, too."""

    def add(self, line: RequestLine | EventLine) -> None:
        """Send it some time later. Never waits, never raises."""
        ...


class Logs:
    """Whole lines to stderr or to the end of a file, in writes so short that lines of many processes never mix."""

    def __init__(self, file: Path | None, *, process: Process | None = None) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._gathered: list[bytes] = []
        self._size = 0
        self._target = STDERR
        self._process = process or Process()
        self._spans: Spans | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._target = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def export(self, spans: Spans) -> None:
        """From now on every request's and event's line goes to ``spans``, too."""
        self._spans = spans

    def started(self, traceparent: str | None, google: str | None, *, new: bool = False) -> Trace | None:
        """Where a request or event stands that came with these headers; ``new`` begins a trace where there is none."""
        if traceparent is None and google is None and self._spans is None and not new:  # nothing to do, and often so
            return None
        found = tracing.read(traceparent, google)
        if self._spans is not None:
            found = _child(found)
        elif found is None and new:
            found = Trace(id=secrets.token_hex(16), span=secrets.token_hex(8))
        if found is None:
            return None
        return msgspec.structs.replace(found, name=f"projects/{self._process.project}/traces/{found.id}")

    def write(self, line: Line) -> None:
        """Add one line at once; what was gathered comes before it. For any thread."""
        self.flush()
        self._put(self._encode(line) + b"\n")
        self._tell(line)

    def write_soon(self, line: RequestLine) -> None:
        """Add one line in the running event loop's next turn: one system call writes those of all that end in this."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.flush)
        self._gather(line)

    def flush(self) -> None:
        """Write what has been gathered."""
        if not self._gathered:
            return
        lines, self._gathered = self._gathered, []
        self._size = 0
        self._put(b"".join(lines))

    def _put(self, lines: bytes) -> None:
        # A full disk costs the lines, not the answers.
        with suppress(OSError):
            os.write(self._target, lines)

    def _tell(self, line: Line) -> None:
        if self._spans is not None and isinstance(line, RequestLine | EventLine):
            self._spans.add(line)

    def _gather(self, line: Line) -> None:
        """What is longer than this, a pipe may mix with what others write."""
        written = self._encode(line) + b"\n"
        self._size += len(written)
        if self._size > select.PIPE_BUF:
            self.flush()
            self._size = len(written)
        self._gathered.append(written)
        if self._spans is not None:
            self._tell(line)

    def note(
        self,
        severity: Severity,
        message: str,
        *,
        request: str | None = None,
        stack: str | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Add a line about anything but a request or an event; with a ``stack``, it is reported as an error."""
        trace = trace or CURRENT.get() or NOWHERE
        service = Service(self._process.service, self._process.revision)
        self.write(
            Note(
                severity=severity,
                message=message,
                time=datetime.now(UTC),
                **placed(trace),
                request=request,
                stack_trace=stack,
                kind=REPORTED if stack else None,
                service=service if stack else None,
            )
        )


class _Handler(logging.Handler):
    """What libraries and event functions log through ``logging``, in the same form."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    @override
    def emit(self, record: logging.LogRecord) -> None:
        stack = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        self._logs.note(_severity(record.levelno), record.getMessage(), stack=stack)


def configure(settings: Settings) -> Logs:
    """Send this process's logs to its file, or to stderr: tuneway's from INFO on, everybody else's from WARNING.

    Its spans go where OpenTelemetry's variables say, if they say so. Raises BadInput naming the variable.
    """
    here = process(settings)
    logs = Logs(settings.log_file, process=here)
    if here.spans_url is not None and here.sampler != "always_off":
        # Only who sends spans pays for what sends them.
        from tuneway.edge.telemetry.exporting import exported

        logs.export(exported(here, report=lambda fact: logs.note("WARNING", fact)))
    root = logging.getLogger()
    root.handlers = [_Handler(logs)]
    root.setLevel(logging.WARNING)
    logging.getLogger("tuneway").setLevel(logging.INFO)
    return logs


def _child(found: Trace | None) -> Trace:
    """A span of our own: below the caller's, or the first of a trace."""
    span = secrets.token_hex(8)
    if found is None:
        return Trace(id=secrets.token_hex(16), span=span, sampled=True)
    return Trace(id=found.id, span=span, parent=found.span, sampled=found.sampled)


def _severity(level: int) -> Severity:
    if level >= logging.ERROR:
        return "ERROR"
    return "WARNING" if level >= logging.WARNING else "INFO"
