"""An ASGI app on a free loopback port, in a thread of its own."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HOST = "127.0.0.1"
READY_SECONDS = 60.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no seconds


@dataclass
class Connections:
    """How many connections a server has had, and how many are open now."""

    total: int = 0
    open: int = 0


class Served:
    """A running server's address and its connections."""

    def __init__(self, url: str, connections: Connections) -> None:
        self.url = url
        self.connections = connections


def reset(transport: asyncio.Transport) -> None:
    """End a connection with RST, as a crashed host does."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()


@contextmanager
def serving(app: Starlette) -> Iterator[Served]:
    """The app, served for the length of the block."""
    # asyncio sets TCP_NODELAY only on sockets that name their protocol.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, 0))
    connections = Connections()
    server = uvicorn.Server(_config(app, connections))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield Served(f"http://{HOST}:{listening.getsockname()[1]}", connections)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(READY_SECONDS)
        listening.close()


def _config(app: Starlette, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_watched(connections),
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level=60,  # a connection cut on purpose is no news
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        backlog=2048,
    )


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + READY_SECONDS
    while not server.started:
        assert thread.is_alive(), "the fake did not start"
        assert time.monotonic() < until, "the fake did not start in time"
        time.sleep(0.005)


def _watched(connections: Connections) -> type[HttpToolsProtocol]:
    class Watched(HttpToolsProtocol):
        """Counts connections and hands each request the transport it came by, in its ``state``."""

        @override
        def connection_made(self, transport: Any) -> None:
            connections.total += 1
            connections.open += 1
            self.app_state = {**self.app_state, "transport": transport}
            super().connection_made(transport)

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            connections.open -= 1
            super().connection_lost(exc)

    return Watched
