"""The desk: what becomes of an order before its job begins."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import BUCKET, Loop
from tuneway.errors import BadInput, NotAllowed, TryLater
from tuneway.ports import ProviderJob, ProviderState
from tuneway.routing import identifiers
from tuneway.tuning.jobs import Status
from tuneway.tuning.lifecycle import ATTEMPTS


def test_an_idempotency_key_stands_for_one_order_only(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order(idempotency_key="once")
    loop.desk.create(order, owner="acme")
    with pytest.raises(BadInput, match="new key"):
        loop.desk.create(msgspec.structs.replace(order, suffix="other"), owner="acme")
    assert len(loop.desk.newest(owner="acme", after=None, limit=10)) == 1


@pytest.mark.parametrize("owner", ["acme", "Team A/ö:x", "o" * 300])
def test_the_models_name_is_an_alias_whoever_owns_it(tmp_path: Path, owner: str) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(suffix="s" * 64), owner=owner)
    assert identifiers.parse(job.alias) == identifiers.Alias(name=job.alias)


@pytest.mark.parametrize("folder", ["files", "jobs"])
def test_what_is_kept_for_a_tenant_cannot_be_had_by_its_uri(tmp_path: Path, folder: str) -> None:
    loop = Loop(tmp_path)
    with pytest.raises(BadInput, match="by its id"):
        loop.desk.create(loop.order(training_file=f"gs://{BUCKET}/{folder}/file-1"), owner="rival")


def test_who_is_outrun_by_another_writer_tries_again(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.documents.rivals = ATTEMPTS - 1
    assert loop.desk.cancel(job.id, owner="acme").status is Status.CANCELLED


def test_who_is_always_outrun_is_asked_to_come_again(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.documents.rivals = ATTEMPTS
    with pytest.raises(TryLater, match="Ask again"):
        loop.desk.cancel(job.id, owner="acme")


def test_a_job_cancelled_while_it_is_being_created_is_ended_at_the_provider(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.backend.meanwhile = lambda: loop.desk.cancel(job.id, owner="acme")
    loop.settle(train=False)
    ((_, provider),) = loop.backend.jobs.values()
    done = loop.job(job.id)
    assert (done.status, done.open, done.provider_job) == (Status.CANCELLED, False, provider.name)
    assert provider.state is ProviderState.CANCELLED


def test_a_validation_that_does_not_end_fails_the_job_in_a_day(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.clock += 25 * 3600
    loop.settle()
    error = loop.job(job.id).error
    assert error is not None
    assert error.code == "validation_stalled"


def test_a_file_that_is_nobodys_is_refused_with_its_field(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    with pytest.raises(BadInput, match="no file 'file-none'") as refused:
        loop.desk.create(loop.order(validation_file="file-none"), owner="acme")
    assert (refused.value.param, refused.value.code) == ("validation_file", "file_not_found")


def test_a_job_cancelled_after_a_submission_that_never_arrived_ends_without_one(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.fault = TryLater("away")
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver_new()
    assert loop.desk.cancel(job.id, owner="acme").status is Status.CANCELLING
    loop.settle()
    assert (loop.job(job.id).status, loop.job(job.id).open, loop.backend.jobs) == (Status.CANCELLED, False, {})


def test_a_rival_write_while_the_provider_answers_loses_no_paid_job(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")

    def rival() -> None:
        loop.documents.rivals = 1

    loop.backend.meanwhile = rival
    loop.settle()
    assert (loop.job(job.id).status, loop.job(job.id).attempts, len(loop.backend.jobs)) == (Status.SUCCEEDED, 2, 1)


def test_a_provider_that_refuses_to_show_a_job_is_asked_again(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    get = loop.backend.get

    def refused(name: str) -> ProviderJob:
        raise NotAllowed(f"{name} is not yours")

    loop.backend.get = refused  # type: ignore[method-assign]
    loop.settle(train=False, beats=3)
    assert loop.job(job.id).status is Status.QUEUED
    loop.backend.get = get  # type: ignore[method-assign]
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED


@pytest.mark.parametrize("name", ["gs://x", "ftp://host/rows.jsonl", "https://user:secret@host/rows.jsonl"])
def test_a_uri_that_names_no_file_is_refused_with_the_right_forms(tmp_path: Path, name: str) -> None:
    loop = Loop(tmp_path)
    with pytest.raises(BadInput, match="gs://bucket/path") as refused:
        loop.desk.create(loop.order(training_file=name), owner="acme")
    assert refused.value.param == "training_file"


def test_there_is_nothing_to_register_of_a_job_that_did_not_succeed(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    assert loop.outcomes.of(job.id) is None
