"""What is put under the prefix is linted once for each generation, and announced until the bus has it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fakes import FakeEvents, Fuse
from tuneway.adapters import plugs
from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import NotFound, TryLater
from tuneway.ports import Topic
from tuneway.state import Collection
from tuneway.tuning.watched import Lint, StoredObject, WatchedFiles, key

FOUND = StoredObject(bucket="bucket-1", name="datasets/rows.csv", generation="7")
ROWS = b"question,answer\nWhat is 1 + 1?,2\n"


class Place:
    """A watched bucket with one object."""

    def __init__(self, folder: Path) -> None:
        self.documents = SqliteDocuments(folder / "state.sqlite")
        self.files = LocalFiles(folder / "objects")
        self.events = FakeEvents(Fuse())
        self.lints = Collection(self.documents, "lints", Lint)
        self.put(FOUND, ROWS)

    def put(self, found: StoredObject, content: bytes) -> None:
        with self.files.write(found.uri) as file:
            file.write(content)

    def tell(self, found: StoredObject, prefix: str | None = "gs://bucket-1/datasets/") -> None:
        watched = WatchedFiles(
            self.documents, self.events, self.files, prefix=prefix, tables=plugs.tables, now=lambda: 1.0
        )
        watched(found)

    def kept(self) -> Lint:
        return self.lints.get(key(FOUND.uri)).value

    def announced(self) -> list[dict[str, object]]:
        return [msgspec.json.decode(message.data) for message in self.events.sent]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.documents.close()


def test_an_object_is_linted_and_announced(place: Place) -> None:
    place.tell(FOUND)
    report = place.kept().report
    assert report is not None
    assert (report.rows, report.verdict) == (1, "accepted")
    (body,) = place.announced()
    assert body["type"] == "dataset.linted"
    assert body["uri"] == "gs://bucket-1/datasets/rows.csv"
    assert body["verdict"] == "accepted"


def test_the_lines_of_a_report_are_those_of_the_file(place: Place) -> None:
    place.put(FOUND, b'question,answer\n"a\nb",c\nd,\n')
    place.tell(FOUND)
    report = place.kept().report
    assert report is not None
    assert [(issue.line, issue.rule) for issue in report.errors] == [(4, "empty_content")]


def test_telling_again_changes_nothing(place: Place) -> None:
    place.tell(FOUND)
    place.files.delete(FOUND.uri)
    place.tell(FOUND)
    assert place.kept().report is not None
    assert len(place.announced()) == 1


def test_a_new_generation_is_linted_anew_and_an_old_one_is_not(place: Place) -> None:
    place.tell(FOUND)
    place.put(FOUND, b"question,answer\na,b\nc,d\n")
    place.tell(msgspec.structs.replace(FOUND, generation="10"))
    place.tell(msgspec.structs.replace(FOUND, generation="9"))
    assert place.kept().generation == "10"
    assert [body["rows"] for body in place.announced()] == [1, 2]


def test_what_was_kept_but_not_announced_is_announced_later(place: Place) -> None:
    place.events.away = True
    with pytest.raises(TryLater):
        place.tell(FOUND)
    assert not place.kept().announced
    place.events.away = False
    place.tell(FOUND)
    assert [message.topic for message in place.events.sent] == [Topic.TUNING_EVENTS]
    assert place.kept().announced


def test_an_object_that_cannot_be_read_is_told_so(place: Place) -> None:
    place.files.delete(FOUND.uri)
    place.tell(FOUND)
    assert "no such object" in (place.kept().error or "")
    assert place.announced()[0]["verdict"] == "unreadable"


@pytest.mark.parametrize("prefix", [None, "gs://bucket-1/other/", "gs://bucket-10/"])
def test_what_lies_elsewhere_is_left_alone(place: Place, prefix: str | None) -> None:
    place.tell(FOUND, prefix)
    with pytest.raises(NotFound):
        place.kept()
    assert place.announced() == []


def test_a_folder_is_no_dataset(place: Place) -> None:
    place.tell(StoredObject(bucket="bucket-1", name="datasets/", generation="1"))
    assert place.announced() == []
