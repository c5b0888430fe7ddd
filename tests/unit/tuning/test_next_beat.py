"""A job that is left to the next beat: nobody is told of it before, and the beat tells."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tuneway.ports import Topic
from tuneway.tuning.jobs import Status
from tuneway.tuning.tick import tick


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def test_nobody_is_told_of_it_before_the_beat(loop: Loop) -> None:
    job = loop.desk.create(loop.order(on_beat=True), owner="acme")
    assert (job.status, loop.events.sent) == (Status.REQUESTED, [])


def test_the_very_next_beat_tells_of_it(loop: Loop) -> None:
    loop.desk.create(loop.order(on_beat=True), owner="acme")
    assert tick(loop.lifecycle) == 1
    assert [message.topic for message in loop.events.sent] == [Topic.JOB_REQUESTED]


def test_another_job_is_told_of_at_once_and_waits_for_no_beat(loop: Loop) -> None:
    loop.desk.create(loop.order(), owner="acme")
    assert [message.topic for message in loop.events.sent] == [Topic.JOB_REQUESTED]
    assert tick(loop.lifecycle) == 0


def test_it_ends_as_any_other(loop: Loop) -> None:
    job = loop.desk.create(loop.order(on_beat=True), owner="acme")
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED


def test_asked_for_again_it_is_still_left_to_the_beat(loop: Loop) -> None:
    order = loop.order(on_beat=True, idempotency_key="k")
    first, again = (loop.desk.create(order, owner="acme") for _ in range(2))
    assert (again.id, loop.events.sent) == (first.id, [])
