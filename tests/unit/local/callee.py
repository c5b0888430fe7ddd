"""An HTTP server that records what it is sent and answers as told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from typing_extensions import override

from tests.waiting import PATIENCE


class Call(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.body)
        return decoded


class Callee:
    """``answers`` are the statuses of the calls to come, the last one for ever; ``seconds`` is how slow it is."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers) or [200]
        self.seconds = 0.0
        self.url = ""
        self._calls: list[Call] = []
        self._changed = threading.Condition()

    def take(self, call: Call) -> int:
        with self._changed:
            status = self.answers[min(len(self._calls), len(self.answers) - 1)]
            self._calls.append(call)
            self._changed.notify_all()
        time.sleep(self.seconds)
        return status

    def wait(self, count: int, *, seconds: float = PATIENCE) -> list[Call]:
        with self._changed:
            there = self._changed.wait_for(lambda: len(self._calls) >= count, timeout=seconds)
            assert there, f"{len(self._calls)} of {count} calls came within {seconds} s"
            return self._calls[:count]

    def settled(self, *, seconds: float = 0.4) -> list[Call]:
        with self._changed:
            while self._changed.wait(seconds):
                pass
            return list(self._calls)


@contextmanager
def served(callee: Callee, *, port: int = 0) -> Iterator[Callee]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(callee.take(Call(self.path, headers, body, time.monotonic())))
            self.send_header("content-length", "0")
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    callee.url = f"http://127.0.0.1:{server.server_port}/function"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield callee
    server.shutdown()
    thread.join()
    server.server_close()
