"""The questions read from the source are those that the use cases ask."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tests.infra.faults import ROOT
from tests.infra.questions import Index, Unclear, asked
from tuneway.ports import Document, Documents, Key, Query, Write
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.tuning.history import KEPT

SOURCE = ROOT / "shared/tuneway"


class Recorder:
    """``ports.Documents`` that writes down what it is asked."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.heard: list[Query] = []

    def get(self, key: Key) -> Document | None:
        return self._documents.get(key)

    def find(self, query: Query) -> list[Document]:
        self.heard.append(query)
        return self._documents.find(query)

    def commit(self, *writes: Write) -> None:
        self._documents.commit(*writes)


def _shape(query: Query) -> tuple[str, frozenset[str], frozenset[str], str | None, bool]:
    equal = frozenset(where.field for where in query.where if where.operator == "==")
    ranged = frozenset(where.field for where in query.where if where.operator != "==")
    return query.collection.rpartition("/")[2], equal, ranged, query.order_by, query.descending


def _written(folder: Path, call: str) -> Path:
    room = folder / "shared/tuneway/registry"
    room.mkdir(parents=True)
    head = 'class Shelf:\n    def __init__(self, d):\n        self._things = Collection(d, "things", Thing)\n'
    (room / "shelf.py").write_text(f"{head}    def all(self, owner, field):\n        return {call}\n")
    return folder / "shared/tuneway"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('self._things.find(("a", "==", owner))', None),
        ('self._things.find(("a", "==", owner), ("b", "==", 1))', None),
        ('self._things.find(order_by="a")', None),
        ('self._things.find(("a", ">", 1), order_by="a")', None),
        ('self._things.find(("a", "==", owner), order_by="b")', Index("things", ("a",), "b", "ASCENDING")),
        ('self._things.find(("a", "==", 1), ("b", ">", 1))', Index("things", ("a",), "b", "ASCENDING")),
        (
            'self._things.find(("b", "==", 1), ("a", "==", 1), order_by="c", descending=True)',
            Index("things", ("a", "b"), "c", "DESCENDING"),
        ),
    ],
)
def test_a_question_knows_the_index_it_needs(tmp_path: Path, call: str, expected: Index | None) -> None:
    assert [question.index for question in asked(_written(tmp_path, call))] == [expected]


def test_a_direction_that_is_chosen_later_needs_both(tmp_path: Path) -> None:
    call = 'self._things.find(("a", "==", owner), order_by="b", descending=owner)'
    found = [question.index for question in asked(_written(tmp_path, call))]
    assert [index and index.direction for index in found] == ["ASCENDING", "DESCENDING"]


def test_conditions_that_are_handed_in_count(tmp_path: Path) -> None:
    source = _written(tmp_path, "self._more(('a', '==', owner))")
    with (source / "registry/shelf.py").open("a") as shelf:
        shelf.write('    def _more(self, *more):\n        return self._things.find(*more, order_by="b")\n')
    assert [q.index for q in asked(source)] == [Index("things", ("a",), "b", "ASCENDING"), None]


@pytest.mark.parametrize(
    "call",
    [
        "self._things.find(order_by=field)",
        'self._unknown.find(("a", "==", 1))',
        'self._things.find((field, "==", 1, ))',
    ],
)
def test_a_question_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path, call: str) -> None:
    with pytest.raises(Unclear, match=r"shelf\.py:5"):
        asked(_written(tmp_path, call))


def test_what_is_read_is_what_is_asked(tmp_path: Path) -> None:
    """A job from end to end and the lists of the doors, over a recorder: the source showed all that was asked."""
    loop = Loop(tmp_path)
    recorder = loop.documents.inner = Recorder(loop.documents.inner)
    job = loop.desk.create(loop.order(), owner="shop")
    loop.settle()
    _listed(loop, recorder, job.id)
    read = {(q.collection, frozenset(q.equal), frozenset(q.ranged), q.order, q.descending) for q in asked(SOURCE)}
    heard = {_shape(query) for query in recorder.heard}
    assert {"jobs", "events", "files", "models", "deployments", "keys", "dead_letters"} <= {shape[0] for shape in heard}
    assert heard <= read


def _listed(loop: Loop, recorder: Recorder, job: str) -> None:
    loop.desk.newest(owner="shop", after=None, limit=5)
    stored = loop.lifecycle.jobs.get(job)
    told = loop.lifecycle.write(stored, stored.value, *(f"Step {number}." for number in range(KEPT)))
    assert len(loop.lifecycle.history(told.value).later()) == told.value.sequence
    loop.desk.history(job, owner="shop", after=None, limit=told.value.sequence)
    for descending in (False, True):
        loop.shelf.list(owner="shop", purpose=None, after=None, limit=5, descending=descending)
    inventory = Inventory(recorder)
    for owner in (None, "shop"):
        inventory.models(owner=owner)
        inventory.deployments(owner=owner)
    Keyring(recorder, now=lambda: 0.0, randomness=lambda: bytes(32)).list()
    DeadLetters(recorder, loop.events, now=lambda: 0.0).list()
