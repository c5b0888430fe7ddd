"""The Upstream port on asyncio and httptools, the parser uvicorn serves with: the fast client of the prediction path.

Why not a ready-made client: docs/decisions/2026-11-21-upstream-client.md.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self

import httptools
from typing_extensions import override

from tuneway.adapters.http1 import Broken, Connection, TooSlow
from tuneway.errors import UpstreamError
from tuneway.ports import LARGEST_ANSWER, Pouring, Take, Timeouts, UpstreamRequest

Origin = tuple[bytes, bytes, int]
PORTS = {b"http": 80, b"https": 443}
IDLE_SECONDS = 60.0
IDLE_PER_ORIGIN = 256


class HttptoolsUpstream:
    """Pooled HTTP/1.1: no redirects, no proxies from the environment, bodies exactly as sent. For one event loop."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        """``tls`` replaces the system's roots."""
        self._tls = tls
        self._idle: dict[Origin, list[Connection]] = {}

    def send(self, request: UpstreamRequest) -> "_Call":
        """The call, started by ``async with``. Raises UpstreamError (502 unreachable, 504 too slow)."""
        return _Call(self, request)

    async def close(self) -> None:
        """Free every idle connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # transports report their end in the loop's next turn

    def idle(self, origin: Origin) -> Connection | None:
        """The connection that rested the shortest and is still good."""
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.reusable and connection.idle_seconds < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def rest(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next call; the one that rested longest goes when its time is up."""
        connections = self._idle.setdefault(origin, [])
        connections.append(connection)
        oldest = connections[0]
        if len(connections) > IDLE_PER_ORIGIN or connection.idle_since - oldest.idle_since > IDLE_SECONDS:
            connections.pop(0).close()

    async def connected(self, origin: Origin, timeouts: Timeouts, *, address: str | None = None) -> Connection:
        """A new connection, to ``address`` where one is given. Raises UpstreamError."""
        loop = asyncio.get_running_loop()
        scheme, host, port = origin
        secure = scheme == b"https"
        try:
            async with asyncio.timeout(timeouts.connect):
                transport, connection = await loop.create_connection(
                    lambda: Connection(loop),
                    address or host.decode(),
                    port,
                    ssl=self._context() if secure else None,
                    server_hostname=host.decode() if secure else None,
                )
        except TimeoutError as exc:
            raise _too_slow() from exc
        except OSError as exc:
            raise _unreachable() from exc
        opened: socket.socket | None = transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a model may think for minutes
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class _Call(Pouring):
    """One call and its answer in one object: the hot path makes as few as it can."""

    __slots__ = ("_connection", "_origin", "_pool", "_request", "status")

    def __init__(self, pool: HttptoolsUpstream, request: UpstreamRequest) -> None:
        self._pool = pool
        self._request = request
        self._connection: Connection
        self._origin: Origin
        self.status = 0

    @property
    def headers(self) -> Mapping[str, str]:
        return self._connection.headers

    async def __aenter__(self) -> Self:
        self._origin, data = _serialised(self._request)
        address = self._request.address  # such a connection is this call's alone: the pool knows hosts by their names
        connection = self._pool.idle(self._origin) if address is None else None
        if connection is None or not await self._answered(connection, data, reused=True):
            fresh = await self._pool.connected(self._origin, self._request.timeouts, address=address)
            await self._answered(fresh, data, reused=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.end()
        if self._request.address is not None:
            self._connection.close()
        elif self._connection.reusable:
            self._pool.rest(self._origin, self._connection)

    async def _answered(self, connection: Connection, data: bytes, *, reused: bool) -> bool:
        """True once the head is there; False when a rested connection was closed at the other end meanwhile.

        Such a call is sent again, once, on a new connection, as browsers do: not a byte of an answer had come.
        """
        connection.begin(data, patience=self._request.timeouts.read)
        try:
            await connection.head()
        except Broken as exc:
            connection.end()
            if reused and exc.unheard:
                return False
            raise _unreachable() from exc
        except TooSlow as exc:
            connection.end()
            raise _too_slow() from exc
        except asyncio.CancelledError:
            connection.close()
            raise
        self._connection = connection
        self.status = connection.status
        return True

    async def read(self) -> bytes:
        first = await self._next()
        if self._connection.over or not (more := await self._next()):
            return first
        pieces, size = [first, more], len(first) + len(more)
        while piece := await self._next():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise _too_large()
        return b"".join(pieces)

    def chunks(self) -> Self:
        return self

    @override
    def __aiter__(self) -> Self:
        return self

    @override
    async def __anext__(self) -> bytes:
        if chunk := await self._next():
            return chunk
        raise StopAsyncIteration

    @override
    async def pour(self, take: Take) -> None:
        try:
            await self._connection.pour(take)
        except (Broken, TooSlow) as exc:
            raise _fault_of(exc) from exc

    async def _next(self) -> bytes:
        try:
            return await self._connection.next_bytes()
        except (Broken, TooSlow) as exc:
            raise _fault_of(exc) from exc


def _serialised(request: UpstreamRequest) -> tuple[Origin, bytes]:
    """The origin and the bytes of the request. Raises UpstreamError for no URL, ValueError for no header."""
    origin, start = _start(request.method, request.url)
    fields = "".join([f"{name}: {value}\r\n" for name, value in request.headers.items()])
    if fields.count("\n") != len(request.headers) or fields.count("\r") != len(request.headers):
        raise ValueError("A header holds a line break.")
    if request.method == "GET":
        return origin, b"%b%b\r\n" % (start, fields.encode("latin-1"))
    return origin, b"%b%bcontent-length: %d\r\n\r\n%b" % (
        start,
        fields.encode("latin-1"),
        len(request.body),
        request.body,
    )


@lru_cache(maxsize=1024)
def _start(method: str, url: str) -> tuple[Origin, bytes]:
    """The origin, and the head's lines that follow from the URL: few URLs get nearly all requests."""
    try:
        parsed = httptools.parse_url(url.encode("ascii"))
    except (httptools.HttpParserInvalidURLError, UnicodeEncodeError) as exc:
        raise _no_url() from exc
    path = parsed.path or b"/"
    target = b"%b?%b" % (path, parsed.query) if parsed.query else path
    authority = b"%b:%d" % (parsed.host, parsed.port) if parsed.port else parsed.host
    origin = parsed.schema, parsed.host, parsed.port or PORTS[parsed.schema]
    return origin, b"%b %b HTTP/1.1\r\nhost: %b\r\nuser-agent: tuneway\r\n" % (method.encode(), target, authority)


def _no_url() -> UpstreamError:
    return UpstreamError("The address to call is no URL.", status=502, kind="server_error", code="upstream_error")


def _fault_of(exc: Broken | TooSlow) -> UpstreamError:
    return _too_slow() if isinstance(exc, TooSlow) else _unreachable()


def _too_slow() -> UpstreamError:
    return UpstreamError("The model's host did not answer in time.", status=504, kind="server_error", code="timeout")


def _too_large() -> UpstreamError:
    return UpstreamError(
        "The model's host sent more than any answer holds.", status=502, kind="server_error", code="upstream_error"
    )


def _unreachable() -> UpstreamError:
    return UpstreamError(
        "The connection to the model's host failed.", status=502, kind="server_error", code="upstream_unreachable"
    )
