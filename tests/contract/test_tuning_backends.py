"""Every tuning backend keeps the promises of its port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.tuning_backends import GROUNDS, Ground
from tuneway.errors import NotFound, TryLater
from tuneway.ports import ProviderState

UNFINISHED = {ProviderState.QUEUED, ProviderState.RUNNING}


@pytest.fixture(params=list(GROUNDS))
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with GROUNDS[request.param](tmp_path) as found:
        yield found


def test_a_job_is_found_by_its_token(ground: Ground) -> None:
    created = ground.backend.create(ground.request("t-1"))
    found = ground.backend.find("t-1", location=ground.location)
    assert found is not None
    assert (found.name, found.token, created.token) == (created.name, "t-1", "t-1")
    assert created.state in UNFINISHED
    assert ground.backend.find("t-2", location=ground.location) is None


def test_a_job_runs_and_succeeds(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    ground.begin()
    running = ground.backend.get(name)
    ground.end()
    ended = ground.backend.get(name)
    assert (running.state, ended.state) == (ProviderState.RUNNING, ProviderState.SUCCEEDED)
    assert running.finished_at is None
    assert running.changed_at is not None
    assert ended.changed_at is not None
    assert ended.finished_at is not None
    assert running.changed_at < ended.changed_at


def test_what_it_made_answers_or_can_be_deployed(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    ground.begin()
    assert ground.backend.get(name).tuned is None
    ground.end()
    tuned = ground.backend.get(name).tuned
    assert tuned is not None
    assert tuned.endpoint is None or tuned.weights is None
    # Weights have the job's name; a model that answers, or that can be deployed as it is, has one of its own.
    assert (tuned.model == name) == (tuned.weights is not None)


def test_a_job_fails_and_says_why(ground: Ground) -> None:
    name = ground.backend.create(ground.doomed("t-1")).name
    ground.end()
    job = ground.backend.get(name)
    assert job.state is ProviderState.FAILED
    assert job.error
    assert job.cause
    assert job.tuned is None


def test_a_cancelled_job_ends_and_may_be_cancelled_again(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    ground.begin()
    ground.backend.cancel(name)
    ground.backend.cancel(name)
    ground.end()
    assert ground.backend.get(name).state is ProviderState.CANCELLED
    ground.backend.cancel(name)
    assert ground.backend.get(name).state is ProviderState.CANCELLED


def test_cancelling_after_success_changes_nothing(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    ground.end()
    before = ground.backend.get(name)
    ground.backend.cancel(name)
    assert ground.backend.get(name) == before


def test_a_job_whose_answer_was_lost_is_found(ground: Ground) -> None:
    ground.lose_an_answer()
    with pytest.raises(TryLater):
        ground.backend.create(ground.request("t-1"))
    found = ground.backend.find("t-1", location=ground.location)
    assert found is not None
    assert ground.backend.get(found.name).token == "t-1"
    assert ground.jobs() == 1


def test_a_job_that_ended_is_found_too(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    ground.end()
    found = ground.backend.find("t-1", location=ground.location)
    assert found is not None
    assert (found.name, found.state) == (name, ProviderState.SUCCEEDED)


def test_only_our_unfinished_jobs_are_listed(ground: Ground) -> None:
    ground.backend.create(ground.request("t-1"))
    ground.end()
    ground.strangers()
    running = ground.backend.create(ground.request("t-2")).name
    listed = [job for job in ground.backend.unfinished(ground.location) if job.state in UNFINISHED]
    assert [(job.name, job.token) for job in listed] == [(running, "t-2")]


def test_all_our_unfinished_jobs_are_listed_over_several_pages(ground: Ground) -> None:
    started = {ground.backend.create(ground.request(f"t-{number}")).name for number in range(103)}
    ground.strangers()
    assert {job.name for job in ground.backend.unfinished(ground.location)} == started
    assert ground.backend.find("t-0", location=ground.location) is not None


def test_those_that_wait_may_be_spared_and_no_other(ground: Ground) -> None:
    running = ground.backend.create(ground.request("t-1")).name
    ground.begin()
    ground.backend.create(ground.request("t-2"))
    listed = {job.name for job in ground.backend.unfinished(ground.location, waiting=False)}
    assert running in listed
    assert listed <= {job.name for job in ground.backend.unfinished(ground.location)}


def test_jobs_are_listed_by_their_tokens_with_all_that_they_tell_or_not_at_all(ground: Ground) -> None:
    done = ground.backend.create(ground.request("t-1")).name
    doomed = ground.backend.create(ground.doomed("t-2")).name
    ground.end()
    going = ground.backend.create(ground.request("t-3")).name
    ground.backend.create(ground.request("t-4"))
    ground.strangers()
    found = ground.backend.named(["t-1", "t-2", "t-3"], location=ground.location)
    whole = [ground.backend.get(name) for name in (done, doomed, going)]
    assert found is None or sorted(found, key=lambda job: job.token or "") == whole


def test_any_number_of_jobs_is_listed_by_their_tokens_or_none(ground: Ground) -> None:
    tokens = [f"t-{number}" for number in range(103)]
    for token in tokens:
        ground.backend.create(ground.request(token))
    found = ground.backend.named(tokens, location=ground.location)
    assert found is None or sorted(job.token or "" for job in found) == sorted(tokens)


def test_a_job_that_is_not_there_is_not_found(ground: Ground) -> None:
    name = ground.backend.create(ground.request("t-1")).name
    with pytest.raises(NotFound):
        ground.backend.get(name[:-3] + "000")
