"""The mark of what is under way: a beat at rest is one read, and nothing that is open is ever missed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.fakes import Crash, FakeEvents, Fuse, FusedDocuments, Loop
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import TryLater
from tuneway.ports import Create, Document, Key, Put, Query, Write
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.shelves import Deployment
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.sweeps.store import wake
from tuneway.tuning.sweeps.sweep import Sweep
from tuneway.tuning.tick import tick
from tuneway.underway import ASKS, ID, PAUSE, TRUST, MarkedDocuments, beat

MARK = Key("underway", ID)
LATE = (
    840.0  # the latest that a write lands whose writer saw the mark as busy: its trust, and a function's longest call
)


class Told:
    """Documents that count, and let somebody else in before a write of the mark."""

    def __init__(self, folder: Path) -> None:
        self.inner = SqliteDocuments(folder / "state.sqlite")
        self.reads = self.marks = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def get(self, key: Key) -> Document | None:
        self.reads += 1
        return self.inner.get(key)

    def find(self, query: Query) -> list[Document]:
        found = self.inner.find(query)
        self.reads += max(1, len(found))
        return found

    def commit(self, *writes: Write) -> None:
        if any(write.key == MARK for write in writes):
            self.marks += 1
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
        self.inner.commit(*writes)


class World:
    """A state, its rooms and a clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = 1_800_000_000.0
        self.documents = Told(folder)
        self.events = FakeEvents(Fuse())
        self.lifecycle = Lifecycle(self.documents, self.events, self.now)
        self.deploying = Deploying(self.documents, self.events, self.now)

    def now(self) -> float:
        return self.clock

    def writer(self) -> MarkedDocuments:
        """As one more instance of a function has it."""
        return MarkedDocuments(self.documents, self.now)

    def open(self, id_: str = "a", *, due: float = 0.0) -> Put:
        return Put(Key("sweeps", id_), {"due": due})

    def beat(self, *, later: float = 60.0) -> int:
        self.clock += later
        return beat(self.documents, self.rooms, now=self.clock)

    def rooms(self) -> int:
        """What is due; sweeps are enough of a room, the others are asked for what they cost."""
        due = self.documents.inner.find(Query(collection="sweeps"))
        asked = tick(self.lifecycle) + self.deploying.tick()
        return asked + sum(float(str(found.fields["due"])) <= self.clock for found in due if found.fields["due"])

    def rest(self) -> None:
        """Until the mark says idle."""
        self.beat()
        self.beat(later=PAUSE)
        assert self.says() == "idle"

    def says(self) -> object:
        mark = self.documents.inner.get(MARK)
        return mark and mark.fields["says"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_beat_at_rest_is_one_read(world: World) -> None:
    world.rest()
    world.documents.reads = 0
    assert world.beat() == 0
    assert world.documents.reads == 1


def test_without_a_mark_everything_is_looked_at(world: World) -> None:
    world.documents.commit(world.open(due=1.0))
    assert world.beat() == 1


def test_the_mark_says_idle_only_after_two_looks_with_a_pause_between(world: World) -> None:
    world.beat()
    assert world.says() == "quiet"
    world.beat(later=PAUSE - 1)
    assert world.says() == "quiet"
    world.beat(later=1)
    assert world.says() == "idle"


def test_what_is_begun_at_rest_is_woken_by_the_next_beat(world: World) -> None:
    world.rest()
    world.writer().commit(world.open(due=1.0))
    assert world.beat() == 1


def test_what_is_open_but_not_due_keeps_the_state_busy(world: World) -> None:
    world.writer().commit(world.open(due=world.clock + 9e6))
    for _ in range(5):
        assert world.beat(later=PAUSE) == 0
    assert world.says() == "busy"


def test_a_write_that_closes_marks_nothing(world: World) -> None:
    world.rest()
    world.writer().commit(Put(Key("sweeps", "a"), {"due": None}), Put(Key("jobs", "j"), {"due": None}))
    world.writer().commit(Put(Key("deployments", "d"), {"open": False}), Put(Key("files", "f"), {"due": 1.0}))
    assert world.says() == "idle"


@pytest.mark.parametrize(
    ("collection", "fields"), [("jobs", {"due": 1.0}), ("sweeps", {"due": 1.0}), ("deployments", {"open": True})]
)
def test_whatever_opens_marks_the_state(world: World, collection: str, fields: dict[str, object]) -> None:
    world.rest()
    world.writer().commit(Create(Key(collection, "x"), fields))
    assert world.says() == "busy"


def test_the_fields_that_tell_of_it_are_those_of_the_rooms(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    found = loop.documents.get(Key("jobs", job.id))
    assert found is not None
    assert isinstance(found.fields["due"], float)
    assert {"due", "open"} <= set(Sweep.__struct_fields__)
    assert "open" in Deployment.__struct_fields__


def test_a_writer_between_the_last_look_and_the_mark_wins(world: World) -> None:
    world.beat()
    world.documents.meanwhile = lambda: world.writer().commit(world.open(due=1.0))
    world.beat(later=PAUSE)
    assert world.says() == "busy"
    assert world.beat() == 1


def test_a_writer_who_saw_the_mark_as_busy_is_still_seen(world: World) -> None:
    writer = world.writer()
    writer.commit(world.open("first", due=1.0))
    world.documents.commit(Put(Key("sweeps", "first"), {"due": None}))
    world.beat(later=TRUST / 2)
    assert world.says() == "quiet"
    writer.commit(world.open("second", due=world.clock + 9e6))
    world.beat(later=PAUSE)
    assert world.says() == "busy"


def test_a_scheduler_that_slept_for_a_day_forgets_nothing(world: World) -> None:
    world.writer().commit(world.open(due=world.clock + 100))
    world.beat()
    assert world.beat(later=86400) == 1


def test_a_beat_that_slept_between_its_looks_looks_again(world: World) -> None:
    world.beat()
    world.writer().commit(world.open(due=1.0))
    assert world.beat(later=86400) == 1


def test_what_was_written_past_the_mark_is_found_within_the_hour(world: World) -> None:
    world.rest()
    world.documents.commit(world.open(due=1.0))
    assert world.beat(later=ASKS - 1) == 0
    assert world.beat(later=1) == 1
    assert world.says() == "busy"


def test_an_idle_beat_that_asks_and_finds_nothing_stays_idle(world: World) -> None:
    world.rest()
    world.beat(later=ASKS)
    assert world.says() == "idle"
    world.documents.reads = 0
    world.beat()
    assert world.documents.reads == 1


def test_a_burst_writes_the_mark_once(world: World) -> None:
    world.rest()
    world.documents.marks = 0
    writer = world.writer()
    for number in range(1000):
        writer.commit(world.open(str(number)))
    assert world.documents.marks == 1


def test_a_long_lived_writer_looks_at_the_mark_again(world: World) -> None:
    writer = world.writer()
    writer.commit(world.open("a", due=1.0))
    world.documents.commit(Put(Key("sweeps", "a"), {"due": None}))
    world.rest()
    writer.commit(world.open("b", due=1.0))
    assert world.says() == "busy"


def test_nothing_is_written_that_could_not_be_marked(tmp_path: Path) -> None:
    documents = FusedDocuments(SqliteDocuments(tmp_path / "state.sqlite"), Fuse())
    documents.rivals = 100
    with pytest.raises(TryLater, match="marked"):
        MarkedDocuments(documents, lambda: 0.0).commit(Create(Key("sweeps", "a"), {"due": 1.0}))
    assert documents.get(Key("sweeps", "a")) is None


@pytest.mark.parametrize("at", range(1, 5))
def test_a_crash_anywhere_leaves_nothing_open_unmarked(tmp_path: Path, at: int) -> None:
    fuse = Fuse()
    documents = FusedDocuments(SqliteDocuments(tmp_path / "state.sqlite"), fuse)
    fuse.left = at
    with pytest.raises(Crash):
        MarkedDocuments(documents, lambda: 0.0).commit(Create(Key("sweeps", "a"), {"due": 1.0}))
    mark = documents.get(MARK)
    assert documents.get(Key("sweeps", "a")) is None or (mark is not None and mark.fields["says"] == "busy")


def test_a_bus_that_is_away_leaves_the_mark_as_it_is(world: World) -> None:
    world.writer().commit(world.open(due=1.0))
    with pytest.raises(TryLater):
        beat(world.documents, _away, now=world.clock)
    assert world.says() == "busy"


def _away() -> int:
    raise TryLater("The bus is away.")


def test_the_real_rooms_at_rest_cost_no_read_but_the_marks(world: World) -> None:
    world.rest()
    world.documents.reads = 0
    assert beat(world.documents, lambda: _rooms(world), now=world.clock + 60) == 0
    assert world.documents.reads == 1
    assert _rooms(world) == 0
    assert world.documents.reads == 1 + 3


def _rooms(world: World) -> int:
    """As the door asks them."""
    woken = tick(world.lifecycle) + world.deploying.tick()
    return woken + wake(world.documents, world.events, now=world.clock)


STEPS = st.lists(st.tuples(st.sampled_from(["write", "land", "close", "beat"]), st.floats(1, LATE)), max_size=40)


@examples(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_whatever_the_order_a_mark_that_is_idle_hides_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, float]]
) -> None:
    """Writers mark, and their writes land up to ``LATE`` later; beats come at any time."""
    world, number = World(tmp_path_factory.mktemp("state")), 0
    writer, under = world.writer(), list[tuple[str, float]]()
    for step, seconds in steps:
        world.clock += seconds
        for name, latest in list(under):
            if step == "land" or world.clock >= latest:
                world.documents.inner.commit(world.open(name, due=1.0))
                under.remove((name, latest))
        if step == "write":
            number += 1
            writer.commit(Put(Key("deployments", "marker"), {"open": True}))
            world.documents.inner.commit(Put(Key("deployments", "marker"), {"open": False}))
            under.append((str(number), world.clock + LATE - TRUST))
        if step == "close":
            for found in world.documents.inner.find(Query(collection="sweeps")):
                world.documents.inner.commit(Put(found.key, {"due": None}))
        if step == "beat":
            world.beat(later=0)
        held = world.documents.inner.find(Query(collection="sweeps"))
        assert world.says() != "idle" or all(found.fields["due"] is None for found in held)
