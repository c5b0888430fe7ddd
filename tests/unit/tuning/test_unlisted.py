"""Places whose listing keeps failing: their jobs are asked for one by one, and none is forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Loop
from tests.unit.tuning.test_gate import priced
from tests.unit.tuning.test_watching import LOOK, PLACE, minute, name_of, running
from tuneway.errors import BadInput, NotAllowed, TryLater, TunewayError
from tuneway.ports import ProviderJob, ProviderState
from tuneway.tuning.beats import Roll, beats
from tuneway.tuning.jobs import Status
from tuneway.tuning.looking import ANSWERS
from tuneway.tuning.watching import LISTINGS


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path, few=2)


def without_listing(loop: Loop, fault: TunewayError) -> None:
    def unfinished(location: str, *, waiting: bool = True) -> Iterator[ProviderJob]:
        raise fault

    loop.backend.unfinished = unfinished  # type: ignore[method-assign]


def looks(loop: Loop, count: int) -> None:
    for _ in range(count):
        loop.clock += 61
        loop.watch(LOOK)


@pytest.mark.parametrize("fault", [TryLater("500"), NotAllowed("no list permission"), BadInput("400")])
def test_the_end_of_a_job_is_seen_within_minutes_when_only_listings_fail(loop: Loop, fault: TunewayError) -> None:
    first, *rest = running(loop)
    without_listing(loop, fault)
    loop.backend.turn(name_of(loop, first), ProviderState.SUCCEEDED)
    for _ in range(LISTINGS + 1):
        minute(loop)
    assert loop.job(first.id).status is Status.SUCCEEDED
    assert [loop.job(job.id).status for job in rest] == [Status.RUNNING] * 2


def test_a_ceiling_holds_when_only_listings_fail(tmp_path: Path) -> None:
    loop = Loop(tmp_path, few=0, catalogue=priced())
    job = loop.desk.create(loop.order(max_cost_usd=1000.0), owner="acme")
    loop.settle(train=False, beats=3)
    name = name_of(loop, job)
    loop.backend.turn(name, ProviderState.RUNNING)
    loop.settle(train=False, beats=3)
    without_listing(loop, TryLater("500"))
    loop.backend.turn(name, ProviderState.RUNNING, steps_done=50, steps_total=100, billable_tokens=100_000)
    loop.settle(train=False, beats=LISTINGS + 3)
    assert (loop.job(job.id).status, loop.backend.get(name).state) == (Status.CANCELLED, ProviderState.CANCELLED)


def test_one_listing_that_fails_asks_for_no_job(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    running(loop)
    without_listing(loop, TryLater("500"))
    monkeypatch.setattr(loop.backend, "get", lambda name: pytest.fail(f"{name} was asked for"))
    looks(loop, LISTINGS - 1)
    assert beats(loop.documents).get(PLACE.key).value.failures == LISTINGS - 1


def test_a_provider_that_is_away_is_left_in_peace_after_a_few_questions(loop: Loop) -> None:
    running(loop, count=ANSWERS + 4)
    asked: list[str] = []

    def away(name: str) -> ProviderJob:
        asked.append(name)
        raise TryLater("away")

    without_listing(loop, TryLater("away"))
    loop.backend.get = away  # type: ignore[method-assign]
    looks(loop, LISTINGS)
    assert len(asked) == ANSWERS


def test_what_there_is_no_time_for_is_asked_next_and_nobody_is_left_out(loop: Loop) -> None:
    jobs = running(loop, count=5)
    asked: list[str] = []
    get = loop.backend.get

    def slow(name: str) -> ProviderJob:
        asked.append(name)
        loop.clock += 300
        return get(name)

    without_listing(loop, TryLater("500"))
    looks(loop, LISTINGS - 1)
    loop.backend.get = slow  # type: ignore[method-assign]
    looks(loop, 1)
    assert len(asked) == 2
    looks(loop, 2)
    assert set(asked) == {name_of(loop, job) for job in jobs}


def test_a_job_the_provider_forgot_fails_and_leaves_the_roll(loop: Loop) -> None:
    first, *_ = running(loop)
    without_listing(loop, TryLater("500"))
    del loop.backend.jobs[name_of(loop, first)]
    looks(loop, LISTINGS + 1)
    assert loop.job(first.id).status is Status.FAILED
    assert first.id not in Roll(loop.documents, PLACE).known()


def test_a_listing_that_works_again_begins_anew(loop: Loop) -> None:
    running(loop)
    listing = loop.backend.unfinished
    without_listing(loop, TryLater("500"))
    looks(loop, LISTINGS)
    loop.backend.unfinished = listing  # type: ignore[method-assign]
    looks(loop, 1)
    beat = beats(loop.documents).get(PLACE.key).value
    assert (beat.failures, beat.asked, beat.watched) == (0, None, 3)


def test_jobs_that_have_not_changed_are_not_written(loop: Loop) -> None:
    jobs = running(loop)
    before = [loop.lifecycle.jobs.get(job.id).version for job in jobs]
    without_listing(loop, TryLater("500"))
    looks(loop, LISTINGS + 2)
    assert [loop.lifecycle.jobs.get(job.id).version for job in jobs] == before
