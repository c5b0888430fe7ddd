"""One contract for every Upstream plug, against a small server that misbehaves on demand."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator

import pytest

from tests.unit.adapters.upstream_server import Server, Visit, serving
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import UpstreamError
from tuneway.ports import Pouring, Timeouts, UpstreamRequest

Plug = HttptoolsUpstream | HttpxUpstream
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(params=[HttptoolsUpstream, HttpxUpstream])
async def upstream(request: pytest.FixtureRequest) -> AsyncIterator[Plug]:
    plug: Plug = request.param()
    yield plug
    await plug.close()


@pytest.fixture(params=["whole", "streamed", "poured"])
def way(request: pytest.FixtureRequest) -> str:
    """How an answer is taken; what a plug cannot pour, it streams."""
    return str(request.param)


def post(server: Server | str, *, read: float = 5.0) -> UpstreamRequest:
    url = server if isinstance(server, str) else f"{server.url}/v1/x:predict?alt=sse"
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    return UpstreamRequest(url=url, headers=headers, body=b'{"a": 1}', timeouts=Timeouts(connect=1.0, read=read))


async def read(upstream: Plug, request: UpstreamRequest, *, way: str = "whole") -> tuple[int, bytes]:
    async with upstream.send(request) as response:
        if way == "whole":
            return response.status, await response.read()
        chunks, taken = response.chunks(), list[bytes]()
        if way == "poured" and isinstance(chunks, Pouring):
            await chunks.pour(taken.append)
        else:
            taken = [chunk async for chunk in chunks]
        return response.status, b"".join(taken)


async def refused(upstream: Plug, request: UpstreamRequest, *, way: str = "whole") -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await read(upstream, request, way=way)
    return caught.value


async def test_the_request_arrives_as_it_was_given(upstream: Plug, *, way: str) -> None:
    async with serving(lambda visit: visit.answer(b'{"ok": true}')) as server:
        assert await read(upstream, post(server), way=way) == (200, b'{"ok": true}')
        [seen] = server.seen
    assert seen.line == "POST /v1/x:predict?alt=sse HTTP/1.1"
    assert seen.body == b'{"a": 1}'
    assert seen.headers["authorization"] == "Bearer t"
    assert seen.headers["content-type"] == "application/json"


async def test_a_get_has_no_body(upstream: Plug) -> None:
    async with serving(lambda visit: visit.answer(b"{}")) as server:
        await read(upstream, UpstreamRequest(method="GET", url=server.url + "/v1/e", headers={}))
    assert server.seen[0].line == "GET /v1/e HTTP/1.1"
    assert server.seen[0].body == b""


async def test_header_names_are_lower_case(upstream: Plug) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")

    async with serving(handler) as server, upstream.send(post(server)) as response:
        assert response.headers["retry-after"] == "7"
        assert "retry-after" in list(response.headers)


async def test_any_status_is_an_answer(upstream: Plug, *, way: str) -> None:
    async with serving(lambda visit: visit.answer(b"<html>", status="502 Bad Gateway", kind="text/html")) as server:
        assert await read(upstream, post(server), way=way) == (502, b"<html>")


async def test_a_redirect_is_not_followed(upstream: Plug) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")

    async with serving(handler) as server:
        assert (await read(upstream, post(server)))[0] == 302
    assert len(server.seen) == 1


async def test_a_compressed_body_is_left_alone(upstream: Plug, *, way: str) -> None:
    packed = gzip.compress(b"{}")

    async def handler(visit: Visit) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
        await visit.write(head.encode() + packed)

    async with serving(handler) as server:
        assert await read(upstream, post(server), way=way) == (200, packed)
    assert "gzip" not in server.seen[0].headers.get("accept-encoding", "")


async def test_a_body_far_beyond_any_buffer_arrives_whole(upstream: Plug, *, way: str) -> None:
    body = b"0123456789abcdef" * 200_000
    async with serving(lambda visit: visit.answer(body)) as server:
        assert await read(upstream, post(server), way=way) == (200, body)


@pytest.mark.parametrize("status", ["200 OK", "500 No"])
async def test_an_answer_larger_than_any_is_a_fault_and_ends_the_call(upstream: Plug, status: str) -> None:
    async def flood(visit: Visit) -> None:
        await visit.write(f"HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        while True:
            await visit.chunk(bytes(2**20))

    async with serving(flood) as server:
        fault = await refused(upstream, post(server))
        assert (fault.status, fault.code) == (502, "upstream_error")
        await asyncio.wait_for(server.left.wait(), 5)


async def test_a_connection_serves_one_call_after_another(upstream: Plug, *, way: str) -> None:
    async with serving(lambda visit: visit.answer(b"{}")) as server:
        for _ in range(5):
            await read(upstream, post(server), way=way)
        assert (server.connections, len(server.seen)) == (1, 5)


async def test_chunks_arrive_one_by_one_while_the_stream_is_open(upstream: Plug) -> None:
    seen = asyncio.Event()

    async def handler(visit: Visit) -> None:
        await visit.write(CHUNKED)
        await visit.chunk(b"data: 1\n\n")
        await seen.wait()
        await visit.chunk(b"data: 2\n\n")
        await visit.write(b"0\r\n\r\n")

    async with serving(handler) as server, upstream.send(post(server)) as response:
        chunks = aiter(response.chunks())
        assert await anext(chunks) == b"data: 1\n\n"
        seen.set()
        assert [chunk async for chunk in chunks] == [b"data: 2\n\n"]


async def test_a_client_that_leaves_a_stream_ends_the_call(upstream: Plug) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(CHUNKED)
        await visit.chunk(b"data: 1\n\n")
        await asyncio.sleep(30)

    async with serving(handler) as server:
        async with upstream.send(post(server)) as response:
            await anext(aiter(response.chunks()))
        await asyncio.wait_for(server.left.wait(), 2)


async def test_a_cancelled_wait_for_the_head_ends_the_call(upstream: Plug, *, way: str) -> None:
    async with serving(lambda _: asyncio.sleep(30)) as server:
        waiting = asyncio.ensure_future(read(upstream, post(server, read=60), way=way))
        await asyncio.wait_for(server.asked.wait(), 2)
        waiting.cancel()
        await asyncio.wait_for(server.left.wait(), 2)
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()


async def test_a_host_that_refuses_is_unreachable(upstream: Plug, *, way: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert (await refused(upstream, post(url), way=way)).status == 502


async def test_a_host_without_a_name_is_unreachable(upstream: Plug) -> None:
    assert (await refused(upstream, post("http://nowhere.invalid/"))).status == 502


async def test_a_silent_host_is_too_slow(upstream: Plug, *, way: str) -> None:
    async with serving(lambda _: asyncio.sleep(30)) as server:
        started = time.monotonic()
        fault = await refused(upstream, post(server, read=0.2), way=way)
    assert (fault.status, fault.code) == (504, "timeout")
    assert time.monotonic() - started < 20


async def test_a_stream_that_stalls_is_too_slow(upstream: Plug, *, way: str) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(CHUNKED)
        await visit.chunk(b"data: 1\n\n")
        await asyncio.sleep(30)

    async with serving(handler) as server:
        assert (await refused(upstream, post(server, read=0.2), way=way)).status == 504


async def test_a_slow_but_steady_stream_outlives_the_read_timeout(upstream: Plug, *, way: str) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(CHUNKED)
        for _ in range(6):
            await asyncio.sleep(0.1)
            await visit.chunk(b".")
        await visit.write(b"0\r\n\r\n")

    async with serving(handler) as server:
        assert await read(upstream, post(server, read=0.4), way=way) == (200, b"......")


@pytest.mark.parametrize("head", [CHUNKED, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"])
async def test_half_an_answer_is_a_fault(upstream: Plug, *, way: str, head: bytes) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(head + b"9\r\ndata: 1\n\n\r\n")
        visit.writer.close()

    async with serving(handler) as server:
        assert (await refused(upstream, post(server), way=way)).status == 502


async def test_words_that_are_no_http_are_a_fault(upstream: Plug) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"220 mail ready\r\n\r\n")
        visit.writer.close()

    async with serving(handler) as server:
        assert (await refused(upstream, post(server))).status == 502


async def test_a_fault_names_neither_host_nor_token(upstream: Plug) -> None:
    fault = await refused(upstream, post("http://tenant-secret.invalid/"))
    assert "tenant-secret" not in fault.message
    assert "Bearer" not in fault.message


async def test_a_hundred_calls_run_at_once(upstream: Plug) -> None:
    both = asyncio.Barrier(100)

    async def handler(visit: Visit) -> None:
        await both.wait()
        await visit.answer(b"{}")

    async with serving(handler) as server:
        answers = await asyncio.gather(*(read(upstream, post(server)) for _ in range(100)))
    assert answers == [(200, b"{}")] * 100
