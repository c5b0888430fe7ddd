"""The tests' own clock: what a busy machine gives to others is no time, and what is waited for is."""

import asyncio
import time

import pytest


def stalled(seconds: float) -> None:
    """As if the process were not let on."""
    time.sleep(seconds)


async def test_a_stall_is_no_time() -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    stalled(0.3)
    assert clock() - began < 0.2


async def test_whoever_is_in_time_stays_so_through_a_stall() -> None:
    asyncio.get_running_loop().call_later(0.05, stalled, 1.0)
    async with asyncio.timeout(0.5):
        await asyncio.sleep(0.2)


async def test_what_is_waited_for_is_time() -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.sleep(0.1)
    assert clock() - began >= 0.1


async def test_who_is_late_by_himself_is_late() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await asyncio.sleep(30)
    assert time.monotonic() - began >= 0.1
