"""Several calls for one request: what comes when, who waits for whom, and nobody is left behind."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneway.ports import Take
from tuneway.prediction.outlet import Outlet
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


class Stream:
    """Gives three pieces to whoever takes them, each ``pause`` turns of the loop after the last."""

    def __init__(self, name: str, *, fails: bool = False, pause: int = 1) -> None:
        self.name = name
        self.given = 0
        self.begun = self.closed = False
        self._fails = fails
        self._pause = pause

    async def __call__(self, take: Take) -> None:
        self.begun = True
        try:
            for _ in range(3):
                await turns(self._pause)
                held = take(f"{self.name}{self.given} ".encode())
                self.given += 1
                if held is not None:
                    await held
            if self._fails:
                raise ValueError(self.name)
        finally:
            self.closed = True


class Reader:
    """Takes what an outlet gives; it has to be waited for ``slow`` turns of the loop."""

    def __init__(self, slow: int = 0) -> None:
        self.told = b""
        self.slow = slow
        self._busy = False

    def take(self, piece: bytes) -> Awaitable[None] | None:
        assert not self._busy
        self.told += piece
        return self._rest() if self.slow else None

    async def _rest(self) -> None:
        self._busy = True
        await turns(self.slow)
        self._busy = False


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def of(name: str, told: bytes) -> list[str]:
    return [piece for piece in told.decode().split() if piece.startswith(name)]


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


async def test_pieces_of_all_streams_arrive_each_streams_in_its_order() -> None:
    told = b"".join([piece async for piece in as_they_come([Stream("a"), Stream("b", pause=2)], Outlet())])
    assert (of("a", told), of("b", told)) == (["a0", "a1", "a2"], ["b0", "b1", "b2"])


async def test_a_stream_waits_until_its_piece_is_taken() -> None:
    streams = [Stream("a"), Stream("b")]
    async with aclosing(as_they_come(streams, Outlet())) as pieces:
        await anext(pieces)
        await turns(20)
        assert [stream.given for stream in streams] == [2, 2]


async def test_a_stream_that_fails_ends_all_after_what_it_said() -> None:
    streams = [Stream("a", fails=True), Stream("b", pause=50)]
    told = b""
    with pytest.raises(ValueError, match="a"):  # noqa: PT012  (what came before it counts)
        async for piece in as_they_come(streams, Outlet()):
            told += piece
    assert (of("a", told), [stream.closed for stream in streams]) == (["a0", "a1", "a2"], [True, True])


async def test_a_fault_is_told_however_late_the_reader_asks() -> None:
    async with aclosing(as_they_come([Stream("a", fails=True)], Outlet())) as pieces:
        for _ in range(3):
            await anext(pieces)
            await turns(20)
        with pytest.raises(ValueError, match="a"):
            await anext(pieces)


async def test_a_reader_who_leaves_closes_every_stream() -> None:
    streams = [Stream("a"), Stream("b")]
    async with aclosing(as_they_come(streams, Outlet())) as pieces:
        await anext(pieces)
    assert [stream.closed for stream in streams] == [True, True]


@given(opened_after=st.integers(0, 4), slow=st.integers(0, 3), pauses=st.tuples(*[st.integers(0, 4)] * 3))
@settings(max_examples=100, deadline=None)
def test_an_open_outlet_gets_the_rest_one_after_the_other(
    opened_after: int, slow: int, pauses: tuple[int, ...]
) -> None:
    asyncio.run(_poured(opened_after, Reader(slow), pauses))


async def _poured(opened_after: int, reader: Reader, pauses: tuple[int, ...]) -> None:
    outlet, before = Outlet(), b""
    streams = [Stream(name, pause=pause) for name, pause in zip("abc", pauses, strict=True)]
    async with aclosing(as_they_come(streams, outlet)) as pieces:
        for _ in range(opened_after):
            before += await anext(pieces, b"")
            await turns(pauses[0])
        outlet.give = reader.take
        assert [piece async for piece in pieces] == []
    for name in "abc":
        assert of(name, before + reader.told) == [f"{name}0", f"{name}1", f"{name}2"]


async def test_a_fault_comes_after_all_that_an_open_outlet_was_to_get() -> None:
    outlet, reader = Outlet(), Reader(slow=5)
    outlet.give = reader.take
    with pytest.raises(ValueError, match="b"):
        [piece async for piece in as_they_come([Stream("a"), Stream("b", fails=True)], outlet)]
    assert of("b", reader.told) == ["b0", "b1", "b2"]


@pytest.mark.parametrize("after", range(8))
async def test_nobody_is_left_behind_a_reader_who_never_comes_back(after: int) -> None:
    outlet, reader, streams = Outlet(), Reader(slow=10**9), [Stream("a", pause=2), Stream("b")]
    outlet.give = reader.take
    waiting = asyncio.create_task(anext(as_they_come(streams, outlet), None))
    await turns(after)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (waiting.cancelled(), {stream.closed or not stream.begun for stream in streams}) == (True, {True})
    await turns(2)
    assert asyncio.all_tasks() == {asyncio.current_task()}
