"""The watcher tells of every object under its prefix, once it is whole, until somebody takes the event."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cloudevents.http import from_http

from tests.unit.local.callee import Callee, served
from tuneway.edge.events import Undecodable, stored_object
from tuneway.local.watcher import FINALIZED, Watcher
from tuneway.tuning.watched import StoredObject

Look = Callable[[], None]


@pytest.fixture
def callee() -> Iterator[Callee]:
    with served(Callee()) as found:
        yield found


@pytest.fixture
def watcher(tmp_path: Path, callee: Callee) -> Iterator[Watcher]:
    watcher = Watcher(tmp_path, "gs://bucket/in/", callee.url, headers={"x-tuneway-local": "s"}, interval=0.02)
    with ExitStack() as stack:
        stack.callback(watcher.stop)
        watcher.start()
        yield watcher


def put(folder: Path, name: str, content: str = "x") -> None:
    path = folder / "bucket" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_an_object_is_told_of_as_cloud_storage_does(tmp_path: Path, callee: Callee, watcher: Watcher) -> None:
    put(tmp_path, "out/rows.csv")
    put(tmp_path, "in/a/rows é.csv")
    (call,) = callee.wait(1)
    event = from_http(call.headers, call.body)
    found = stored_object(event)
    assert event["type"] == FINALIZED
    assert call.headers["x-tuneway-local"] == "s"
    assert found.uri == "gs://bucket/in/a/rows é.csv"
    assert found.generation.isdigit()
    assert len(callee.settled(seconds=0.2)) == 1


def test_a_new_content_is_a_new_generation(tmp_path: Path, callee: Callee, watcher: Watcher) -> None:
    put(tmp_path, "in/rows.csv")
    callee.wait(1)
    put(tmp_path, "in/rows.csv", "more")
    first, second = (stored_object(from_http(call.headers, call.body)) for call in callee.wait(2))
    assert int(first.generation) < int(second.generation)


def test_what_is_not_taken_is_told_of_again(tmp_path: Path, callee: Callee, watcher: Watcher) -> None:
    callee.answers = [500, 500, 200]
    put(tmp_path, "in/rows.csv")
    callee.wait(3)
    assert len(callee.settled(seconds=0.2)) == 3


def test_what_still_grows_is_not_told_of(tmp_path: Path, callee: Callee) -> None:
    watcher = Watcher(tmp_path, "gs://bucket/in/", callee.url)
    for size in range(4):
        put(tmp_path, "in/rows.csv", "x" * (size + 1))
        watcher.look()
    assert callee.settled(seconds=0.05) == []
    watcher.look()
    assert len(callee.wait(1)) == 1


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path, callee: Callee, watcher: Watcher) -> None:
    time.sleep(0.1)
    put(tmp_path, "in/rows.csv")
    assert callee.wait(1)


def test_another_event_is_not_taken_for_an_object() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "x", "ce-source": "y"}
    with pytest.raises(Undecodable):
        stored_object(from_http({**headers, "content-type": "application/json"}, b'{"bucket": "b"}'))
    numbered = from_http(
        {**headers, "content-type": "application/json"}, b'{"bucket": "b", "name": "n", "generation": "7", "size": "9"}'
    )
    assert stored_object(numbered) == StoredObject(bucket="b", name="n", generation="7")
