"""The predict door behind a real server, a misbehaving host behind it, and a client who speaks HTTP by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from tests.unit.adapters.upstream_server import Server, Visit, serving
from tests.unit.edge.predict_door import MESSAGES, Predict
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.edge.surfaces.chat import CHAT
from tuneway.edge.surfaces.completions import COMPLETIONS
from tuneway.routing.routes import Target

Way = Literal["wire", "ordinary", "h11"]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def said(text: str, finish: str | None = None, *, index: int = 0) -> bytes:
    """One event of a host that speaks OpenAI's words."""
    choice = {"index": index, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "served"}
    return b"data: %b\n\n" % json.dumps({**head, "choices": [choice]}).encode()


ANSWER = (said("He"), said("llo"), said("", "stop"), DONE)
_CLAUDE: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 0}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in ("He", "llo")),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
CLAUDES = [b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in _CLAUDE]
CLAUDE = {"provider": "anthropic", "dialect": "anthropic", "model": "claude-sonnet-4-5", "secret": "env:K"}


async def telling(visit: Visit, *events: bytes, pause: float = 0.005, end: bytes = END) -> None:
    await visit.write(HEAD)
    for event in events:
        await visit.chunk(event)
        await asyncio.sleep(pause)
    await visit.write(end)


def hidden(app: ASGIApp) -> ASGIApp:
    """The app as it is behind a middleware of somebody else's, which leads to the server no more."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Any:
            return await receive()

        await app(scope, received, send)

    return wrapped


class Client:
    """One connection; what is read is read by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def ask(self, *headers: str, path: str = CHAT, verb: str = "POST", version: str = "1.1", **fields: Any) -> None:
        words = {"prompt": "Once"} if path == COMPLETIONS else {"messages": MESSAGES}
        body = json.dumps({"model": "shop", "stream": True, **words, **fields}).encode()
        lines = [f"{verb} {path} HTTP/{version}", "host: door", "authorization: Bearer k", *headers]
        self.writer.write("\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body)

    async def head(self) -> str:
        return (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)).decode().lower()

    async def piece(self) -> bytes:
        """One chunk of a chunked body; nothing at its end."""
        size = int(await asyncio.wait_for(self._reader.readuntil(b"\r\n"), 5), 16)
        data = await self._reader.readexactly(size)
        assert await self._reader.readexactly(2) == b"\r\n"
        return data

    async def body(self) -> bytes:
        pieces: list[bytes] = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def answer(self) -> tuple[str, bytes]:
        return await self.head(), await self.body()

    async def exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(size), 5)

    async def all(self) -> bytes:
        """Everything until the server closes."""
        return await asyncio.wait_for(self._reader.read(-1), 5)


class Live:
    """A door on a port, its host, and its clients."""

    def __init__(self, predict: Predict, host: Server, port: int) -> None:
        self.predict = predict
        self.host = host
        self._port = port
        self._clients: list[Client] = []

    async def client(self, **options: Any) -> Client:
        self._clients.append(Client(*await asyncio.open_connection("127.0.0.1", self._port, **options)))
        return self._clients[-1]

    async def line(self) -> dict[str, Any]:
        """The last request's log line, once it is written."""
        async with asyncio.timeout(5):
            while not (lines := self.predict.lines()):  # noqa: ASYNC110  (a file tells nobody that it was written)
                await asyncio.sleep(0.01)
        return lines[-1]

    def close(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()


@asynccontextmanager
async def live(
    folder: Path, way: Way, handler: Callable[[Visit], Awaitable[None]], **route: Any
) -> AsyncIterator[Live]:
    """The door of one route, ``shop``, to a host that answers by ``handler``."""
    upstream = HttptoolsUpstream()
    predict = Predict(folder, upstream=upstream)
    app = hidden(predict.app) if way == "ordinary" else predict.app
    config = Config(app, http="h11" if way == "h11" else "httptools", ws="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    protocol: Any = config.http_protocol_class
    loop = asyncio.get_running_loop()
    async with serving(handler) as host:
        predict.state.key("k", "acme")
        box = Target(provider="custom_openai", dialect="openai", model="served", base_url=f"{host.url}/v1")
        predict.state.route("shop", msgspec.structs.replace(box, **route.pop("target", {})), **route)
        listening = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
        door = Live(predict, host, listening.sockets[0].getsockname()[1])
        try:
            yield door
        finally:
            listening.close()
            door.close()
            await asyncio.sleep(0.02)
            await upstream.close()
