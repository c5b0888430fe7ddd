"""Structured logs: one JSON object a line, with the field names Cloud Logging reads; never a key, never a prompt."""

import asyncio
import logging
import os
import select
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from typing_extensions import override

Severity = Literal["INFO", "WARNING", "ERROR"]
STDERR = 2


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The one canonical line of a request, with OpenTelemetry's names where it has any; usage recording rides on it.

    Times are milliseconds. ``attempts`` and ``target`` say how it was answered, ``cost_usd`` is absent where no price
    is known, ``prompt`` unless the route asks for it.
    """

    severity: Severity
    message: str
    time: datetime
    request: str
    path: str
    status: int
    ms: float
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


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Anything else worth a line."""

    severity: Severity
    message: str
    time: datetime
    request: str | None = None
    trace: str | None = None


class Logs:
    """Whole lines to stderr or to the end of a file, in writes so short that lines of many processes never mix."""

    def __init__(self, file: Path | None) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._gathered: list[bytes] = []
        self._size = 0
        self._target = STDERR
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._target = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, line: RequestLine | Note) -> None:
        """Add one line."""
        self._gather(self._encode(line) + b"\n")
        self.flush()

    def write_soon(self, line: RequestLine) -> None:
        """Add one line in the running event loop's next turn: one system call writes those of all that end in this."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.flush)
        self._gather(self._encode(line) + b"\n")

    def flush(self) -> None:
        """Write what has been gathered."""
        if not self._gathered:
            return
        lines = b"".join(self._gathered)
        self._gathered.clear()
        self._size = 0
        # A full disk costs the lines, not the answers.
        with suppress(OSError):
            os.write(self._target, lines)

    def _gather(self, line: bytes) -> None:
        """What is longer than this, a pipe may mix with what others write."""
        self._size += len(line)
        if self._size > select.PIPE_BUF:
            self.flush()
            self._size = len(line)
        self._gathered.append(line)

    def note(self, severity: Severity, message: str, *, request: str | None = None, trace: str | None = None) -> None:
        """Add a line about anything but a request."""
        self.write(Note(severity=severity, message=message, time=datetime.now(UTC), request=request, trace=trace))


class _Handler(logging.Handler):
    """What libraries and event functions log through ``logging``, in the same form."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    @override
    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        self._logs.note(_severity(record.levelno), record.getMessage(), trace=trace)


def configure(file: Path | None) -> Logs:
    """Send this process's logs to ``file``, or to stderr: tuneway's from INFO on, everybody else's from WARNING."""
    logs = Logs(file)
    root = logging.getLogger()
    root.handlers = [_Handler(logs)]
    root.setLevel(logging.WARNING)
    logging.getLogger("tuneway").setLevel(logging.INFO)
    return logs


def _severity(level: int) -> Severity:
    if level >= logging.ERROR:
        return "ERROR"
    return "WARNING" if level >= logging.WARNING else "INFO"
