"""A small HTTP/1.1 server that misbehaves on demand, for the Upstream contract."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One request as the server saw it, and the pen to answer it."""

    def __init__(
        self, server: "Server", writer: asyncio.StreamWriter, request: tuple[str, dict[str, str], bytes]
    ) -> None:
        self.server = server
        self.writer = writer
        self.line, self.headers, self.body = request

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes, *, status: str = "200 OK", kind: str = "application/json") -> None:
        await self.write(
            f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        )

    async def chunk(self, data: bytes) -> None:
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))


class Server:
    """Counts connections; ``left`` is set when a client leaves before its answer was complete."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.connections = 0
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.seen: list[Visit] = []
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await _read(reader):
                visit = Visit(self, writer, request)
                self.seen.append(visit)
                self.asked.set()
                await self._serve(visit, reader)
        except ConnectionError:
            self.left.set()
        finally:
            writer.close()

    async def _serve(self, visit: Visit, reader: asyncio.StreamReader) -> None:
        """Answer, watching for the client to leave meanwhile."""
        answering = asyncio.ensure_future(self.handler(visit))
        watching = asyncio.ensure_future(_gone(reader))
        done, _ = await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
        if answering not in done:
            answering.cancel()
            self.left.set()
        watching.cancel()
        await asyncio.gather(answering, watching, return_exceptions=True)


async def _gone(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110  (peeks without taking bytes)
        await asyncio.sleep(0.005)


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free loopback port for the length of the block."""
    server = Server(handler)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await asyncio.sleep(0)
