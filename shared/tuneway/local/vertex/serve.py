"""Run the simulated Vertex AI on the loopback, in a thread or until it is stopped."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tuneway.errors import TryLater
from tuneway.local.vertex.app import create_app
from tuneway.local.vertex.faults import HANG_UP
from tuneway.local.vertex.settings import VertexSettings
from tuneway.structs import read_fields

HOST = "127.0.0.1"
BACKLOG = 128
START_SECONDS = 30.0
LAST_ANSWERS_SECONDS = 2
# Longer than any caller keeps a connection that rests (httpx 5 s, the upstream 90): or a request meets its closing.
IDLE_SECONDS = 120


class FaultyProtocol(HttpToolsProtocol):
    """Lets the app break its connection, which ASGI alone has no word for."""

    @override
    def on_message_begin(self) -> None:
        """Offer the extension with each request."""
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"close": self.transport.close}}


class VertexServer:
    """The simulation on ``http://127.0.0.1:{port}``; port 0 takes a free one."""

    def __init__(self, settings: VertexSettings, *, port: int = 0) -> None:
        read_fields()
        self._socket = _listening(port)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(settings),
            http=FaultyProtocol,
            ws="none",
            lifespan="on",
            log_level="critical",
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Serve from a background thread; the URL, once it answers. Raises TryLater when it does not."""
        self._thread = threading.Thread(target=self.serve_forever, name="vertex", daemon=True)
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(START_SECONDS / 0.01)):
            if self._server.started:
                return self.url
            waited.wait(0.01)
        raise TryLater(f"The simulated Vertex AI did not start on {self.url}.")

    def serve_forever(self) -> None:
        """Serve until ``stop``; in the main thread also until Ctrl-C."""
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        """End the service and wait for it. Stopping twice changes nothing."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listening(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only on sockets that say TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
