"""Functions that receive events through the functions framework, and a memory of what they received."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import functions_framework
import msgspec
from cloudevents.http import CloudEvent
from werkzeug.serving import make_server

from tests.waiting import PATIENCE

RECEIVER = Path(__file__).parent / "receiver" / "main.py"


class Received(msgspec.Struct, frozen=True):
    """One delivery as the function saw it."""

    event: CloudEvent
    at: float

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = self.event.get_data()["message"]  # type: ignore[index]  # a Pub/Sub event's data
        return message

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.message["data"])

    @property
    def attributes(self) -> dict[str, str]:
        return dict(self.message.get("attributes") or {})


class Inbox:
    """What a function received; ``refuses`` says of the n-th delivery (from 0) whether it fails."""

    def __init__(self) -> None:
        self.refuses: Callable[[int], bool] = lambda _: False
        self.seconds = 0.0
        self._received: list[Received] = []
        self._changed = threading.Condition()

    def take(self, event: CloudEvent) -> None:
        with self._changed:
            position = len(self._received)
            self._received.append(Received(event, time.monotonic()))
            self._changed.notify_all()
        time.sleep(self.seconds)
        if self.refuses(position):
            raise ConnectionError("refused on purpose")

    def wait(self, count: int, *, seconds: float = PATIENCE) -> list[Received]:
        """The first ``count`` deliveries, as soon as they are there."""
        with self._changed:
            there = self._changed.wait_for(lambda: len(self._received) >= count, timeout=seconds)
            assert there, f"{len(self._received)} of {count} deliveries came within {seconds} s"
            return self._received[:count]

    def settled(self, *, seconds: float = 0.8) -> list[Received]:
        """All deliveries, once none has come for a while."""
        with self._changed:
            while self._changed.wait(seconds):
                pass
            return list(self._received)


@contextmanager
def function(inbox: Inbox) -> Iterator[str]:
    """A function that fills ``inbox``; its URL."""
    app = functions_framework.create_app("take", str(RECEIVER))
    app.config["INBOX"] = inbox
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
