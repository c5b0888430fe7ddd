"""Streams through a real server, from a host to a client: whichever way a piece takes, the client sees the same."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from tests.unit.adapters.upstream_server import Visit
from tests.unit.edge.live_door import ANSWER, CLAUDE, CLAUDES, DONE, END, HEAD, Way, live, said, telling
from tuneway.routing.routes import Limits

LONG = 30.0


@pytest.fixture(params=["wire", "ordinary", "h11"])
def way(request: pytest.FixtureRequest) -> Way:
    """Straight to uvicorn's connection; by its ``send``; by that of its other protocol."""
    found: Way = request.param
    return found


async def whole(visit: Visit) -> None:
    await telling(visit, *ANSWER)


async def stopping(visit: Visit) -> None:
    await telling(visit, *ANSWER[:2], end=b"")
    await asyncio.sleep(LONG)


def events(body: bytes) -> list[bytes]:
    return body.replace(b'"model":"shop"', b'"model": "served"').split(b"\n\n")[:-1]


ASKED = [event.strip() for event in ANSWER]


async def test_events_arrive_as_the_host_sent_them(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        client.ask()
        head, body = await client.answer()
        line = await door.line()
    assert ("200 ok" in head, "transfer-encoding: chunked" in head) == (True, True)
    assert events(body) == ASKED
    assert (line["status"], line["gen_ai.usage.output_tokens"] > 0) == (200, True)


async def test_each_arrival_is_one_chunk_at_once(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, lambda visit: telling(visit, *ANSWER, pause=0.02)) as door:
        client = await door.client()
        client.ask()
        await client.head()
        pieces = [await client.piece() for _ in ANSWER]
        assert await client.piece() == b""
    assert [len(events(piece)) for piece in pieces] == [1] * len(ANSWER)


@pytest.mark.parametrize("step", [1, 3, 64, 10_000])
async def test_any_split_of_the_hosts_bytes_gives_the_same_events(tmp_path: Path, way: Way, step: int) -> None:
    sent = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in ANSWER) + END

    async def handler(visit: Visit) -> None:
        for start in range(0, len(sent), step):
            visit.writer.write(sent[start : start + step])
            await asyncio.sleep(0)

    async with live(tmp_path, way, handler) as door:
        client = await door.client()
        client.ask()
        assert events((await client.answer())[1]) == ASKED


async def test_a_translated_stream_comes_the_same_way(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, lambda visit: telling(visit, *CLAUDES), target=CLAUDE) as door:
        client = await door.client()
        client.ask(stream_options={"include_usage": True})
        *chunks, done = (await client.answer())[1].split(b"\n\n")[:-1]
        line = await door.line()
    read = [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]
    words = [choice["delta"].get("content") or "" for chunk in read for choice in chunk["choices"]]
    assert ("".join(words), done, read[-1]["usage"]["total_tokens"]) == ("Hello", DONE.strip(), 5)
    assert line["gen_ai.usage.output_tokens"] == 2


async def test_a_client_that_does_not_read_makes_the_host_wait(tmp_path: Path, way: Way) -> None:
    sent, pieces = 0, 3000
    event = said("x" * 20_000)

    async def flooding(visit: Visit) -> None:
        nonlocal sent
        await visit.write(HEAD)
        for _ in range(pieces):
            await visit.chunk(event)
            sent += 1
        await visit.chunk(said("", "stop") + DONE)
        await visit.write(END)

    async with live(tmp_path, way, flooding) as door:
        client = await door.client(limit=2**20)
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.ask()
        await client.head()
        await asyncio.sleep(0.5)
        held = sent
        await asyncio.sleep(0.3)
        assert (held < pieces / 2, sent - held < pieces / 20) == (True, True)
        assert (await client.body()).count(b"x" * 20_000) == pieces


async def test_a_client_that_leaves_ends_the_hosts_call(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, stopping) as door:
        client = await door.client()
        client.ask()
        await client.head()
        await client.piece()
        client.writer.transport.abort()
        await asyncio.wait_for(door.host.left.wait(), 5)
        line = await door.line()
    assert (line["status"], line["error.type"]) == (499, "client_left")


async def test_a_client_that_leaves_at_the_mark_of_the_end_has_got_all_of_it(tmp_path: Path, way: Way) -> None:
    async def lingering(visit: Visit) -> None:
        await telling(visit, *ANSWER, end=b"")
        await asyncio.sleep(LONG)

    async with live(tmp_path, way, lingering) as door:
        client = await door.client()
        client.ask()
        await client.head()
        while DONE not in await client.piece():
            pass
        client.writer.transport.abort()
        await asyncio.wait_for(door.host.left.wait(), 5)
        line = await door.line()
    assert (line["status"], "error.type" in line) == (200, False)


async def test_a_client_that_leaves_without_having_read_ends_the_hosts_call(tmp_path: Path, way: Way) -> None:
    async def flooding(visit: Visit) -> None:
        await telling(visit, *[said("x" * 60_000)] * 2000, pause=0)

    async with live(tmp_path, way, flooding) as door:
        client = await door.client()
        client.ask()
        await client.head()
        await asyncio.sleep(0.3)
        client.writer.transport.abort()
        await asyncio.wait_for(door.host.left.wait(), 5)
        assert (await door.line())["status"] == 499


async def test_a_host_that_leaves_in_the_middle_is_told_in_a_last_event(tmp_path: Path, way: Way) -> None:
    async def handler(visit: Visit) -> None:
        await telling(visit, *ANSWER[:2], end=b"")
        visit.writer.close()

    async with live(tmp_path, way, handler) as door:
        client = await door.client()
        client.ask()
        *before, last = events((await client.answer())[1])
        line = await door.line()
    assert before == ASKED[:2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_unreachable"
    assert (line["status"], line["error.type"]) == (200, "upstream_broke")


async def test_an_error_among_the_events_is_told_after_what_came_before(tmp_path: Path, way: Way) -> None:
    broken = b'data: {"error": {"message": "out of memory"}}\n\n'
    async with live(tmp_path, way, lambda visit: telling(visit, ANSWER[0], ANSWER[1] + broken, ANSWER[2])) as door:
        client = await door.client()
        client.ask()
        *before, last = events((await client.answer())[1])
    assert (before, b"out of memory" in last) == (ASKED[:2], True)


@pytest.mark.parametrize("limits", [Limits(between=0.1), Limits(total=0.3), Limits(between=5.0, total=0.3)])
async def test_a_stream_that_stands_still_ends_in_its_routes_time(tmp_path: Path, way: Way, limits: Limits) -> None:
    async with live(tmp_path, way, stopping, timeouts=limits) as door:
        client = await door.client()
        client.ask()
        *before, last = events((await client.answer())[1])
        await asyncio.wait_for(door.host.left.wait(), 5)
    assert before == ASKED[:2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "timeout"


async def test_a_steady_stream_outlives_the_time_between_two_events(tmp_path: Path, way: Way) -> None:
    many = [said("x")] * 20
    limits = Limits(between=0.15)
    async with live(tmp_path, way, lambda v: telling(v, *many, *ANSWER, pause=0.02), timeouts=limits) as door:
        client = await door.client()
        client.ask()
        assert len(events((await client.answer())[1])) == 24


async def test_a_slow_clients_time_is_not_the_hosts(tmp_path: Path, way: Way) -> None:
    flood = [said("x" * 60_000)] * 200
    limits = Limits(between=0.2)
    async with live(tmp_path, way, lambda v: telling(v, *flood, *ANSWER[2:], pause=0), timeouts=limits) as door:
        client = await door.client(limit=2**20)
        client.ask()
        await client.head()
        await asyncio.sleep(0.8)
        assert DONE in (await client.body())[-200:]


async def test_a_first_event_that_never_comes_is_a_status(tmp_path: Path, way: Way) -> None:
    async def silent(visit: Visit) -> None:
        await visit.write(HEAD)
        await asyncio.sleep(LONG)

    async with live(tmp_path, way, silent, timeouts=Limits(first=0.1)) as door:
        client = await door.client()
        client.ask()
        head = await client.head()
    assert ("504" in head, "application/json" in head, "chunked" in head) == (True, True, False)


async def test_a_hosts_refusal_is_a_status(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, lambda visit: visit.answer(b"{}", status="503 Busy")) as door:
        client = await door.client()
        client.ask("connection: close")
        head = await client.head()
    assert ("http/1.1 503" in head, "content-length:" in head) == (True, True)


async def test_both_connections_serve_again_after_a_stream(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        for _ in range(3):
            client.ask()
            assert events((await client.answer())[1]) == ASKED
        assert door.host.connections == 1


async def test_a_crowd_is_answered_to_the_last(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        clients = [await door.client() for _ in range(40)]
        for client in clients:
            client.ask()
        for client in clients:
            assert events((await client.answer())[1]) == ASKED


async def test_requests_that_come_at_once_are_answered_in_their_order(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        client.ask()
        client.ask(stream=False, model="none")
        client.ask()
        assert events((await client.answer())[1]) == ASKED
        head = await client.head()
        assert "404" in head
        size = int(head.split("content-length: ")[1].split("\r\n")[0])
        await client.exactly(size)
        assert events((await client.answer())[1]) == ASKED


async def test_a_connection_that_is_to_close_closes_after_the_stream(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        client.ask("connection: close")
        head, body = await client.answer()
        assert await client.all() == b""
    assert ("connection: close" in head, events(body)) == (True, ASKED)


async def test_an_old_client_gets_all_of_it_and_then_the_end(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        client.ask(version="1.0")
        told = await client.all()
    assert all(event in told.replace(b'"model":"shop"', b'"model": "served"') for event in ASKED)


async def test_whoever_asks_for_the_head_alone_gets_no_stream(tmp_path: Path, way: Way) -> None:
    async with live(tmp_path, way, whole) as door:
        client = await door.client()
        client.ask("connection: close", verb="HEAD")
        told = await client.all()
    assert (b" 405 " in told, told.endswith(b"\r\n\r\n")) == (True, True)
