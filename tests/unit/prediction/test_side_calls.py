import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import pytest

from tuneway.prediction.side_calls import as_they_come, in_order


class Busy:
    """Calls that note how many of them there are."""

    def __init__(self) -> None:
        self.now = self.most = self.begun = 0

    async def call(self, number: int, *, fails: bool = False) -> int:
        self.begun += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0 if fails else 0.005)
        finally:
            self.now -= 1
        if fails:
            raise ValueError(number)
        return number


async def counting(name: str, *, fails: bool = False, closed: list[str] | None = None) -> AsyncGenerator[str, None]:
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield f"{name}{number}"
        if fails:
            raise ValueError(name)
    finally:
        if closed is not None:
            closed.append(name)


async def test_results_come_in_order_and_few_calls_are_made_at_once() -> None:
    busy = Busy()
    assert await in_order([partial(busy.call, number) for number in range(10)], at_once=3) == list(range(10))
    assert busy.most == 3


async def test_one_that_fails_ends_the_others() -> None:
    busy = Busy()
    calls = [partial(busy.call, number, fails=number == 0) for number in range(10)]
    with pytest.raises(ValueError, match="0"):
        await in_order(calls, at_once=2)
    assert busy.now == 0
    assert busy.begun < 10


async def test_pieces_of_all_streams_arrive_with_their_number() -> None:
    pieces = [piece async for piece in as_they_come([counting("a"), counting("b")])]
    assert [text for number, text in pieces if number == 0] == ["a0", "a1", "a2"]
    assert [text for number, text in pieces if number == 1] == ["b0", "b1", "b2"]


async def test_a_stream_that_fails_ends_all() -> None:
    closed: list[str] = []
    streams = [counting("a", fails=True, closed=closed), counting("b", closed=closed)]
    with pytest.raises(ValueError, match="a"):
        [piece async for piece in as_they_come(streams)]
    assert sorted(closed) == ["a", "b"]


async def test_a_reader_who_leaves_closes_every_stream() -> None:
    closed: list[str] = []
    async with aclosing(as_they_come([counting(name, closed=closed) for name in "ab"])) as pieces:
        await anext(pieces)
    assert sorted(closed) == ["a", "b"]
