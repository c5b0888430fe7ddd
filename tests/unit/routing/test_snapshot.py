"""The snapshot: many writers at once, and none of their changes is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tuneway.access.keys import Grant, Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import AlreadyExists, Conflict
from tuneway.ports import Create, Document, Documents, Key, Query, Replace, Write
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import ATTEMPTS, SNAPSHOT, Snapshot, change, current, from_json

WRITERS = 8
CHANGES = 5


def route(alias: str) -> Route:
    return Route(alias=alias, targets=(Target(resource="projects/p/locations/us/endpoints/1"),), created_at=1.0)


def with_route(alias: str) -> Callable[[Snapshot], Snapshot]:
    return lambda snapshot: snapshot.with_route(route(alias))


class Rivals:
    """Documents into which others write the snapshot first, so many times."""

    def __init__(self, inner: Documents, rivals: int) -> None:
        self.inner = inner
        self.rivals = rivals

    def get(self, key: Key) -> Document | None:
        return self.inner.get(key)

    def find(self, query: Query) -> list[Document]:
        return self.inner.find(query)

    def commit(self, *writes: Write) -> None:
        if self.rivals:
            self.rivals -= 1
            change(self.inner, with_route(f"rival-{self.rivals}"))
        self.inner.commit(*writes)


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


def test_before_the_first_change_it_is_empty(documents: SqliteDocuments) -> None:
    assert current(documents) == Snapshot()


def test_no_change_of_many_threads_is_lost(documents: SqliteDocuments) -> None:
    aliases = [f"route-{n}" for n in range(WRITERS * CHANGES)]
    marks = [f"doc-{n}" for n in range(WRITERS * CHANGES)]

    def put(alias: str, mark: str) -> int:
        return change(documents, with_route(alias), Create(Key("marks", mark), {})).version

    with ThreadPoolExecutor(WRITERS) as pool:
        versions = list(pool.map(_patiently(put), aliases, marks))
    assert set(current(documents).routes) == set(aliases)
    assert sorted(versions) == list(range(1, len(aliases) + 1))
    assert len(documents.find(Query(collection="marks"))) == len(marks)


def _patiently(put: Callable[[str, str], int]) -> Callable[[str, str], int]:
    """A caller's own retries, for the one that twenty others outran."""

    def again(alias: str, mark: str) -> int:
        while True:
            try:
                return put(alias, mark)
            except AlreadyExists:
                raise
            except Conflict:
                continue

    return again


def test_a_change_that_is_outrun_is_made_again_over_the_newer_snapshot(documents: SqliteDocuments) -> None:
    after = change(Rivals(documents, rivals=3), with_route("mine"))
    assert after == current(documents)
    assert (after.version, set(after.routes)) == (4, {"mine", "rival-0", "rival-1", "rival-2"})


def test_a_change_that_is_always_outrun_gives_up_and_leaves_nothing(documents: SqliteDocuments) -> None:
    with pytest.raises(Conflict):
        change(Rivals(documents, rivals=ATTEMPTS), with_route("mine"), Create(Key("marks", "1"), {}))
    assert "mine" not in current(documents).routes
    assert documents.get(Key("marks", "1")) is None


def test_a_stale_write_beside_it_fails_the_whole_change(documents: SqliteDocuments) -> None:
    documents.commit(Create(Key("marks", "1"), {}))
    with pytest.raises(AlreadyExists):
        change(documents, with_route("mine"), Create(Key("marks", "1"), {}))
    with pytest.raises(Conflict):
        change(documents, with_route("mine"), Replace(Key("marks", "1"), {}, "999"))
    assert documents.get(SNAPSHOT) is None


def test_it_survives_its_json() -> None:
    grant = Grant(owner="shop", scopes=(Scope.PREDICT,), created_at=1.0)
    full = Snapshot(version=3).with_route(route("a")).with_key("f" * 64, grant)
    assert from_json(msgspec.json.encode(full)) == full
    assert full.without_route("a").without_key("f" * 64) == Snapshot(version=3)
    assert full.without_route("none").without_key("none") == full


def test_a_change_leaves_the_snapshot_it_was_made_of_as_it_was() -> None:
    before = Snapshot(routes={"a": route("a")})
    before.with_route(route("b"))
    before.without_route("a")
    assert set(before.routes) == {"a"}
