"""The tick's part of sweeps: those that are due are woken, however many there are, and none is read without need."""

from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from tests.fakes import FakeEvents, Fuse, FusedDocuments
from tests.unit.tuning.sweeps.sweeping import SweepLoop
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.ports import Document, Query
from tuneway.tuning.lifecycle import SweepRef
from tuneway.tuning.sweeps.store import PAGE, DatedSweeps, wake
from tuneway.tuning.sweeps.sweep import Sweep, SweepId


class Counted(FusedDocuments):
    """Counts what is asked, and the documents that come."""

    asked = 0
    came = 0

    @override
    def find(self, query: Query) -> list[Document]:
        found = super().find(query)
        self.asked, self.came = self.asked + 1, self.came + len(found)
        return found


@pytest.fixture
def documents(tmp_path: Path) -> Counted:
    return Counted(SqliteDocuments(tmp_path / "state.sqlite"), Fuse())


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents(Fuse())


def keep(documents: Counted, id_: str, *, deadline: float, open_: bool = True) -> None:
    sweep = Sweep(id=SweepId(id_), owner="acme", created_at=0, deadline=deadline, members=(), open=open_)
    documents.commit(DatedSweeps(documents, "sweeps", Sweep).create(id_, sweep))


def woken(events: FakeEvents) -> list[str]:
    return [msgspec.json.decode(message.data, type=SweepRef).sweep_id for message in events.sent]


def test_a_tick_with_no_sweep_due_is_one_question_that_brings_nothing(documents: Counted, events: FakeEvents) -> None:
    for n in range(5):
        keep(documents, f"s-{n}", deadline=200)
    keep(documents, "closed", deadline=1, open_=False)
    assert wake(documents, events, now=100) == 0
    assert (documents.asked, documents.came, events.sent) == (1, 0, [])


def test_the_one_that_waits_longest_is_woken_first_whatever_its_name(documents: Counted, events: FakeEvents) -> None:
    keep(documents, "a", deadline=50)
    keep(documents, "b", deadline=500)
    keep(documents, "z", deadline=10)
    assert wake(documents, events, now=100) == 2
    assert woken(events) == ["z", "a"]


@pytest.mark.parametrize("count", [PAGE, PAGE + 1, 2 * PAGE + 5])
def test_every_sweep_that_is_due_is_woken_however_many_there_are(
    documents: Counted, events: FakeEvents, count: int
) -> None:
    for n in range(count):
        keep(documents, f"s-{n:04d}", deadline=50 + n % 3)
    assert wake(documents, events, now=100) == count
    assert len(set(woken(events))) == count


def test_a_sweep_has_a_time_to_be_asked_by_until_it_is_closed(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(1.0)
    assert loop.now(sweep).due == sweep.deadline
    loop.settle()
    assert (loop.now(sweep).open, loop.now(sweep).due) == (False, None)
    before = len(loop.events.sent)
    assert wake(loop.documents, loop.events, now=loop.clock + 9999) == 0
    assert len(loop.events.sent) == before
