"""What the registry tells a job that has succeeded: each thing once, whatever dies in between."""

from pathlib import Path

import pytest

from tests.fakes import Crash, Loop
from tuneway.ports import ProviderState, TunedModel
from tuneway.tuning.jobs import JobId, Status

TUNED = TunedModel(model="projects/p/locations/us/tuningJobs/9", weights="gs://b/w/")


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def waiting(loop: Loop) -> JobId:
    """A job whose model has no place yet."""
    job = loop.desk.create(loop.order(), owner="acme")
    for _ in range(4):
        loop.deliver_new()
        for name, (_, provider) in list(loop.backend.jobs.items()):
            if provider.state is ProviderState.QUEUED:
                loop.backend.turn(name, ProviderState.SUCCEEDED, tuned=TUNED)
        loop.settle(train=False, beats=1)
    assert loop.job(job.id).status is Status.SUCCEEDED
    assert loop.job(job.id).open
    return job.id


def messages(loop: Loop, job_id: JobId) -> list[str]:
    return [happened.message for happened in loop.lifecycle.history(loop.job(job_id)).later()]


def test_a_line_is_told_once(loop: Loop) -> None:
    job_id = waiting(loop)
    for _ in range(3):
        loop.outcomes.tell(job_id, message="Deploying.")
    assert messages(loop, job_id).count("Deploying.") == 1
    assert loop.job(job_id).open


def test_a_job_whose_model_does_not_answer_is_closed_without_one(loop: Loop) -> None:
    job_id = waiting(loop)
    for _ in range(2):
        loop.outcomes.close(job_id, message="No quota.")
    job = loop.job(job_id)
    assert (job.open, job.status, job.fine_tuned_model) == (False, Status.SUCCEEDED, None)
    assert messages(loop, job_id).count("No quota.") == 1
    levels = {happened.message: happened.level for happened in loop.lifecycle.history(loop.job(job_id)).later()}
    assert levels["No quota."] == "warn"


def test_a_model_deployed_later_still_becomes_the_jobs(loop: Loop) -> None:
    job_id = waiting(loop)
    loop.outcomes.close(job_id, message="By hand.")
    for _ in range(2):
        loop.outcomes.settle(job_id, alias="ft:a")
    assert loop.job(job_id).fine_tuned_model == "ft:a"
    assert messages(loop, job_id).count("New fine-tuned model created: ft:a") == 1
    loop.outcomes.tell(job_id, message="Too late.")
    assert "Too late." not in messages(loop, job_id)


@pytest.mark.parametrize("moment", range(1, 7))
def test_every_line_is_announced_whatever_dies(loop: Loop, moment: int) -> None:
    job_id = waiting(loop)
    loop.fuse.left = moment
    for _ in range(3):
        try:
            loop.outcomes.tell(job_id, message="Deploying.")
            loop.outcomes.settle(job_id, alias="ft:a")
        except Crash:
            loop.fuse.left = None
    assert set(loop.announced()) == set(range(1, loop.job(job_id).sequence + 1))
    assert loop.job(job_id).announced == loop.job(job_id).sequence


def test_a_wish_to_cancel_that_came_too_late_is_told_to_the_registry(loop: Loop) -> None:
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    loop.desk.cancel(job.id, owner="acme")
    loop.backend.turn(next(iter(loop.backend.jobs)), ProviderState.SUCCEEDED, tuned=TUNED)
    loop.settle(train=False)
    outcome = loop.outcomes.of(job.id)
    assert loop.job(job.id).status is Status.SUCCEEDED
    assert outcome is not None
    assert outcome.cancel_asked


def test_a_job_that_nobody_cancelled_carries_no_such_wish(loop: Loop) -> None:
    outcome = loop.outcomes.of(waiting(loop))
    assert outcome is not None
    assert not outcome.cancel_asked
