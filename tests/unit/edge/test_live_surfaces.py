"""Streams told in other words than the host's, or made of several calls, through a real server: as all streams are."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.adapters.upstream_server import Visit
from tests.unit.edge.live_door import ANSWER, CLAUDE, CLAUDES, DONE, END, HEAD, Client, Way, live, said, telling
from tuneway.edge.surfaces.chat import CHAT
from tuneway.edge.surfaces.completions import COMPLETIONS
from tuneway.edge.surfaces.messages import MESSAGES
from tuneway.routing.routes import Limits

LONG = 30.0
STOPPED = b'"message_stop"}\n\n'
HELLO = {0: "Hello"}


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for, what each call is answered, and what is told of it; ``calls`` are made at once.

    ``begun`` are the host's events of a stream that has begun, and no more than that.
    """

    path: str
    fields: Mapping[str, Any] = {}
    route: Mapping[str, Any] = {}
    host: tuple[bytes, ...]
    begun: int
    words: Mapping[int, str] = msgspec.field(default_factory=HELLO.copy)
    mark: bytes = DONE
    calls: int = 1


OTHERS: Mapping[str, Any] = {"target": CLAUDE}
PAIR = tuple(said(*word, index=index) for word in (("He",), ("llo",), ("", "stop")) for index in (0, 1))
KINDS = {
    "messages": Kind(path=MESSAGES, fields={"max_tokens": 9}, host=ANSWER, begun=2, mark=STOPPED),
    "own messages": Kind(
        path=MESSAGES, fields={"max_tokens": 9}, route=OTHERS, host=tuple(CLAUDES), begun=4, mark=STOPPED
    ),
    "completions": Kind(path=COMPLETIONS, route=OTHERS, host=tuple(CLAUDES), begun=4),
    "prompts": Kind(
        path=COMPLETIONS,
        fields={"prompt": ["a", "b"]},
        route=OTHERS,
        host=tuple(CLAUDES),
        begun=4,
        words={0: "Hello", 1: "Hello"},
        calls=2,
    ),
    "choices": Kind(
        path=CHAT,
        fields={"n": 2},
        route=OTHERS,
        host=tuple(CLAUDES),
        begun=4,
        words={0: "Hello", 1: "Hello"},
        calls=2,
    ),
    "counted": Kind(path=CHAT, fields={"n": 2}, host=(*PAIR, DONE), begun=2, words={0: "Hello", 1: "Hello"}),
    "held back": Kind(path=CHAT, route={"content_fallbacks": ("mild",)}, host=(said(""), *ANSWER), begun=3),
}


@pytest.fixture(params=["wire", "ordinary", "h11"])
def way(request: pytest.FixtureRequest) -> Way:
    """Straight to uvicorn's connection; by its ``send``; by that of its other protocol."""
    found: Way = request.param
    return found


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def data_in(body: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def words_in(body: bytes) -> dict[int, str]:
    """What is said, by choice."""
    told: defaultdict[int, str] = defaultdict(str)
    for event in data_in(body):
        for choice in event.get("choices", []):
            told[choice["index"]] += choice.get("text") or choice.get("delta", {}).get("content") or ""
        if event.get("type") == "content_block_delta":
            told[0] += event["delta"]["text"]
    return told


class Stopping:
    """A host that begins an answer and says no more; or it leaves, once all of its calls have begun."""

    def __init__(self, kind: Kind, *, leaves: bool = False) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self._kind = kind
        self._leaves = leaves
        self._begun = self._ended = 0

    async def __call__(self, visit: Visit) -> None:
        try:
            await telling(visit, *self._kind.host[: self._kind.begun], end=b"")
            self._begun += 1
            if self._begun == self._kind.calls:
                self.begun.set()
            await self.begun.wait()
            await asyncio.sleep(0.05 if self._leaves else LONG)
            visit.writer.close()
        finally:
            self._ended += 1
            if self._ended == self._kind.calls:
                self.ended.set()


async def test_all_of_it_arrives_and_is_counted(tmp_path: Path, way: Way, kind: Kind) -> None:
    async with live(tmp_path, way, lambda visit: telling(visit, *kind.host), **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        _, body = await client.answer()
        line = await door.line()
        assert len(door.host.seen) == kind.calls
    assert (words_in(body), body.endswith(kind.mark)) == (kind.words, True)
    assert (line["status"], "error.type" in line, line["gen_ai.usage.output_tokens"] > 0) == (200, False, True)


async def test_each_arrival_is_one_chunk_at_once(tmp_path: Path, way: Way, kind: Kind) -> None:
    async with live(tmp_path, way, lambda visit: telling(visit, *kind.host, pause=0.03), **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        await client.head()
        pieces = [piece async for piece in _pieces(client)]
    assert {text for piece in pieces for text in words_in(piece).values() if text} == {"He", "llo"}
    assert words_in(b"".join(pieces)) == kind.words


async def _pieces(client: Client) -> AsyncGenerator[bytes, None]:
    while piece := await client.piece():
        yield piece


@pytest.mark.parametrize("step", [1, 64])
async def test_any_split_of_the_hosts_bytes_says_the_same(tmp_path: Path, way: Way, kind: Kind, step: int) -> None:
    sent = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in kind.host) + END

    async def handler(visit: Visit) -> None:
        for start in range(0, len(sent), step):
            visit.writer.write(sent[start : start + step])
            await asyncio.sleep(0)

    async with live(tmp_path, way, handler, **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        body = (await client.answer())[1]
    assert (words_in(body), body.endswith(kind.mark)) == (kind.words, True)


async def test_a_client_that_leaves_ends_every_call(tmp_path: Path, way: Way, kind: Kind) -> None:
    host = Stopping(kind)
    async with live(tmp_path, way, host, **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        await client.head()
        await client.piece()
        await asyncio.wait_for(host.begun.wait(), 5)
        client.writer.transport.abort()
        await asyncio.wait_for(host.ended.wait(), 5)
        line = await door.line()
    assert (line["status"], line["error.type"]) == (499, "client_left")


async def test_a_host_that_leaves_in_the_middle_is_told_in_the_surfaces_words(
    tmp_path: Path, way: Way, kind: Kind
) -> None:
    host = Stopping(kind, leaves=True)
    async with live(tmp_path, way, host, **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        body = (await client.answer())[1]
        line = await door.line()
        assert host.ended.is_set()
    last = data_in(body)[-1]
    assert (kind.mark in body, any(words_in(body).values())) == (False, True)
    assert (last["type"] == "error") == (kind.path == MESSAGES) if "type" in last else last["error"]["code"]
    assert (line["status"], line["error.type"]) == (200, "upstream_broke")


@pytest.mark.parametrize("limits", [Limits(between=0.15), Limits(total=0.4)])
async def test_a_stream_that_stands_still_ends_in_its_routes_time(
    tmp_path: Path, way: Way, kind: Kind, limits: Limits
) -> None:
    host = Stopping(kind)
    async with live(tmp_path, way, host, timeouts=limits, **kind.route) as door:
        client = await door.client()
        client.ask(path=kind.path, **kind.fields)
        body = (await client.answer())[1]
        await asyncio.wait_for(host.ended.wait(), 5)
    assert any(words_in(body).values())
    assert "within the time its route allows" in data_in(body)[-1]["error"]["message"]


@pytest.mark.parametrize("kind", [KINDS[name] for name in ("messages", "completions", "choices", "counted")])
async def test_a_client_that_does_not_read_makes_every_host_wait(tmp_path: Path, way: Way, kind: Kind) -> None:
    sent, pieces, long = 0, 1500, "x" * 20_000
    flood = next(event for event in kind.host if b'"He"' in event)

    async def flooding(visit: Visit) -> None:
        nonlocal sent
        await visit.write(HEAD)
        for event in kind.host[: kind.begun - 1]:
            await visit.chunk(event)
        for _ in range(pieces):
            await visit.chunk(flood.replace(b'"He"', b'"%b"' % long.encode()))
            sent += 1
        for event in kind.host[kind.begun - 1 :]:
            await visit.chunk(event)
        await visit.write(END)

    limits = Limits(between=0.5)
    async with live(tmp_path, way, flooding, timeouts=limits, **kind.route) as door:
        client = await door.client(limit=2**20)
        client.ask(path=kind.path, **kind.fields)
        await client.head()
        await asyncio.sleep(0.8)
        held = sent
        await asyncio.sleep(0.3)
        assert (held < pieces / 2 * kind.calls, sent - held < pieces / 20) == (True, True)
        body = await client.body()
    assert (body.count(long.encode()), kind.mark in body[-300:]) == (pieces * kind.calls, True)


async def test_choices_that_are_missing_are_told_at_the_end(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, lambda visit: telling(visit, *ANSWER)) as door:
        client = await door.client()
        client.ask(n=2)
        body = (await client.answer())[1]
    assert (words_in(body), DONE in body) == (HELLO, False)
    assert data_in(body)[-1]["error"]["param"] == "n"
