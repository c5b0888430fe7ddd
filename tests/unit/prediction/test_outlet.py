"""An outlet gives on what arrivals come to, and never an error before what came before it."""

import asyncio
import warnings
from collections.abc import Awaitable, Iterable

import pytest

from tuneway.errors import UpstreamError
from tuneway.ports import Take
from tuneway.prediction.outlet import Outlet

FAULT = UpstreamError("cut", status=502, kind="server_error")


def cut(data: bytes) -> list[bytes]:
    return data.split()


def told(events: Iterable[bytes]) -> tuple[bytes, UpstreamError | None]:
    before = list(events)
    faulty = b"!" in before
    return b"".join(before[: before.index(b"!")] if faulty else before), FAULT if faulty else None


class Reader:
    """Takes news, and is slow when it is told to be."""

    def __init__(self, *, slow: bool = False) -> None:
        self.news: list[bytes] = []
        self.rested = False
        self._slow = slow

    def give(self, news: bytes) -> Awaitable[None] | None:
        self.news.append(news)
        return self._rest() if self._slow else None

    async def _rest(self) -> None:
        self.rested = True


def fed(reader: Reader) -> Take:
    outlet = Outlet()
    outlet.give = reader.give
    take = outlet.fed_by(cut, told)
    assert take is not None
    return take


def test_a_closed_outlet_takes_nothing() -> None:
    assert Outlet().fed_by(cut, told) is None


def test_what_arrives_is_given_on() -> None:
    reader = Reader()
    assert fed(reader)(b"a b") is None
    assert reader.news == [b"ab"]


def test_what_comes_to_nothing_is_not_given_on() -> None:
    reader = Reader(slow=True)
    assert fed(reader)(b"  ") is None
    assert reader.news == []


def test_what_came_before_an_error_is_given_on_before_it_is_raised() -> None:
    reader = Reader()
    with pytest.raises(UpstreamError):
        fed(reader)(b"a ! b")
    assert reader.news == [b"a"]


async def test_an_error_waits_for_a_slow_reader() -> None:
    reader = Reader(slow=True)
    held = fed(reader)(b"a !")
    assert held is not None
    assert not reader.rested
    with pytest.raises(UpstreamError):
        await held
    assert reader.rested


async def test_an_error_nobody_waits_for_leaves_no_coroutine_behind() -> None:
    slow = asyncio.get_running_loop().create_future()
    outlet = Outlet()
    outlet.give = lambda _: slow
    take = outlet.fed_by(cut, told)
    assert take is not None
    held = take(b"a !")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        del held
    assert warned == []
