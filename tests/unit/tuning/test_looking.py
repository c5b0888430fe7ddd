"""Looks at a place whose provider lists jobs by their tokens: what is named and spared, and that nothing is lost."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.fakes import Crash, Fuse, Loop
from tests.unit.tuning.test_watching import LOOK, PLACE, minute, name_of, running
from tuneway.errors import TryLater
from tuneway.ports import ProviderJob, ProviderState, TuningRequest
from tuneway.state import Collection
from tuneway.tuning.beats import FOREIGN, Roll, beats
from tuneway.tuning.jobs import ENDED, Job, JobId, Status
from tuneway.tuning.looking import LISTED, TURNS


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    loop = Loop(tmp_path, few=2)
    loop.backend.names = True
    return loop


def ending(loop: Loop, jobs: Sequence[Job]) -> None:
    ends = (ProviderState.SUCCEEDED, ProviderState.FAILED, ProviderState.CANCELLED)
    for job, state in zip(jobs, ends, strict=True):
        loop.backend.turn(name_of(loop, job), state, error="no" if state is ProviderState.FAILED else None)


def asked_by_itself(loop: Loop) -> list[str]:
    """The names of the jobs that are asked for one by one from now on."""
    get, asked = loop.backend.get, list[str]()

    def heard(name: str) -> ProviderJob:
        asked.append(name)
        return get(name)

    loop.backend.get = heard  # type: ignore[method-assign]
    return asked


def test_jobs_that_have_ended_are_told_together(loop: Loop) -> None:
    *over, going, _ = running(loop, count=5)
    ending(loop, over)
    alone = asked_by_itself(loop)
    minute(loop)
    assert [loop.job(job.id).status for job in over] == [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED]
    assert loop.job(going.id).status is Status.RUNNING
    assert (alone, [sorted(tokens) for tokens in loop.backend.asked_for]) == ([], [sorted(job.id for job in over)])


def test_what_was_told_together_has_left_the_roll(loop: Loop) -> None:
    *over, going, last = running(loop, count=5)
    ending(loop, over)
    minute(loop)
    assert set(Roll(loop.documents, PLACE).known()) == {going.id, last.id}
    loop.backend.asked_for.clear()
    minute(loop)
    assert loop.backend.asked_for == []


def test_one_alone_is_asked_for_by_itself(loop: Loop) -> None:
    first, *_ = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.SUCCEEDED)
    minute(loop)
    assert loop.job(first.id).status is Status.SUCCEEDED
    assert loop.backend.asked_for == []


def test_one_that_the_answer_leaves_out_is_asked_for_by_itself(loop: Loop) -> None:
    *over, _, _ = running(loop, count=5)
    ending(loop, over)
    named = loop.backend.named
    loop.backend.named = lambda tokens, *, location: (named(tokens, location=location) or [])[1:]  # type: ignore[method-assign]
    alone = asked_by_itself(loop)
    minute(loop)
    assert {loop.job(job.id).status for job in over} <= ENDED
    assert len(alone) == 1


def test_a_twin_with_the_same_token_tells_nothing_of_the_job(loop: Loop) -> None:
    first, second, _, _ = running(loop, count=4)
    for job in (first, second):
        loop.backend.turn(name_of(loop, job), ProviderState.SUCCEEDED)
    twin = ProviderJob(name="twin", state=ProviderState.FAILED, token=first.id, error="not mine")
    loop.backend.named = lambda *_, **__: [twin]  # type: ignore[method-assign]
    minute(loop)
    assert [loop.job(job.id).status for job in (first, second)] == [Status.SUCCEEDED] * 2


def test_an_end_without_its_reason_is_read_in_full(loop: Loop) -> None:
    first, second, *_ = running(loop, count=4)
    for job in (first, second):
        loop.backend.turn(name_of(loop, job), ProviderState.FAILED, error="row 7 is empty")
    whole = loop.backend.named

    def bare(tokens: Sequence[str], *, location: str) -> list[ProviderJob]:
        jobs = whole(tokens, location=location) or []
        return [msgspec.structs.replace(job, error=None) for job in jobs]

    loop.backend.named = bare  # type: ignore[method-assign]
    minute(loop)
    assert ["row 7" in str(loop.job(job.id).error) for job in (first, second)] == [True, True]


def test_jobs_of_others_that_left_the_listing_are_forgotten_without_a_call(loop: Loop) -> None:
    running(loop)
    for number in range(2):
        loop.backend.create(
            TuningRequest(
                token=f"ftjob-x{number}",
                location="us-central1",
                base_model="m",
                training_uri="gs://b/t",
                display_name="d",
            )
        )
    minute(loop)
    assert list(Roll(loop.documents, PLACE).known().values()).count(FOREIGN) == 2
    for name in list(loop.backend.jobs)[-2:]:
        loop.backend.turn(name, ProviderState.SUCCEEDED)
    minute(loop)
    assert FOREIGN not in Roll(loop.documents, PLACE).known().values()
    assert loop.backend.asked_for == []


def test_a_provider_that_is_away_for_names_leaves_the_look_to_the_next(loop: Loop) -> None:
    *over, _ = running(loop, count=4)
    ending(loop, over)
    named = loop.backend.named

    def away(tokens: Sequence[str], *, location: str) -> list[ProviderJob] | None:
        raise TryLater("503")

    loop.backend.named = away  # type: ignore[method-assign]
    minute(loop)
    loop.backend.named = named  # type: ignore[method-assign]
    minute(loop)
    assert {loop.job(job.id).status for job in over} <= ENDED


def test_a_look_that_dies_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    for moment in range(1, 200):
        (tmp_path / str(moment)).mkdir()
        fuse = Fuse()
        loop = Loop(tmp_path / str(moment), fuse=fuse, few=2)
        loop.backend.names = True
        *over, _ = running(loop, count=4)
        ending(loop, over)
        loop.clock += 61
        fuse.left = moment
        try:
            loop.watch(LOOK)
        except Crash:
            _heals(loop, fuse, over)
            continue
        assert moment > 10
        return
    pytest.fail("the look never ended")


def _heals(loop: Loop, fuse: Fuse, over: Sequence[Job]) -> None:
    fuse.left = None
    loop.watch(LOOK)
    loop.settle(train=False, beats=12)
    found = [loop.job(job.id) for job in over]
    assert [job.status for job in found] == [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED]
    assert not any(job.open for job in found)
    for job in found:
        bodies = [msgspec.json.decode(m.data) for m in loop.events.sent if m.attributes.get("job_id") == job.id]
        assert {body["sequence"] for body in bodies if "sequence" in body} == set(range(1, job.sequence + 1))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """More jobs that wait than a page lists, and some that train; the roll knows them all."""
    loop = Loop(tmp_path_factory.mktemp("crowd"), few=2)
    file = loop.upload()
    for _ in range(LISTED + 20):
        loop.desk.create(loop.order(training_file=file), owner="acme")
    loop.deliver_new()
    for name in list(loop.backend.jobs)[:5]:
        loop.backend.turn(name, ProviderState.RUNNING)
    loop.settle(train=False, beats=3)
    loop.deliver_new()
    loop.backend.names = True
    return loop


def waiting(crowd: Loop) -> list[JobId]:
    jobs = (stored.value for stored in Collection(crowd.documents, "jobs", Job).find())
    return [job.id for job in jobs if job.status is Status.QUEUED]


def test_those_that_wait_are_spared_and_each_has_its_turn(crowd: Loop) -> None:
    jobs, listings = waiting(crowd), list[bool]()
    unfinished = crowd.backend.unfinished

    def heard(location: str, *, waiting: bool = True) -> object:
        listings.append(waiting)
        return unfinished(location, waiting=waiting)

    crowd.backend.unfinished = heard  # type: ignore[method-assign, assignment]
    crowd.backend.asked_for.clear()
    for _ in range(TURNS):
        minute(crowd)
    crowd.backend.unfinished = unfinished  # type: ignore[method-assign]
    assert listings == [False] * TURNS
    assert sorted(token for tokens in crowd.backend.asked_for for token in tokens) == sorted(jobs)


def test_one_that_begins_is_seen_at_the_next_look(crowd: Loop) -> None:
    first = waiting(crowd)[0]
    crowd.backend.turn(name_of(crowd, crowd.job(first)), ProviderState.RUNNING, phase="tuning")
    minute(crowd)
    assert crowd.job(first).status is Status.RUNNING


def test_one_that_ends_without_having_begun_is_seen_in_its_turn(crowd: Loop) -> None:
    first = waiting(crowd)[0]
    crowd.backend.turn(name_of(crowd, crowd.job(first)), ProviderState.FAILED, error="no")
    for _ in range(TURNS):
        minute(crowd)
    assert crowd.job(first).status is Status.FAILED
    assert first not in Roll(crowd.documents, PLACE).known()


def test_one_that_came_since_is_watched_from_the_next_look_on(crowd: Loop) -> None:
    job = crowd.desk.create(crowd.order(), owner="acme")
    crowd.deliver_new()
    minute(crowd)
    assert job.id in Roll(crowd.documents, PLACE).known()
    assert crowd.job(job.id).deadline > crowd.clock + 86400


def test_one_that_is_cancelled_while_it_waits_ends_at_the_provider(crowd: Loop) -> None:
    first = waiting(crowd)[0]
    crowd.desk.cancel(first, owner="acme")
    crowd.deliver_new()
    for _ in range(TURNS):
        minute(crowd)
    assert crowd.job(first).status is Status.CANCELLED
    assert first not in Roll(crowd.documents, PLACE).known()


def test_where_names_are_refused_all_are_listed(crowd: Loop) -> None:
    crowd.backend.names = False
    first = waiting(crowd)[0]
    crowd.backend.turn(name_of(crowd, crowd.job(first)), ProviderState.FAILED, error="no")
    minute(crowd)
    crowd.backend.names = True
    assert crowd.job(first).status is Status.FAILED


def test_the_looks_at_a_place_are_counted(crowd: Loop) -> None:
    before = beats(crowd.documents).get(PLACE.key).value.looks
    minute(crowd)
    assert beats(crowd.documents).get(PLACE.key).value.looks == before + 1
