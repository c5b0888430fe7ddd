"""Spans on their way to a collector: a bounded queue, one thread that sends what is in it, and nobody who waits for it.

Loaded only where spans are exported.
"""

import atexit
import http.client
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType
from urllib.parse import urlsplit

import msgspec

from tuneway.edge.telemetry.lines import EventLine, RequestLine
from tuneway.edge.telemetry.process import Process
from tuneway.edge.telemetry.spans import request_of, span_of

PASSING = frozenset({429, 502, 503, 504})  # https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
Post = Callable[[bytes, float], int]
Report = Callable[[str], None]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept, sent at once, and waited for; in spans and seconds.

    ``gather`` is short: between requests Cloud Run takes the CPU away, and what is not sent by then waits with it.
    """

    kept: int = 4096
    batch: int = 512
    gather: float = 0.5
    timeout: float = 5.0
    pauses: tuple[float, ...] = (0.5, 2.0)
    farewell: float = 3.0
    report_every: float = 60.0


class Export:
    """``logs.Spans``: lines become spans in a thread of its own, which starts with the first.

    What does not fit, or cannot be sent, is dropped and counted; the count is reported, at most once a minute.
    """

    def __init__(self, process: Process, post: Post, *, report: Report, pace: Pace) -> None:
        self._process = process
        self._post = post
        self._report = report
        self._pace = pace
        self._waiting: deque[RequestLine | EventLine] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._closing = threading.Event()
        self._reported = 0.0
        self.dropped = 0
        self._told = 0

    def add(self, line: RequestLine | EventLine) -> None:
        """Keep it until it is sent. Never waits for the network, never raises."""
        if self._process.sampler == "parentbased_always_on" and line.parent and not line.sampled:
            return
        if isinstance(line, RequestLine) and line.prompt is not None:
            line = msgspec.structs.replace(line, prompt=None)  # no span holds it, and a queue of them is large
        with self._news:
            if len(self._waiting) >= self._pace.kept:
                self.dropped += 1
                return
            self._waiting.append(line)
            if self._thread is None:
                self._begin()
            self._news.notify()

    def close(self) -> None:
        """Send what is left, within a few seconds."""
        self._closing.set()
        deadline = time.monotonic() + self._pace.farewell
        with self._news:
            self._news.notify()
            while (self._waiting or self._sending) and (left := deadline - time.monotonic()) > 0:
                self._news.wait(left)
        self._tell()

    def _begin(self) -> None:
        # Not before a request: servers fork after they have loaded a function, and threads do not come along.
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        _end_by_itself()

    def _run(self) -> None:
        while True:
            lines = self._gathered()
            try:
                self._send(lines)
            except Exception as fault:  # noqa: BLE001  (the thread must go on; its words may hold the collector's key)
                with self._news:
                    self.dropped += len(lines)
                self._report(f"Spans cannot be sent: {type(fault).__name__}.")
            finally:
                with self._news:
                    self._sending = False
                    self._news.notify_all()

    def _gathered(self) -> list[RequestLine | EventLine]:
        """The next batch, some time after the first of it has come."""
        with self._news:
            while not self._waiting:
                self._news.wait()
        self._closing.wait(self._pace.gather)
        with self._news:
            self._sending = True
            count = min(len(self._waiting), self._pace.batch)
            return [self._waiting.popleft() for _ in range(count)]

    def _send(self, lines: list[RequestLine | EventLine]) -> None:
        spans = [span for span in map(span_of, lines) if span is not None]
        if spans and not self._taken(request_of(spans, self._process)):
            with self._news:
                self.dropped += len(spans)
        if time.monotonic() - self._reported >= self._pace.report_every:
            self._tell()

    def _taken(self, body: bytes) -> bool:
        for pause in (*self._pace.pauses, None):
            status = self._post(body, self._pace.timeout)
            if status not in PASSING or pause is None:
                return 200 <= status < 300  # noqa: PLR2004  (a success)
            self._closing.wait(pause)
        return False

    def _tell(self) -> None:
        """Say what was lost since the last time."""
        with self._news:
            lost, self._told = self.dropped - self._told, self.dropped
        if lost:
            self._reported = time.monotonic()
            self._report(f"{lost} spans were dropped: the collector does not take them, or not as fast as they come.")


class Collector:
    """An OTLP collector, over HTTP; one connection a batch, since the platform may freeze us between two."""

    def __init__(self, process: Process) -> None:
        parts = urlsplit(process.spans_url or "")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {**process.spans_headers, "content-type": "application/json"}

    def __call__(self, body: bytes, timeout: float) -> int:
        """The status of its answer; 503 where there is none."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=timeout)
        try:
            connection.request("POST", self._path, body, self._headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 503
        finally:
            connection.close()


def exported(process: Process, *, report: Report) -> Export:
    """Where the spans of this process go."""
    return Export(process, Collector(process), report=report, pace=Pace())


def _end_by_itself() -> None:
    """Let this process end by its own hand once it is told to, so that what is left is sent.

    uvicorn raises the signal that ended it once more when it is done, which kills the process before it says farewell:
    https://github.com/encode/uvicorn/blob/0.34.0/uvicorn/server.py#L321 (the signals are captured, and raised again).
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before):
        return

    def ended(number: int, frame: FrameType | None) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        before(number, frame)

    signal.signal(signal.SIGTERM, ended)
