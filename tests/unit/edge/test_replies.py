"""Answers on the wire: who is looked after, from when on, and what is told when all is out."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tuneway.edge.errors import ClientLeft
from tuneway.edge.replies import Lookout, StreamReply, Watch
from tuneway.prediction.events import LiveEvents


class Client:
    """Leaves when it is told to; remembers what it was sent. Like a server, it calls one with its answer gone."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.looked_after = 0
        self._more = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        self.looked_after += 1
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        async with self._more:
            self.sent.append(message)
            self._more.notify_all()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.gone.set()

    async def got(self, count: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: len(self.sent) >= count)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def watched(client: Client, seconds: float, lookout: Lookout | None = None) -> None:
    with Watch(client.receive, lookout):
        await asyncio.sleep(seconds)


async def test_a_client_that_leaves_ends_the_block() -> None:
    client = Client()
    client.gone.set()
    with pytest.raises(ClientLeft):
        await watched(client, 30)


async def test_a_watch_that_is_over_is_no_garbage() -> None:
    """With a thousand streams, to look for garbage is what makes them stand still."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(3):
            await watched(Client(), 0.001)
        await asyncio.sleep(0.01)
        gc.collect()
        left = [found for found in gc.garbage if isinstance(found, Watch)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert left == []


async def test_a_short_answer_is_not_looked_after() -> None:
    client, lookout = Client(), Lookout(after=0.05)
    for _ in range(3):
        await watched(client, 0.001, lookout)
    await asyncio.sleep(0.1)
    assert client.looked_after == 0


async def test_a_long_answer_is_looked_after_among_many_short_ones() -> None:
    leaving, staying, lookout = Client(), Client(), Lookout(after=0.03)
    long = asyncio.create_task(watched(leaving, 30, lookout))
    for _ in range(5):
        await watched(staying, 0.001, lookout)
    leaving.gone.set()
    with pytest.raises(ClientLeft):
        await asyncio.wait_for(long, 5)
    assert (leaving.looked_after, staying.looked_after) == (1, 0)


async def test_each_answer_is_looked_after_in_its_own_time() -> None:
    first, second, lookout = Client(), Client(), Lookout(after=0.05)
    one = asyncio.create_task(watched(first, 0.4, lookout))
    await asyncio.sleep(0.03)
    two = asyncio.create_task(watched(second, 0.4, lookout))
    await asyncio.sleep(0.035)
    assert (first.looked_after, second.looked_after) == (1, 0)
    await asyncio.gather(one, two)
    assert (first.looked_after, second.looked_after) == (1, 1)


async def test_a_lookout_without_a_task_has_no_timer_left() -> None:
    lookout = Lookout(after=0.01)
    await watched(Client(), 0.0, lookout)
    await asyncio.sleep(0.03)
    await watched(Client(), 0.0, lookout)
    await asyncio.sleep(0.03)
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_somebody_elses_cancellation_is_not_a_client_that_left() -> None:
    task = asyncio.create_task(watched(Client(), 30))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class Told:
    """What a stream said at its end, and whether its source was closed."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str | None]] = []
        self.closed = False

    def __call__(self, status: int, fault: str | None) -> None:
        self.ends.append((status, fault))

    async def events(self, *pieces: bytes, wait: float = 0.0) -> AsyncGenerator[bytes, None]:
        try:
            for piece in pieces:
                yield piece
                await asyncio.sleep(wait)
        finally:
            self.closed = True


async def sent(client: Client, told: Told, events: AsyncGenerator[bytes, None]) -> None:
    await StreamReply(b"1", LiveEvents(lambda _: events), ended=told, mark=b"end")({}, client.receive, client.send)


async def test_a_whole_stream_is_told_as_one() -> None:
    client, told = Client(), Told()
    await sent(client, told, told.events(b"2", b"end"))
    assert (client.body, told.ends, told.closed) == (b"12end", [(200, None)], True)


async def test_a_stream_without_its_mark_broke() -> None:
    client, told = Client(), Told()
    await sent(client, told, told.events(b"2"))
    assert told.ends == [(200, "upstream_broke")]


async def test_a_first_piece_may_be_the_last() -> None:
    client, told = Client(), Told()
    await StreamReply(b"end", LiveEvents(lambda _: told.events()), ended=told, mark=b"end")(
        {}, client.receive, client.send
    )
    assert (client.body, told.ends) == (b"end", [(200, None)])


async def test_a_client_that_leaves_a_stream_closes_its_source() -> None:
    client, told = Client(), Told()
    sending = asyncio.create_task(sent(client, told, told.events(b"2", b"end", wait=30)))
    await client.got(3)
    client.gone.set()
    await asyncio.wait_for(sending, 5)
    assert (told.ends, told.closed, client.body) == ([(499, "client_left")], True, b"12")


async def test_a_client_that_leaves_at_the_mark_has_got_all_of_it() -> None:
    client, told = Client(), Told()
    sending = asyncio.create_task(sent(client, told, told.events(b"end", wait=30)))
    await client.got(3)
    client.gone.set()
    await asyncio.wait_for(sending, 5)
    assert (told.ends, told.closed, client.body) == ([(200, None)], True, b"1end")


async def test_a_client_that_takes_nothing_and_leaves_ends_the_stream() -> None:
    client, told = Client(), Told()

    async def stuck(message: Any) -> None:
        await client.send(message)
        if message.get("body") == b"2":
            await asyncio.sleep(30)

    reply = StreamReply(b"1", LiveEvents(lambda _: told.events(b"2", b"end")), ended=told, mark=b"end")
    sending = asyncio.ensure_future(reply({}, client.receive, stuck))
    await client.got(3)
    assert reply.open == {reply}
    client.gone.set()
    await asyncio.wait_for(sending, 5)
    assert (told.ends, told.closed, reply.open) == ([(499, "client_left")], True, set())


async def test_a_fault_of_ours_is_not_told_as_a_client_that_left() -> None:
    client, told = Client(), Told()

    async def faulty() -> AsyncGenerator[bytes, None]:
        yield b"2"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sent(client, told, faulty())
    assert (client.body, told.ends) == (b"12", [(200, "internal_error")])


async def test_a_stream_whose_closing_is_cancelled_is_told_all_the_same() -> None:
    client, told = Client(), Told()

    async def clinging() -> AsyncGenerator[bytes, None]:
        try:
            yield b"2"
        finally:
            await asyncio.sleep(30)

    async def stuck(message: Any) -> None:
        await client.send(message)
        if message.get("body") == b"2":
            await asyncio.sleep(30)

    reply = StreamReply(b"1", LiveEvents(lambda _: clinging()), ended=told, mark=b"end")
    sending = asyncio.ensure_future(reply({}, client.receive, stuck))
    await client.got(3)
    for _ in range(2):
        sending.cancel()
        await asyncio.sleep(0.01)
    assert (sending.cancelled(), told.ends) == (True, [(499, "client_left")])
