"""A beat tells of jobs that do not move, and of none that has its reasons."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tuneway.ports import ProviderState
from tuneway.tuning.jobs import Status
from tuneway.tuning.tick import STILL_SECONDS, TOLD, tick


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def told(loop: Loop, caplog: pytest.LogCaptureFixture, *, after: float) -> list[str]:
    """What the beat says so many seconds later, while nobody takes a message."""
    loop.clock += after
    caplog.clear()
    tick(loop.lifecycle)
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_an_accepted_job_that_nobody_takes_is_told_of_at_every_beat(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    job = loop.desk.create(loop.order(), owner="acme")
    assert told(loop, caplog, after=STILL_SECONDS - 1) == []
    assert told(loop, caplog, after=1) == [f"1 of the jobs have not moved for ten minutes: {job.id}"]
    assert told(loop, caplog, after=60) == [f"1 of the jobs have not moved for ten minutes: {job.id}"]


def test_many_are_counted_and_few_are_named(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    ids = sorted(loop.desk.create(loop.order(), owner="acme").id for _ in range(TOLD + 2))
    assert told(loop, caplog, after=STILL_SECONDS) == [
        f"{TOLD + 2} of the jobs have not moved for ten minutes: {', '.join(ids[:TOLD])}"
    ]


def test_a_job_that_trains_may_take_its_time(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    name = loop.job(job.id).provider_job
    assert name is not None
    loop.backend.turn(name, ProviderState.RUNNING)
    loop.settle(train=False, beats=3)
    assert loop.job(job.id).status is Status.RUNNING
    assert told(loop, caplog, after=86_400) == []


def test_a_job_that_waits_for_a_person_may_wait(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    job = loop.desk.create(loop.order(max_cost_usd=0.0), owner="acme")
    loop.settle(train=False, beats=3)
    assert loop.job(job.id).status is Status.HELD
    assert told(loop, caplog, after=86_400) == []
