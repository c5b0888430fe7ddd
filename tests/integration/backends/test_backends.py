"""Every backend, end to end by events: create, phases, succeeded, failed or cancelled, and never a second job."""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.fakes import Crash, Fuse
from tests.integration.backends.ground import MODELS, OnProvider, Site, site
from tuneway.ports import Files, Topic
from tuneway.tuning.jobs import Status

PHASED = {"vertex_ai", "vertex_open"}


@pytest.fixture(params=list(MODELS))
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, request.param) as found:
        yield found


def test_a_job_goes_through_its_phases_and_succeeds(provider: Site) -> None:
    loop = provider.loop()
    job_id = loop.start(suffix="sums")
    loop.deliver_new()
    assert loop.job(job_id).status is Status.QUEUED
    loop.looked_at(job_id, every=4, times=8)
    job = loop.ended(job_id)
    assert (job.status, job.error) == (Status.SUCCEEDED, None)
    assert job.tuned is not None
    assert job.tuned.endpoint or job.tuned.weights or job.tuned.model
    told = loop.told(job_id)
    assert [line for line in told if line.startswith(("Created", "Submitted", "Fine-tuning finished"))] == [
        told[0],
        f"Submitted to the provider as {job.provider_job}.",
        "Fine-tuning finished; deploying the model.",
    ]
    assert told.index("Fine-tuning started.") < told.index("Fine-tuning finished; deploying the model.")
    assert len(told) == len(set(told))
    if provider.name in PHASED:
        assert "Training." in told
        assert job.trained_tokens
    assert loop.announced() == list(range(1, job.sequence + 1))


def test_a_job_that_fails_at_the_provider_says_why(provider: Site) -> None:
    loop = _doomed(provider)
    pairs = b"".join(b'{"prompt": "Q%d", "completion": "A%d"}\n' % (n, n) for n in range(40))
    job = loop.ended(loop.start(training_file=loop.upload(pairs)))
    assert (job.status, job.tuned, provider.provider.jobs()) == (Status.FAILED, None, 1)
    assert job.error is not None
    assert job.error.message
    assert loop.told(job.id)[-1] == job.error.message


@pytest.mark.parametrize("beats", [0, 1], ids=["queued", "running"])
def test_a_job_is_cancelled_at_the_provider(provider: Site, beats: int) -> None:
    loop = provider.loop()
    job_id = loop.start()
    loop.deliver_new()
    if beats:
        loop.clock += 31
        loop.deliver_new()
    loop.desk.cancel(job_id, owner="acme")
    job = loop.ended(job_id)
    assert (job.status, job.tuned, job.open) == (Status.CANCELLED, None, False)
    assert job.provider_job is not None
    assert provider.provider.backend.get(job.provider_job).state == "cancelled"


def test_a_lost_answer_makes_no_second_job(provider: Site) -> None:
    loop = provider.loop()
    provider.provider.lose_an_answer()
    job = loop.ended(loop.start())
    assert (job.status, provider.provider.jobs()) == (Status.SUCCEEDED, 1)


def test_every_event_twice_and_backwards_makes_no_second_job_and_no_second_word(provider: Site) -> None:
    loop = provider.loop()
    job_id = loop.start()
    job = loop.ended(job_id)
    told = loop.told(job_id)
    for message in [*loop.events.sent, *reversed(loop.events.sent)]:
        if message.topic is not Topic.TUNING_EVENTS:
            loop.deliver(message)
    assert (loop.job(job_id), loop.told(job_id), provider.provider.jobs()) == (job, told, 1)


def test_a_process_that_dies_before_or_after_any_write_makes_no_second_job(provider: Site) -> None:
    """Every deed of a job's life (a commit, a message, a create) is the last one of a process once."""
    deeds = _deeds(provider)
    assert deeds > 8
    for last in range(1, deeds + 1):
        before = provider.provider.jobs()
        loop = provider.loop(Fuse(last))
        job_id = _started(loop)
        if job_id is None:
            loop.settle(train=False, beats=3)
            assert provider.provider.jobs() == before, last
            continue
        job = loop.ended(job_id)
        assert (job.status, provider.provider.jobs() - before) == (Status.SUCCEEDED, 1), last
        told = loop.told(job_id)
        assert told.count(f"Submitted to the provider as {job.provider_job}.") == 1
        assert len(told) == len(set(told)), last


def _deeds(provider: Site) -> int:
    """How often a process can die on a job's way to the provider: each deed counts before and after."""
    fuse = Fuse(1_000_000)
    loop = provider.loop(fuse)
    job_id = loop.start()
    loop.deliver_new()
    assert loop.job(job_id).status is Status.QUEUED
    return 1_000_000 - (fuse.left or 0)


def _started(loop: OnProvider) -> str | None:
    """The job that was accepted, or that was stored before its process died."""
    try:
        return loop.start()
    except Crash:
        found = loop.lifecycle.jobs.find(("owner", "==", "acme"))
        return found[0].id if found else None


def _doomed(provider: Site) -> OnProvider:
    """A loop whose copies of the rows are broken once they lie with the provider, which no lint can foresee."""
    if provider.name == "bedrock":
        provider.provider.service.dooms = lambda _: "No row is whole."
        return provider.loop()
    return provider.loop(files=Spoilt(provider.files))


class Spoilt:
    """Files that come out otherwise than they were written."""

    def __init__(self, inner: Files) -> None:
        self.read, self.size, self.delete = inner.read, inner.size, inner.delete
        self._inner = inner

    @contextmanager
    def write(self, uri: str) -> Generator[IO[bytes]]:
        with self._inner.write(uri) as target:
            yield io.BytesIO()
            target.write(b'{"nothing": "of use"}\n')
