"""A poll that meets somebody else's write: it begins again from what is there, a few times."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tuneway.errors import TryLater
from tuneway.ports import ProviderJob, ProviderState
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import JobRef
from tuneway.tuning.poll import ATTEMPTS


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def queued(loop: Loop) -> tuple[Job, str]:
    """A job at the provider, where it has begun to run since."""
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver_new()
    (name,) = loop.backend.jobs
    loop.backend.turn(name, ProviderState.RUNNING)
    return loop.job(job.id), name


def test_a_cancellation_that_meets_a_poll_is_carried_out_by_it(loop: Loop) -> None:
    job, name = queued(loop)
    get = loop.backend.get

    def meanwhile(name: str) -> ProviderJob:
        if loop.job(job.id).status is Status.QUEUED:
            loop.desk.cancel(job.id, owner="acme")
        return get(name)

    loop.backend.get = meanwhile  # type: ignore[method-assign]
    assert loop.poll(JobRef(job.id, job.sequence)).value.status is Status.CANCELLED
    assert get(name).state is ProviderState.CANCELLED


def test_rivals_that_are_few_do_not_show(loop: Loop) -> None:
    job, _ = queued(loop)
    loop.documents.rivals = ATTEMPTS - 1
    assert loop.poll(JobRef(job.id, job.sequence)).value.status is Status.RUNNING


def test_rivals_without_end_have_the_message_sent_again(loop: Loop) -> None:
    job, _ = queued(loop)
    loop.documents.rivals = 1000
    with pytest.raises(TryLater, match="keeps changing"):
        loop.poll(JobRef(job.id, job.sequence))
    assert loop.documents.rivals == 1000 - ATTEMPTS
