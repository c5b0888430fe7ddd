"""A body that is given on while it is read: in order, whole, no faster than it is taken, and with its faults."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from typing_extensions import override

from tests.unit.adapters.upstream_server import Server, Visit, serving
from tuneway.adapters.http1 import FAIR_SHARE, HIGH_WATER, Connection
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.errors import UpstreamError
from tuneway.ports import Pouring, Take, Timeouts, UpstreamRequest

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


@pytest.fixture
async def upstream() -> AsyncIterator[HttptoolsUpstream]:
    plug = HttptoolsUpstream()
    yield plug
    await plug.close()


async def poured(upstream: HttptoolsUpstream, server: Server, take: Take, *, wait: float = 0.0) -> None:
    request = UpstreamRequest(url=server.url + "/x", headers={}, body=b"{}", timeouts=Timeouts(read=2.0))
    async with upstream.send(request) as response:
        chunks = response.chunks()
        assert isinstance(chunks, Pouring)
        await asyncio.sleep(wait)
        await chunks.pour(take)


async def dripping(visit: Visit, *pieces: bytes, end: bytes = END) -> None:
    await visit.write(HEAD)
    for piece in pieces:
        await visit.chunk(piece)
        await asyncio.sleep(0.01)
    await visit.write(end)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
async def test_any_split_of_the_bytes_is_poured_alike(upstream: HttptoolsUpstream, step: int) -> None:
    answer = HEAD + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"

    async def handler(visit: Visit) -> None:
        for start in range(0, len(answer), step):
            await visit.write(answer[start : start + step])
            await asyncio.sleep(0)

    told: list[bytes] = []
    async with serving(handler) as server:
        await poured(upstream, server, told.append)
    assert b"".join(told) == b"abcde"


async def test_arrivals_are_taken_outside_of_the_task_that_pours(upstream: HttptoolsUpstream) -> None:
    tasks: list[object] = []
    async with serving(lambda visit: dripping(visit, b"a", b"b", b"c")) as server:
        await poured(upstream, server, lambda _: tasks.append(asyncio.current_task()))
    assert tasks[1:] == [None, None]


async def test_whoever_is_held_gets_nothing_until_he_is_free(upstream: HttptoolsUpstream) -> None:
    told: list[bytes] = []
    free = asyncio.Event()

    def take(data: bytes) -> asyncio.Task[bool] | None:
        told.append(data)
        return asyncio.ensure_future(free.wait()) if data == b"b" else None

    async with serving(lambda visit: dripping(visit, b"a", b"b", b"c", b"d")) as server:
        pouring = asyncio.ensure_future(poured(upstream, server, take))
        await asyncio.sleep(0.15)
        assert told == [b"a", b"b"]
        free.set()
        await pouring
    assert b"".join(told) == b"abcd"


async def test_a_host_waits_while_its_reader_is_held(upstream: HttptoolsUpstream) -> None:
    sent = taken = 0
    free = asyncio.Event()

    async def handler(visit: Visit) -> None:
        nonlocal sent
        await visit.write(HEAD)
        for _ in range(1000):
            await visit.chunk(b"x" * 65_536)
            sent += 1
        await visit.write(END)

    def take(data: bytes) -> asyncio.Task[bool] | None:
        nonlocal taken
        taken += len(data)
        return None if free.is_set() else asyncio.ensure_future(free.wait())

    async with serving(handler) as server:
        pouring = asyncio.ensure_future(poured(upstream, server, take))
        await asyncio.sleep(0.3)
        assert sent < 500
        free.set()
        await pouring
    assert taken == 1000 * 65_536


async def test_a_flood_lets_others_have_their_turn(upstream: HttptoolsUpstream) -> None:
    turns, sizes, seen = 0, list[int](), list[int]()

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def take(data: bytes) -> None:
        sizes.append(len(data))
        seen.append(turns)

    async with serving(lambda visit: visit.answer(b"x" * 1_000_000)) as server:
        others = asyncio.create_task(other())
        await poured(upstream, server, take, wait=0.1)
        others.cancel()
    assert (sum(sizes), max(sizes) <= FAIR_SHARE) == (1_000_000, True)
    assert all(later > earlier for earlier, later in pairwise(seen[:5]))


async def test_what_came_before_a_cut_is_poured_before_the_fault(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await dripping(visit, b"a", b"b", end=b"")
        visit.writer.close()

    told: list[bytes] = []
    async with serving(handler) as server:
        with pytest.raises(UpstreamError) as caught:
            await poured(upstream, server, told.append)
    assert (told, caught.value.status) == ([b"a", b"b"], 502)


async def test_words_that_are_no_http_are_a_fault(upstream: HttptoolsUpstream) -> None:
    told: list[bytes] = []
    async with serving(lambda visit: dripping(visit, b"a", end=b"zz\r\n")) as server:
        with pytest.raises(UpstreamError):
            await poured(upstream, server, told.append)
    assert told == [b"a"]


@pytest.mark.parametrize("at", [b"a", b"b", b"c"])
async def test_what_taking_raises_is_raised_where_it_is_poured(upstream: HttptoolsUpstream, at: bytes) -> None:
    def take(data: bytes) -> None:
        if at in data:
            raise LookupError(data)

    async with serving(lambda visit: dripping(visit, b"a", b"b", b"c")) as server:
        with pytest.raises(LookupError):
            await poured(upstream, server, take)


async def test_a_call_that_is_cancelled_while_it_pours_is_ended(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await dripping(visit, b"a", end=b"")
        await asyncio.sleep(30)

    told: list[bytes] = []
    async with serving(handler) as server:
        pouring = asyncio.ensure_future(poured(upstream, server, told.append))
        await asyncio.sleep(0.1)
        pouring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pouring
        await asyncio.wait_for(server.left.wait(), 5)
    assert told == [b"a"]


async def test_a_connection_is_used_again_after_it_poured(upstream: HttptoolsUpstream) -> None:
    told: list[bytes] = []
    async with serving(lambda visit: dripping(visit, b"a", b"b")) as server:
        for _ in range(3):
            await poured(upstream, server, told.append)
        assert (b"".join(told), server.connections) == (b"ababab", 1)


class Silent(asyncio.Transport):
    """Takes whatever is written."""

    @override
    def write(self, data: object) -> None:
        """Say nothing."""


async def test_nothing_more_is_given_to_one_who_has_been_cancelled() -> None:
    told: list[bytes] = []
    connection = Connection(asyncio.get_running_loop())
    connection.connection_made(Silent())
    connection.begin(b"", patience=5.0)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na")
    pouring = asyncio.ensure_future(connection.pour(told.append))
    await asyncio.sleep(0)
    connection.data_received(b"b")
    pouring.cancel()
    connection.data_received(b"c")
    with pytest.raises(asyncio.CancelledError):
        await pouring
    assert told == [b"a", b"b"]
    connection.connection_lost(None)


async def test_a_connection_whose_reading_paused_is_not_used_again(upstream: HttptoolsUpstream) -> None:
    """Nobody would read what it is answered: the next call would wait until its time is up."""
    half = b"x" * (HIGH_WATER - 1)

    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * len(half)))
        for _ in range(2):
            await visit.write(half)
            await asyncio.sleep(0.02)

    async with serving(handler) as server:
        request = UpstreamRequest(url=server.url + "/x", headers={}, body=b"{}", timeouts=Timeouts(read=2.0))
        async with upstream.send(request):
            await asyncio.sleep(0.2)
        async with upstream.send(request) as response:
            assert await response.read() == half * 2
        assert server.connections == 2
