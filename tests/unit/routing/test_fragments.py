"""A snapshot too large for one document: cut so that a change writes one part, and read so that it fetches one."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tuneway.access.keys import Grant, Scope
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, TryLater
from tuneway.ports import Document, Documents, Key, Put, Query, SnapshotPart
from tuneway.routing import fragments
from tuneway.routing.fragments import LARGEST_PART, WHOLE, Asleep, Snapshot, cut, from_json, joined
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import PARTS, SNAPSHOT, change, current

GRANT = Grant(owner="shop", scopes=(Scope.PREDICT,), created_at=1.0)


def route(alias: str, *, size: int = 100) -> Route:
    return Route(alias=alias, targets=(Target(resource="projects/p/x" + "y" * size),), created_at=1.0, version=1)


def large(number: int = 2_000, *, size: int = 400) -> Snapshot:
    return Snapshot(
        version=7,
        routes={f"route-{n}": route(f"route-{n}", size=size) for n in range(number)},
        keys={f"{n:064x}": GRANT for n in range(number)},
        places={f"us/endpoints/{n}": "acme" for n in range(number)},
        asleep={f"us/endpoints/{n}": Asleep(seconds=300.0) for n in range(0, number, 50)},
    )


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


def filled(documents: Documents, snapshot: Snapshot) -> Snapshot:
    return change(documents, lambda before: msgspec.structs.replace(snapshot, version=before.version))


def parts(documents: Documents) -> list[Document]:
    return documents.find(Query(collection=PARTS))


def test_a_small_one_stays_whole() -> None:
    assert cut(large(10), before=0) == []


def test_a_large_one_is_cut_into_parts_of_a_fit_size_and_joined_again() -> None:
    bodies = cut(large(), before=0)
    assert 8 <= len(bodies) <= 64
    assert max(map(len, bodies)) < 4 * fragments.AIM
    assert joined([from_json(body) for body in bodies], version=7) == large()


def test_a_change_changes_one_part_of_them() -> None:
    bodies = cut(large(), before=0)
    after = cut(large().with_route(route("route-3", size=9)), before=len(bodies))
    assert len(after) == len(bodies)
    assert sum(one != other for one, other in zip(bodies, after, strict=True)) == 1


def test_what_grows_is_cut_finer_and_what_shrinks_is_whole_again() -> None:
    count = len(cut(large(), before=0))
    assert len(cut(large(6_000), before=count)) > count
    assert cut(large(10), before=count) == []
    assert len(cut(large(1_200), before=count)) == count  # it may still swing back


def test_names_that_fall_together_are_dealt_to_more_parts() -> None:
    heavy = Snapshot(routes={f"r{n}": route(f"r{n}", size=300_000) for n in range(12)})
    assert max(map(len, cut(heavy, before=0))) <= LARGEST_PART


def test_one_route_larger_than_a_document_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        cut(Snapshot(routes={"huge": route("huge", size=LARGEST_PART)}), before=0)
    assert (refused.value.code, refused.value.param) == ("snapshot_too_large", "alias")
    assert "The route 'huge' would have" in refused.value.message
    assert f"may have about {LARGEST_PART:,}" in refused.value.message


def test_more_than_a_commit_holds_is_refused_and_the_last_one_stays(documents: SqliteDocuments) -> None:
    filled(documents, large(20))
    with pytest.raises(BadInput) as refused:
        filled(documents, large(20, size=500_000))
    assert "Take away routes and keys" in refused.value.message
    assert current(documents).routes == filled(documents, large(20)).routes


def test_the_state_holds_the_parts_and_gives_the_same_back(documents: SqliteDocuments) -> None:
    written = filled(documents, large(1_500))
    assert current(documents) == written
    assert len(str(documents.get(SNAPSHOT))) < WHOLE // 8
    assert len(parts(documents)) > 1


def test_a_change_writes_the_head_and_one_part(documents: SqliteDocuments) -> None:
    filled(documents, large(1_500))
    before = {part.key.id: part.version for part in parts(documents)}
    change(documents, lambda snapshot: snapshot.with_key("new", GRANT))
    after = {part.key.id: part.version for part in parts(documents)}
    assert sum(before[id_] != after[id_] for id_ in before) == 1
    assert "new" in current(documents).keys


def test_parts_that_are_needed_no_more_are_gone(documents: SqliteDocuments) -> None:
    filled(documents, large(1_500))
    written = filled(documents, large(5))
    assert parts(documents) == []
    assert current(documents) == written


class Counting:
    """The plug, with what was fetched; ``during`` happens once, between the head and the parts."""

    def __init__(self, path: Path) -> None:
        self.inner = SqliteSnapshots(path)
        self.fetched: list[int] = []
        self.during = iter(list[Route]())
        self.documents = SqliteDocuments(path)

    async def read(self, version: int | None) -> bytes | None:
        return await self.inner.read(version)

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        for late in self.during:
            change(self.documents, partial(Snapshot.with_route, route=late))
            break
        self.fetched += numbers
        return await self.inner.parts(numbers)


@pytest.fixture
def snapshots(documents: SqliteDocuments, tmp_path: Path) -> Counting:
    filled(documents, large(1_500))
    return Counting(tmp_path / "state.sqlite")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def live(snapshots: Counting, told: list[str]) -> LiveSnapshot:
    return LiveSnapshot(snapshots, Freshness(refresh=60.0), report=told.append)


async def test_an_instance_puts_the_parts_together(live: LiveSnapshot, documents: SqliteDocuments) -> None:
    assert await live.get() == current(documents)


async def test_after_a_change_it_fetches_one_part(
    live: LiveSnapshot, snapshots: Counting, documents: SqliteDocuments
) -> None:
    await live.get()
    snapshots.fetched.clear()
    change(documents, lambda snapshot: snapshot.with_route(route("new")))
    assert await live.renewed() == current(documents)
    assert len(snapshots.fetched) == 1


async def test_a_part_that_is_written_over_while_it_is_fetched_is_never_mixed_in(
    live: LiveSnapshot, snapshots: Counting, documents: SqliteDocuments
) -> None:
    snapshots.during = iter([route("route-1", size=3), route("route-2", size=3)])
    assert await live.get() == current(documents)


async def test_an_instance_that_never_catches_up_says_so(
    live: LiveSnapshot, snapshots: Counting, told: list[str]
) -> None:
    snapshots.during = iter([route(f"route-{n}", size=3) for n in range(50)])
    with pytest.raises(TryLater):
        await live.get()
    assert "faster than they are read" in told[0]


@pytest.mark.parametrize("broken", ["{", '{"routes": 3}'])
async def test_a_broken_part_leaves_the_last_good_one(
    live: LiveSnapshot, documents: SqliteDocuments, told: list[str], broken: str
) -> None:
    good = await live.get()
    changed = change(documents, lambda snapshot: snapshot.with_route(route("new")))
    (stale,) = [part for part in parts(documents) if part.fields["version"] == changed.version]
    documents.commit(Put(Key(PARTS, stale.key.id), {**stale.fields, "body": broken}))
    assert await live.renewed() is good
    assert "broken" in told[0]
    documents.commit(Put(stale.key, stale.fields))
    assert await live.renewed() == changed


async def test_requests_go_on_while_many_parts_are_read(live: LiveSnapshot) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(other())
    await live.get()
    beside.cancel()
    assert turns > 8
