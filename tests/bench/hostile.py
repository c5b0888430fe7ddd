"""A model's host that does whatever hosts have been seen to do, and counts who is connected to it.

The first part of the path, or an endpoint's id, says how it behaves; the rest says whose words it speaks.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.bench.words import SPEECHES, Speech
from tests.vendors.serving import reset

PIECE = b"x" * 65_536
FLOOD_BYTES = 128 * 2**20
MARKUP = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_HEAD = re.compile(rb"(?P<method>\S+) (?P<path>\S+) .*?\r\ncontent-length: (?P<length>\d+)", re.DOTALL | re.IGNORECASE)


class Turn:
    """One request and the connection to answer it on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speech: Speech) -> None:
        self.reader = reader
        self.writer = writer
        self.speech = speech

    def say(self, *, status: int = 200, kind: str | None = None, body: bytes) -> None:
        """A whole answer, with its length."""
        head = b"HTTP/1.1 %d Said\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
        self.writer.write(head % (status, (kind or self.speech.kind).encode(), len(body)) + body)

    def begin(self, kind: str | None = None) -> None:
        """The head of an answer in pieces."""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"
        self.writer.write(head % (kind or self.speech.kind).encode())

    def vanish(self) -> None:
        """End the connection without a word."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        reset(transport)

    async def piece(self, data: bytes) -> None:
        """One piece of it; none is the end."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.writer.drain()


Behaviour = Callable[[Turn], Awaitable[None]]


async def good(turn: Turn) -> None:
    """The answer that was asked for."""
    turn.begin()
    for part in turn.speech.parts:
        await turn.piece(part)
    await turn.piece(b"")


async def dribbles(turn: Turn) -> None:
    """The same, seven bytes at a time."""
    whole = b"".join(turn.speech.parts)
    turn.begin()
    for at in range(0, len(whole), 7):
        await turn.piece(whole[at : at + 7])
    await turn.piece(b"")


async def hangs(turn: Turn) -> None:
    """Not a word, until the other side gives up."""
    await turn.reader.read()


async def stalls(turn: Turn) -> None:
    """The first half, and then not a word."""
    turn.begin()
    await turn.piece(turn.speech.half)
    await turn.reader.read()


async def resets(turn: Turn) -> None:
    """Gone, as a crashed host is."""
    turn.vanish()


async def breaks(turn: Turn) -> None:
    """Gone in the middle of the answer."""
    turn.begin()
    await turn.piece(turn.speech.half)
    await asyncio.sleep(0)
    turn.vanish()


async def closes(turn: Turn) -> None:
    """A good bye instead of an answer."""
    turn.writer.close()


async def cuts(turn: Turn) -> None:
    """Half an answer, properly ended."""
    turn.begin()
    await turn.piece(turn.speech.half)
    await turn.piece(b"")


async def babbles(turn: Turn) -> None:
    """What is no HTTP."""
    turn.writer.write(b"\x16\x03\x01 220 mail.example.com ESMTP\r\n" * 8)
    turn.writer.close()


async def garbles(turn: Turn) -> None:
    """Neither JSON nor events."""
    turn.say(body=b"\x00\xff{]}data:\n\n{\n\n" * 40)


async def lies(turn: Turn) -> None:
    """A gateway's page that calls itself what was asked for."""
    turn.say(body=MARKUP)


async def mislabels(turn: Turn) -> None:
    """A good answer that calls itself a picture."""
    turn.say(kind="image/png", body=b"".join(turn.speech.parts))


async def refuses(turn: Turn) -> None:
    """Too many requests."""
    turn.say(status=429, kind="application/json", body=b'{"error":{"message":"Slow down.","code":429}}')


async def fails(turn: Turn) -> None:
    """A page of a load balancer."""
    turn.say(status=503, kind="text/html", body=MARKUP)


async def floods(turn: Turn) -> None:
    """One value that never ends."""
    turn.begin()
    await turn.piece(b'data: {"text":"' if turn.speech.streams else b'{"text":"')
    for _ in range(FLOOD_BYTES // len(PIECE)):
        await turn.piece(PIECE)


async def floods_head(turn: Turn) -> None:
    """Headers without end."""
    turn.writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(FLOOD_BYTES // 100):
        turn.writer.write(b"x-header-%d: %b\r\n" % (number, b"y" * 80))
        await turn.writer.drain()


async def floods_fault(turn: Turn) -> None:
    """An error as long as a book."""
    turn.writer.write(b"HTTP/1.1 500 No\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n")
    for _ in range(FLOOD_BYTES // len(PIECE)):
        turn.writer.write(PIECE)
        await turn.writer.drain()


BEHAVIOURS: tuple[Behaviour, ...] = (
    good,
    dribbles,
    hangs,
    stalls,
    resets,
    breaks,
    closes,
    cuts,
    babbles,
    garbles,
    lies,
    mislabels,
    refuses,
    fails,
    floods,
    floods_head,
    floods_fault,
)
SOUND = ("good", "dribbles", "mislabels")
FLOODS = ("floods", "floods_head", "floods_fault")
_BY_NAME = {behaviour.__name__: behaviour for behaviour in BEHAVIOURS}


def endpoint(behaviour: str) -> int:
    """The id of the endpoint that behaves so."""
    return 1 + [known.__name__ for known in BEHAVIOURS].index(behaviour)


class Hostile:
    """The host: ``open`` connections now, ``busy`` of them with an answer under way, ``asked`` times in all."""

    def __init__(self) -> None:
        self.port = 0
        self.open = self.busy = self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as it lasts."""
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while not writer.is_closing():
                    await self._turn(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = _HEAD.match(await reader.readuntil(b"\r\n\r\n"))
        if asked is None:
            raise ConnectionError("no request")
        body = await reader.readexactly(int(asked["length"]))
        self.asked += 1
        self.busy += 1
        try:
            path = asked["path"].decode()
            await _behaviour(path)(Turn(reader, writer, _speech(path, body)))
            await writer.drain()
        finally:
            self.busy -= 1


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    """The host, listening on a free port for the length of the block."""
    host = Hostile()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, backlog=1024)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()


def _behaviour(path: str) -> Behaviour:
    if found := re.search(r"/endpoints/(\d+)", path):
        return BEHAVIOURS[int(found[1]) - 1]
    return _BY_NAME[path.split("/")[1]]


def _speech(path: str, body: bytes) -> Speech:
    streams = "stream" in path.rpartition("/")[2] or b'"stream":true' in body.replace(b" ", b"")
    return next(
        SPEECHES[verb, streams]
        for verb in ("chat/completions", "enerateContent", "predict", "messages", "converse")
        if verb.lower() in path.lower()
    )
