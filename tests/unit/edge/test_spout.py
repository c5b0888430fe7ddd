"""A coroutine begun outside of any task: done at once, or left for a task to go on with."""

import asyncio
from typing import Any

import pytest

from tuneway.edge.spout import Spout, begun


async def done() -> None:
    pass


async def test_what_comes_to_its_end_at_once_leaves_nothing_to_wait_for() -> None:
    assert begun(done()) is None


async def test_what_waits_is_gone_on_with_where_it_was() -> None:
    gate, told = asyncio.Event(), list[str]()

    async def waiting() -> None:
        told.append("begun")
        await gate.wait()
        await asyncio.sleep(0)
        told.append("over")

    rest = begun(waiting())
    assert (told, rest is not None) == (["begun"], True)
    asyncio.get_running_loop().call_later(0.01, gate.set)
    assert rest is not None
    await rest
    assert told == ["begun", "over"]


async def test_what_had_to_wait_may_be_over_before_anybody_awaits_it() -> None:
    gate = asyncio.Event()

    async def waiting() -> None:
        await gate.wait()

    rest = begun(waiting())
    gate.set()
    await asyncio.sleep(0)
    assert rest is not None
    await asyncio.wait_for(rest, 1)


async def test_a_fault_is_raised_at_once_or_where_it_is_awaited() -> None:
    async def failing(*, first: float | None) -> None:
        if first is not None:
            await asyncio.sleep(first)
        raise LookupError

    with pytest.raises(LookupError):
        begun(failing(first=None))
    rest = begun(failing(first=0.001))
    assert rest is not None
    with pytest.raises(LookupError):
        await rest


async def test_whoever_awaits_the_rest_can_be_cancelled() -> None:
    ended: list[bool] = []

    async def waiting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    rest = begun(waiting())
    assert rest is not None
    task = asyncio.ensure_future(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_a_spout_sends_events_as_pieces_of_a_body_and_remembers_the_last() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    spout = Spout(send, b"0")
    assert spout.last == b"0"
    assert spout.take(b"1") is None
    assert (spout.last, sent) == (b"1", [{"type": "http.response.body", "body": b"1", "more_body": True}])
