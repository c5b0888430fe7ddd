"""A crowd is let in a few at a time, in its order; whoever comes alone waits for nothing."""

import asyncio
from itertools import pairwise

import pytest

from tuneway.edge.turnstile import Turnstile


async def entered(turnstile: Turnstile, log: list[int], number: int) -> None:
    if (turn := turnstile.entry()) is not None:
        await turn
    log.append(number)


async def turns() -> None:
    await asyncio.sleep(0)


async def test_whoever_comes_alone_waits_for_nothing() -> None:
    turnstile = Turnstile(a_turn=2, streams=["one"])
    for _ in range(3):
        assert turnstile.entry() is None
        await turns()
        await turns()


async def test_while_no_stream_is_open_nobody_waits() -> None:
    streams = list[str]()
    turnstile = Turnstile(a_turn=1, streams=streams)
    assert [turnstile.entry() for _ in range(5)] == [None] * 5
    streams.append("one")
    assert turnstile.entry() is None
    assert turnstile.entry() is not None


async def test_whoever_waits_is_let_in_when_the_last_stream_has_ended() -> None:
    streams, log = ["one"], list[int]()
    turnstile = Turnstile(a_turn=1, streams=streams)
    crowd = [asyncio.create_task(entered(turnstile, log, number)) for number in range(3)]
    await turns()
    streams.clear()
    crowd.append(asyncio.create_task(entered(turnstile, log, 3)))
    await asyncio.gather(*crowd)
    assert log == [0, 1, 2, 3]


async def test_a_crowd_is_let_in_by_turns_and_in_its_order() -> None:
    turnstile, log, seen = Turnstile(a_turn=3, streams=["one"]), list[int](), list[int]()
    crowd = [asyncio.create_task(entered(turnstile, log, number)) for number in range(10)]
    while not all(task.done() for task in crowd):
        await turns()
        seen.append(len(log))
    assert log == list(range(10))
    assert max(later - before for before, later in pairwise(seen)) == 3


async def test_others_have_their_turn_in_between() -> None:
    turnstile, log, ticks = Turnstile(a_turn=1, streams=["one"]), list[int](), 0
    crowd = [asyncio.create_task(entered(turnstile, log, number)) for number in range(20)]
    while not crowd[-1].done():
        ticks += 1
        await turns()
    assert ticks >= 19


async def test_whoever_comes_late_does_not_overtake() -> None:
    turnstile, log = Turnstile(a_turn=1, streams=["one"]), list[int]()
    crowd = [asyncio.create_task(entered(turnstile, log, number)) for number in range(3)]
    await turns()
    crowd.append(asyncio.create_task(entered(turnstile, log, 3)))
    await asyncio.gather(*crowd)
    assert log == [0, 1, 2, 3]


async def test_whoever_leaves_while_waiting_keeps_nobody_out() -> None:
    turnstile, log = Turnstile(a_turn=1, streams=["one"]), list[int]()
    crowd = [asyncio.create_task(entered(turnstile, log, number)) for number in range(4)]
    await turns()
    crowd[1].cancel()
    await asyncio.gather(crowd[0], crowd[2], crowd[3])
    with pytest.raises(asyncio.CancelledError):
        await crowd[1]
    assert log == [0, 2, 3]


async def test_when_the_crowd_is_through_no_timer_is_left() -> None:
    turnstile = Turnstile(a_turn=1, streams=["one"])
    await asyncio.gather(*(entered(turnstile, [], number) for number in range(5)))
    await turns()
    await turns()
    assert turnstile.entry() is None
