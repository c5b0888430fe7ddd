"""Spans of real function processes, at a collector: sent in the background, and before the process ends."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from tests.ports import free_port, listens
from tests.unit.edge.otlp import ExportTraceServiceRequest, Span
from tests.waiting import PATIENCE, wait_until
from tuneway.settings import Settings, environment

ROOT = Path(__file__).resolve().parents[3]
TRACE, PARENT = "a" * 32, "b" * 16
TRACED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
EVENT = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "7",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/job-finished",
}


class Collector(ThreadingHTTPServer):
    """Takes what is exported, and reads it as strictly as a collector."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[Span] = []
        self.headers: list[str | None] = []


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.headers.append(self.headers["api-key"])
        self.server.spans += msgspec.json.decode(body, type=ExportTraceServiceRequest).spans
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Function:
    """A function as the platform runs it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._port = port

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def running(name: str, folder: Path, **more: str) -> Iterator[Function]:
    port = free_port()
    settings = Settings(state_folder=folder, objects_folder=folder / "objects", log_file=folder / "x.log")
    command = [sys.executable, "-m", "functions_framework", "--target", name, "--port", str(port)]
    command += ["--source", str(ROOT / "functions" / name / "main.py"), "--host", "127.0.0.1"]
    told = {**environment(), **settings.to_env(), "PYTHONPATH": str(ROOT / "shared"), "THREADS": "4", **more}
    with subprocess.Popen(command, env=told, start_new_session=True) as process:
        try:
            yield Function(process, _answering(port))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _answering(port: int) -> int:
    wait_until(lambda: listens(port))
    return port


def _waited_for(collector: Collector, count: int) -> list[Span]:
    wait_until(lambda: len(collector.spans) >= count)
    return collector.spans


def _to(collector: Collector) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s%33cret",
        "K_SERVICE": "tuneway-function",
    }


def test_a_request_to_predict_is_a_span_below_its_callers(collector: Collector, tmp_path: Path) -> None:
    with running("predict", tmp_path, **_to(collector)) as predict:
        assert predict.ask("GET", "/v1/models", TRACED) == 401
        [span] = _waited_for(collector, 1)
    assert (span.trace_id, span.parent_span_id, span.kind) == (TRACE, PARENT, 2)
    assert span.told["http.response.status_code"] == "401"
    assert collector.headers == ["s3cret"]


@pytest.mark.parametrize(
    ("name", "path", "headers"), [("predict", "/v1/models", TRACED), ("tuning", "/v1/files", TRACED)]
)
def test_what_is_not_sent_yet_is_sent_when_the_process_is_told_to_end(
    collector: Collector, tmp_path: Path, name: str, path: str, headers: dict[str, str]
) -> None:
    with running(name, tmp_path, **_to(collector)) as function:
        for _ in range(5):
            function.ask("GET", path, headers)
        function.end()
    assert [span.trace_id for span in collector.spans] == [TRACE] * 5


def test_an_event_is_a_span_and_its_line_is_in_the_same_place(collector: Collector, tmp_path: Path) -> None:
    body = msgspec.json.encode({"message": {"data": "e30=", "messageId": "7", "attributes": TRACED}})
    with running("register_model", tmp_path, **_to(collector)) as function:
        assert function.ask("POST", "/", EVENT, body) == 400
        [span] = _waited_for(collector, 1)
    [line] = [
        line
        for line in map(msgspec.json.decode, (tmp_path / "x.log").read_bytes().splitlines())
        if line["message"] == "event"
    ]
    assert (span.name, span.kind, span.status) == ("process job-finished", 5, {"code": 2, "message": "Undecodable"})
    assert (span.span_id, span.parent_span_id) == (line["logging.googleapis.com/spanId"], line["parent_span_id"])
    assert span.parent_span_id == PARENT


def test_a_collector_that_is_away_costs_no_answer(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens here
        nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        with running("predict", tmp_path, **nowhere) as predict:
            assert [predict.ask("GET", "/v1/models", {}) for _ in range(3)] == [401] * 3
            predict.end()
    dropped = re.findall(r"(\d+) spans were dropped", (tmp_path / "x.log").read_text())
    assert sum(map(int, dropped)) == 3  # told at once, or as they come


def test_an_address_that_is_none_is_named_before_the_first_request(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "functions/tick/main.py")]
    told = {**environment(), "PYTHONPATH": str(ROOT / "shared"), "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is no address for OTLP over HTTP" in done.stderr
