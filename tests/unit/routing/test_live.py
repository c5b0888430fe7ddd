"""The live snapshot: fresh behind the requests, at once for new names, and never lost."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from tuneway.errors import NotFound, TryLater
from tuneway.ports import SnapshotPart
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.routing.snapshot import Snapshot

REFRESH = 0.05


class State:
    """A state that holds a version, and may be away, empty or broken."""

    def __init__(self) -> None:
        self.version = 1
        self.fault: Exception | None = None
        self.broken = False
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, version: int | None) -> bytes | None:
        self.reads += 1
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.broken:
            return b'{"version": "nine"}'
        return None if version == self.version else msgspec.json.encode(Snapshot(version=self.version))

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        raise AssertionError(f"This snapshot has no parts, not even {numbers}.")


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def live(state: State, told: list[str]) -> LiveSnapshot:
    freshness = Freshness(refresh=REFRESH, linger=0.3, patience=0.5)
    return LiveSnapshot(state, freshness, report=told.append, clock=lambda: asyncio.get_running_loop().time())


async def version(live: LiveSnapshot) -> int:
    return (await live.get()).version


async def test_many_first_requests_wait_for_one_read(live: LiveSnapshot, state: State) -> None:
    assert set(await asyncio.gather(*(version(live) for _ in range(20)))) == {1}
    assert state.reads == 1


async def test_a_change_is_live_two_looks_later_without_a_wait(live: LiveSnapshot, state: State) -> None:
    await version(live)
    state.version = 2
    seen = []
    for _ in range(12):
        state.gate.clear()  # a request that waited for the state now would hang
        seen.append(await asyncio.wait_for(version(live), 0.2))
        state.gate.set()
        await asyncio.sleep(REFRESH / 4)
    assert seen[0] == 1
    assert seen[-1] == 2


async def test_reads_follow_the_clock_and_not_the_requests(live: LiveSnapshot, state: State) -> None:
    began = asyncio.get_running_loop().time()
    for _ in range(200):
        await version(live)
        await asyncio.sleep(REFRESH / 50)
    assert state.reads <= 2 + (asyncio.get_running_loop().time() - began) / REFRESH


async def test_an_instance_nobody_asks_stops_looking(live: LiveSnapshot, state: State) -> None:
    await version(live)
    await asyncio.sleep(0.45)
    reads = state.reads
    await asyncio.sleep(0.2)
    assert state.reads == reads


async def test_a_request_after_a_sleep_waits_for_the_news(live: LiveSnapshot, state: State) -> None:
    await version(live)
    await asyncio.sleep(0.6)
    state.version = 2
    assert await version(live) == 2


async def test_it_waits_no_longer_than_its_patience(live: LiveSnapshot, state: State) -> None:
    await version(live)
    await asyncio.sleep(0.6)
    state.gate.clear()
    assert await asyncio.wait_for(version(live), 1.0) == 1
    state.gate.set()


async def test_a_forced_look_sees_what_is_there_now(live: LiveSnapshot, state: State) -> None:
    await version(live)
    state.version = 2
    assert (await live.renewed()).version == 2


async def test_a_forced_look_is_later_than_one_under_way(live: LiveSnapshot, state: State) -> None:
    await version(live)
    state.gate.clear()
    early = asyncio.ensure_future(live.renewed())
    await asyncio.sleep(0.01)
    late = asyncio.ensure_future(live.renewed())
    state.gate.set()
    await asyncio.gather(early, late)
    assert state.reads == 3


async def test_a_flood_of_unknown_names_costs_few_reads(live: LiveSnapshot, state: State) -> None:
    await version(live)
    await asyncio.gather(*(live.renewed() for _ in range(500)))
    for _ in range(4):
        await live.renewed()
    started = asyncio.get_running_loop().time()
    state.reads = 0
    await asyncio.gather(*(live.renewed() for _ in range(500)))
    assert asyncio.get_running_loop().time() - started > 0.3
    assert state.reads < 15


async def test_the_last_good_one_stays_while_the_state_is_away(
    live: LiveSnapshot, state: State, told: list[str]
) -> None:
    await version(live)
    state.fault = TryLater("The state is away.")
    assert (await live.renewed()).version == 1
    assert told == ["The state is away."]


async def test_a_broken_snapshot_is_refused_and_told(live: LiveSnapshot, state: State, told: list[str]) -> None:
    await version(live)
    state.broken = True
    assert (await live.renewed()).version == 1
    assert "broken" in told[0]


async def test_without_any_snapshot_the_caller_tries_later(live: LiveSnapshot, state: State) -> None:
    state.fault = TryLater("The state is away.")
    with pytest.raises(TryLater):
        await live.get()
    state.fault = None
    assert (await live.renewed()).version == 1


async def test_a_state_without_routes_is_an_empty_snapshot(live: LiveSnapshot, state: State) -> None:
    state.fault = NotFound("There are no routes yet.")
    assert await live.get() == Snapshot()


async def test_a_fault_without_a_name_does_not_stop_the_looking(live: LiveSnapshot, state: State) -> None:
    await version(live)
    state.fault = RuntimeError("a bug")
    await live.renewed()
    state.fault = None
    state.version = 2
    assert (await live.renewed()).version == 2
