"""A job's history: one write for each change, however many lines it leaves, and no line lost between the pages."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import Crash, Fuse, Loop
from tuneway.errors import NotFound
from tuneway.ports import Documents, Key, Query
from tuneway.state import Stored
from tuneway.tuning.history import KEPT, History
from tuneway.tuning.jobs import Job


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def begun(loop: Loop) -> Stored[Job]:
    return loop.lifecycle.jobs.get(loop.desk.create(loop.order(), owner="acme").id)


def steps(loop: Loop, stored: Stored[Job], *counts: int) -> Stored[Job]:
    """One write for each count, of so many lines."""
    for count in counts:
        first = stored.value.sequence
        stored = loop.lifecycle.write(stored, stored.value, *(f"Line\n{first + n + 1}" for n in range(count)))
    return stored


def numbers(loop: Loop, job: Job, *, than: int = 0) -> list[int]:
    return [happened.sequence for happened in loop.lifecycle.history(job).later(than)]


def pages(documents: Documents, job: Job) -> list[str]:
    return [document.key.id for document in documents.find(Query(collection=f"jobs/{job.id}/events"))]


def test_a_short_history_lies_in_the_jobs_own_document(loop: Loop) -> None:
    job = steps(loop, begun(loop), *[1] * (KEPT - 1)).value
    assert job.sequence == KEPT
    assert pages(loop.documents, job) == []
    assert numbers(loop, job) == list(range(1, KEPT + 1))


def test_what_is_too_much_for_the_document_becomes_a_page(loop: Loop) -> None:
    job = steps(loop, begun(loop), *[1] * KEPT).value
    assert pages(loop.documents, job) == ["000001"]
    assert len(job.recent.splitlines()) == 1
    assert numbers(loop, job) == list(range(1, KEPT + 2))


def test_one_write_may_leave_more_lines_than_a_page_holds(loop: Loop) -> None:
    job = steps(loop, begun(loop), 3 * KEPT + 5).value
    assert pages(loop.documents, job) == ["000001", f"{KEPT + 1:06d}", f"{2 * KEPT + 1:06d}"]
    assert numbers(loop, job) == list(range(1, 3 * KEPT + 7))


@pytest.mark.parametrize("than", [0, 1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT, 2 * KEPT + 9])
def test_later_events_are_all_after_that_number(loop: Loop, than: int) -> None:
    job = steps(loop, begun(loop), 2 * KEPT + 9).value
    assert numbers(loop, job, than=than) == list(range(than + 1, job.sequence + 1))


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(1, 40), max_size=12), size=st.integers(1, 101))
def test_the_newest_come_page_by_page_without_a_gap(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], size: int
) -> None:
    loop = Loop(tmp_path_factory.mktemp("state"))
    job = steps(loop, begun(loop), *counts).value
    found: list[int] = []
    while page := loop.desk.history(job.id, owner="acme", after=_last(job, found), limit=size):
        assert len(page) <= size
        found += [happened.sequence for happened in page]
    assert found == list(range(job.sequence, 0, -1))


def _last(job: Job, found: list[int]) -> str | None:
    return f"ftevent-{job.id.removeprefix('ftjob-')}-{found[-1]:06d}" if found else None


def test_a_cursor_that_is_no_event_of_the_job_is_refused(loop: Loop) -> None:
    job = begun(loop).value
    with pytest.raises(NotFound, match="has no event"):
        loop.desk.history(job.id, owner="acme", after=_last(job, [2]), limit=5)


def test_a_reader_who_was_overtaken_sees_the_history_as_it_was(loop: Loop) -> None:
    before = steps(loop, begun(loop), KEPT - 1)
    steps(loop, before, 2 * KEPT)
    seen = History(loop.documents, before.value)
    assert [happened.sequence for happened in seen.later()] == list(range(1, KEPT + 1))
    assert [happened.sequence for happened in seen.newest(500)] == list(range(KEPT, 0, -1))


def test_an_event_keeps_its_words_and_its_line_breaks(loop: Loop) -> None:
    job = steps(loop, begun(loop), KEPT + 3).value
    told = loop.lifecycle.history(job).later(1)
    assert [happened.message for happened in told] == [f"Line\n{number}" for number in range(2, job.sequence + 1)]
    assert {happened.job for happened in told} == {job.id}


def test_the_last_lines_are_told_without_another_read(loop: Loop) -> None:
    job = steps(loop, begun(loop), KEPT - 1).value
    loop.documents.find = lambda query: pytest.fail(f"{query} was asked")  # type: ignore[method-assign]
    assert len(loop.lifecycle.history(job).later(3)) == KEPT - 3


@pytest.mark.parametrize("at", [0, 1])
def test_a_crash_at_a_full_page_leaves_all_or_nothing(tmp_path: Path, at: int) -> None:
    fuse = Fuse()
    loop = Loop(tmp_path, fuse=fuse)
    before = steps(loop, begun(loop), KEPT - 1)
    fuse.left = at + 1
    with pytest.raises(Crash):
        steps(loop, before, 1)
    fuse.left = None
    after = loop.lifecycle.jobs.get(before.id).value
    assert after.sequence == KEPT + at
    assert numbers(loop, after) == list(range(1, KEPT + at + 1))
    assert loop.documents.get(Key("jobs", before.id)) is not None
