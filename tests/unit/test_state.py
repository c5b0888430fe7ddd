"""Documents as typed collections."""

from pathlib import Path

import msgspec
import pytest

from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import NotFound
from tuneway.state import Collection


class Thing(msgspec.Struct, frozen=True):
    size: int


@pytest.fixture
def things(tmp_path: Path) -> Collection[Thing]:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    things = Collection(documents, "things", Thing)
    documents.commit(things.create("one", Thing(1)))
    return things


def test_what_is_known_is_the_value_with_its_version(things: Collection[Thing]) -> None:
    found = things.known("one")
    assert found is not None
    assert (found.id, found.value, bool(found.version)) == ("one", Thing(1), True)
    assert found == things.get("one")


def test_what_is_not_there_is_not_known(things: Collection[Thing]) -> None:
    assert things.known("two") is None


def test_getting_what_is_not_there_names_it(things: Collection[Thing]) -> None:
    with pytest.raises(NotFound, match=r"There is no things/two\."):
        things.get("two")
