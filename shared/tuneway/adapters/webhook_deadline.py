"""An end to what one delivery may take: a receiver that drips its answer restarts every timeout of reading."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self, cast


class _Stream(Protocol):
    def get_extra_info(self, info: str) -> object: ...


class Deadline:
    """While entered, breaks the connection that ``trace`` was told of when ``seconds`` are over; ``over`` says so.

    ``trace`` is httpx's extension of that name: https://www.encode.io/httpcore/extensions/#trace
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Keep hold of the connection; a second handle on it, for TLS takes the first one over."""
        if event != "connection.connect_tcp.complete":
            return
        found = cast("_Stream", info["return_value"]).get_extra_info("socket")
        if isinstance(found, socket.socket):
            with self._lock:
                self._connection = found.dup()
                if self.over:
                    self._broken()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            self._broken()

    def _broken(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # the other side was faster
                self._connection.shutdown(socket.SHUT_RDWR)
