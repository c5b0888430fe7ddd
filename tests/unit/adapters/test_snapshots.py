"""The snapshot's two plugs: only what changed is read, and what cannot be read says so."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tuneway.adapters.google_tokens import StaticTokens
from tuneway.adapters.snapshots_firestore import FirestoreSnapshots
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import NotFound, TryLater
from tuneway.ports import Documents, Key, Put
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change, from_json
from tuneway.settings import Settings

RESOURCE = "projects/p/locations/us-central1/endpoints/1"


def add(documents: Documents, alias: str) -> Snapshot:
    route = Route(alias=alias, targets=(Target(resource=RESOURCE),), created_at=1.0)
    return change(documents, lambda snapshot: snapshot.with_route(route))


async def test_sqlite_gives_what_the_registry_committed(tmp_path: Path) -> None:
    written = add(SqliteDocuments(tmp_path / "state.sqlite"), "shop")
    body = await SqliteSnapshots(tmp_path / "state.sqlite").read(None)
    assert body is not None
    assert from_json(body) == written


async def test_sqlite_gives_nothing_while_nothing_changes(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    snapshots = SqliteSnapshots(tmp_path / "state.sqlite")
    version = add(documents, "one").version
    assert await snapshots.read(version) is None
    add(documents, "two")
    assert await snapshots.read(version) is not None


async def test_sqlite_without_a_file_has_no_routes_yet_and_makes_none(tmp_path: Path) -> None:
    snapshots = SqliteSnapshots(tmp_path / "state.sqlite")
    with pytest.raises(NotFound):
        await snapshots.read(None)
    assert not (tmp_path / "state.sqlite").exists()
    add(SqliteDocuments(tmp_path / "state.sqlite"), "late")
    assert await snapshots.read(None) is not None


async def test_sqlite_without_tables_has_no_routes_yet(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "state.sqlite").execute("CREATE TABLE other (x)").connection.close()
    with pytest.raises(NotFound):
        await SqliteSnapshots(tmp_path / "state.sqlite").read(None)


async def test_sqlite_without_the_document_has_no_routes_yet(tmp_path: Path) -> None:
    SqliteDocuments(tmp_path / "state.sqlite").commit(Put(Key("jobs", "1"), {}))
    with pytest.raises(NotFound):
        await SqliteSnapshots(tmp_path / "state.sqlite").read(3)


async def test_sqlite_that_is_no_database_is_away(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 100)
    with pytest.raises(TryLater):
        await SqliteSnapshots(tmp_path / "state.sqlite").read(None)


async def test_sqlite_never_writes(tmp_path: Path) -> None:
    add(SqliteDocuments(tmp_path / "state.sqlite"), "one")
    snapshots = SqliteSnapshots(tmp_path / "state.sqlite")
    await snapshots.read(None)
    with pytest.raises(sqlite3.OperationalError):
        snapshots._connected().execute("DELETE FROM documents")  # noqa: SLF001  (the promise itself)


class Firestore:
    """Firestore's REST answer for one document."""

    def __init__(self, *, version: int = 3, body: str = '{"version": 3}') -> None:
        self.version, self.body = version, body
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        known = {"version": {"integerValue": str(self.version)}, "body": {"stringValue": self.body}}
        mask = request.url.params.get_list("mask.fieldPaths")
        document = {"name": "n", "fields": {name: known[name] for name in mask}, "updateTime": "t"}
        return httpx.Response(200, content=json.dumps(document))


PLACE = Settings(project="p")


def firestore(handler: Callable[[httpx.Request], httpx.Response], settings: Settings = PLACE) -> FirestoreSnapshots:
    return FirestoreSnapshots(HttpxUpstream(httpx.MockTransport(handler)), StaticTokens("t"), settings)


async def test_firestore_is_asked_for_the_version_first() -> None:
    server = Firestore()
    assert await firestore(server).read(3) is None
    [asked] = server.asked
    assert asked.url.path == "/v1/projects/p/databases/(default)/documents/snapshots/routes"
    assert asked.url.host == "firestore.googleapis.com"
    assert asked.url.params.get_list("mask.fieldPaths") == ["version"]
    assert asked.headers["authorization"] == "Bearer t"


async def test_firestore_gives_the_body_only_when_it_changed() -> None:
    server = Firestore(version=4, body='{"version": 4}')
    assert await firestore(server).read(3) == b'{"version": 4}'
    masks = [asked.url.params.get_list("mask.fieldPaths") for asked in server.asked]
    assert masks == [["version"], ["version", "body"]]


async def test_the_first_look_takes_one_call() -> None:
    server = Firestore()
    assert await firestore(server).read(None) == b'{"version": 3}'
    assert len(server.asked) == 1


async def test_the_emulator_stands_in_for_firestore() -> None:
    server = Firestore()
    settings = Settings(project="p", firestore_emulator="127.0.0.1:8081", database="other")
    await firestore(server, settings).read(None)
    assert str(server.asked[0].url).startswith("http://127.0.0.1:8081/v1/projects/p/databases/other/documents/")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404), NotFound),
        (httpx.Response(403), TryLater),
        (httpx.Response(503), TryLater),
        (httpx.Response(200, content=b"<html>"), TryLater),
    ],
)
async def test_what_firestore_says_wrong_is_told(answer: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await firestore(lambda _: answer).read(1)


async def test_a_dead_firestore_is_away() -> None:
    def dead(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(TryLater):
        await firestore(dead).read(1)
