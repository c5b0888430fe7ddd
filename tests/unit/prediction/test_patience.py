"""How long arrivals are waited for: from one to the next, and in all; a slow reader's time is not the host's."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator

import pytest
from typing_extensions import override

from tuneway.errors import UpstreamError
from tuneway.ports import Pouring, Take
from tuneway.prediction.journey import Journey
from tuneway.prediction.patience import Patience
from tuneway.routing.routes import Limits, Route

LONG = 30.0


def journey(*, between: float | None = None, left: float | None = None) -> Journey:
    made = Journey(Route(alias="m", targets=(), created_at=0.0, timeouts=Limits(between=between)))
    made.ends_at = None if left is None else asyncio.get_running_loop().time() + left
    return made


async def arriving(*pauses: float) -> AsyncIterator[bytes]:
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        yield b"%d" % number


class Poured(Pouring):
    """Arrivals that can be given on while they come."""

    def __init__(self, arrivals: AsyncIterator[bytes]) -> None:
        self._arrivals = arrivals

    @override
    async def __anext__(self) -> bytes:
        return await anext(self._arrivals)

    @override
    async def pour(self, take: Take) -> None:
        async for data in self._arrivals:
            if (held := take(data)) is not None:
                await held


@pytest.fixture(params=["one by one", "poured", "poured one by one"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """How the arrivals after the first are taken."""
    WAYS.append(request.param)
    yield
    WAYS.clear()


WAYS: list[str] = []


async def taken(told: list[bytes], arrivals: AsyncIterator[bytes], limits: Journey, *, reading: float = 0.0) -> None:
    def take(data: bytes) -> Coroutine[object, object, None] | None:
        told.append(data)
        return asyncio.sleep(reading) if reading else None

    patience = Patience(limits, Poured(arrivals) if WAYS == ["poured"] else arrivals)
    with patience as waited_for:
        async for data in waited_for:
            told.append(data)
            await asyncio.sleep(reading)
            if WAYS != ["one by one"]:
                await patience.pour(take)


async def test_without_limits_arrivals_are_as_they_were() -> None:
    arrivals = arriving()
    with Patience(journey(), arrivals) as waited_for:
        assert waited_for is arrivals


async def test_a_host_that_stops_between_two_arrivals_is_too_slow() -> None:
    told: list[bytes] = []
    with pytest.raises(UpstreamError) as caught:
        await taken(told, arriving(0, 0, LONG), journey(between=0.03))
    assert (told, caught.value.status, caught.value.code) == ([b"0", b"1"], 504, "timeout")


async def test_the_first_arrival_has_more_time_than_the_others() -> None:
    told: list[bytes] = []
    await taken(told, arriving(0.12, 0.01), journey(between=0.06))
    assert told == [b"0", b"1"]


async def test_many_arrivals_in_time_take_longer_together_than_one_may() -> None:
    told: list[bytes] = []
    await taken(told, arriving(*[0.01] * 12), journey(between=0.08))
    assert len(told) == 12


async def test_the_call_as_a_whole_ends_in_time() -> None:
    told: list[bytes] = []
    with pytest.raises(UpstreamError):
        await taken(told, arriving(*[0.01] * 1000), journey(between=LONG, left=0.08))
    assert 0 < len(told) < 20


async def test_the_time_between_two_holds_while_the_whole_has_its_own() -> None:
    told: list[bytes] = []
    with pytest.raises(UpstreamError):
        async with asyncio.timeout(LONG / 10):
            await taken(told, arriving(0.07, LONG), journey(between=0.03, left=LONG))
    assert told == [b"0"]


async def test_a_first_arrival_that_never_comes_ends_with_the_call() -> None:
    with pytest.raises(UpstreamError):
        await taken([], arriving(LONG), journey(left=0.03))


async def test_a_slow_readers_time_is_not_the_hosts() -> None:
    told: list[bytes] = []
    await taken(told, arriving(0, 0, 0), journey(between=0.03), reading=0.08)
    assert len(told) == 3


async def test_a_reader_who_leaves_is_not_taken_for_a_slow_host() -> None:
    reading = asyncio.create_task(taken([], arriving(LONG), journey(between=LONG, left=LONG)))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert reading.cancelled()


async def test_the_hosts_own_fault_stays_what_it_is() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"0"
        raise UpstreamError("cut", status=502, kind="server_error")

    with pytest.raises(UpstreamError, match="cut"):
        await taken([], failing(), journey(between=LONG))
