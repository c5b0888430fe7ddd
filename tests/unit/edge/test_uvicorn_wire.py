"""The short way below uvicorn's ``send`` is there with the uvicorn that is installed, and taken only where it fits."""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from tuneway.edge.spout import Spout, spout_of
from tuneway.edge.uvicorn_wire import Wire, wire_below

Ways = list[Wire | Spout]
PLAIN: list[tuple[bytes, bytes]] = []


def asking(found: Ways, headers: list[tuple[bytes, bytes]]) -> ASGIApp:
    """An app that begins a body and looks which way the rest of it would go."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok", "more_body": True})
        found.append(spout_of(receive, send, first=b"ok"))
        await send({"type": "http.response.body", "body": b""})

    return app


async def way_of(*, http: str = "httptools", verb: str = "GET", headers: Any = PLAIN) -> Wire | Spout:
    found: Ways = []
    config = Config(asking(found, headers), http=http, ws="none", lifespan="off", log_config=None)
    config.load()
    protocol: Any = config.http_protocol_class
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    writer.write(f"{verb} / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n".encode())
    await asyncio.wait_for(reader.read(-1), 5)
    writer.close()
    listening.close()
    return found[0]


async def test_the_installed_uvicorn_is_the_one_we_know() -> None:
    """If this fails, uvicorn has changed what ``edge/uvicorn_wire.py`` stands on: streams go its ordinary way."""
    assert isinstance(await way_of(), Wire)


@pytest.mark.parametrize(
    "other", [{"http": "h11"}, {"verb": "HEAD"}, {"headers": [(b"content-length", b"2")]}], ids=str
)
async def test_any_other_server_or_body_goes_the_ordinary_way(other: dict[str, Any]) -> None:
    assert isinstance(await way_of(**other), Spout)


async def test_what_is_no_server_at_all_goes_the_ordinary_way() -> None:
    async def received() -> Any:
        return {}

    assert wire_below(received, b"") is None


class Line:
    """A transport that remembers what was written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.write: Callable[[bytes], None] = self.written.append


def begun(line: Any, flow: Any) -> RequestResponseCycle:
    cycle = RequestResponseCycle.__new__(RequestResponseCycle)
    cycle.transport, cycle.flow, cycle.disconnected = line, flow, False
    return cycle


class Flow:
    """Flow control that can be told to be slow."""

    def __init__(self) -> None:
        self.write_paused = False

    async def drain(self) -> None:
        self.write_paused = False


async def test_events_are_written_as_one_chunk_and_a_slow_client_is_waited_for() -> None:
    line, flow = Line(), Flow()
    wire = Wire(begun(line, flow), b"first")
    assert wire.take(b"x" * 20) is None
    flow.write_paused = True
    held = wire.take(b"y")
    assert held is not None
    await held
    assert (line.written, wire.last) == ([b"14\r\n" + b"x" * 20 + b"\r\n", b"1\r\ny\r\n"], b"y")


async def test_nothing_is_written_to_a_client_that_has_left() -> None:
    line = Line()
    cycle = begun(line, Flow())
    wire = Wire(cycle, b"")
    cycle.disconnected = True
    assert wire.take(b"x") is None
    assert line.written == []


async def test_a_slow_client_nobody_waits_for_leaves_no_coroutine_behind() -> None:
    flow = Flow()
    flow.write_paused = True
    held = Wire(begun(Line(), flow), b"").take(b"x")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        del held
    assert (warned, flow.write_paused) == ([], True)
