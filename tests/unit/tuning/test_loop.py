"""The loop on fakes: every crash, every redelivery, every lost answer."""

from pathlib import Path

import pytest

from tests.fakes import Crash, Fuse, Loop
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Key, ProviderState, Topic
from tuneway.routing.snapshot import current
from tuneway.tuning.jobs import TRANSITIONS, Status, moved
from tuneway.tuning.tick import tick


def test_an_accepted_job_ends_with_its_model_under_an_alias(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(suffix="shop"), owner="acme")
    loop.settle()
    done = loop.job(job.id)
    assert (done.status, done.open, done.trained_tokens) == (Status.SUCCEEDED, False, 1234)
    assert done.fine_tuned_model == f"ft:gemini-3.5-flash:acme:shop:{job.id[-8:]}"
    route = current(loop.documents).routes[done.fine_tuned_model]
    assert (route.owner, route.targets[0].resource) == ("acme", "projects/p/locations/us/endpoints/77")
    assert loop.documents.get(Key("models/9/versions", "1")) is not None


def test_each_event_is_announced_once_when_nothing_fails(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    assert loop.announced() == list(range(1, loop.job(job.id).sequence + 1))


def _uses(tmp_path: Path, *, few: int) -> int:
    loop = Loop(tmp_path / "counted", few=few)
    loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    return 2 * loop.fuse.uses


@pytest.mark.parametrize("few", [20, 0], ids=["alone", "listed"])
def test_a_crash_at_any_moment_neither_loses_nor_doubles_the_job(tmp_path: Path, few: int) -> None:
    for moment in range(1, _uses(tmp_path, few=few) + 1):
        loop = Loop(tmp_path / str(moment), fuse=Fuse(moment), few=few)
        order = loop.order(idempotency_key="once")
        try:
            loop.desk.create(order, owner="acme")
        except Crash:  # the caller got no answer and asks again
            loop.desk.create(order, owner="acme")
        try:
            loop.settle()
        except Crash:  # in the tick itself
            loop.settle()
        loop.settle()
        (job,) = loop.desk.newest(owner="acme", after=None, limit=10)
        assert (moment, job.status, job.open) == (moment, Status.SUCCEEDED, False)
        assert len(loop.backend.jobs) == 1, moment
        assert set(loop.announced()) == set(range(1, job.sequence + 1)), moment
        assert job.fine_tuned_model in current(loop.documents).routes, moment


def test_every_message_twice_and_backwards_changes_nothing(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    before = loop.documents.get(Key("jobs", job.id))
    for message in [*loop.events.sent[::-1], *loop.events.sent]:
        assert loop.deliver(message)
    assert loop.documents.get(Key("jobs", job.id)) == before
    assert len(loop.backend.jobs) == 1


def test_a_lost_answer_is_found_again_and_not_paid_twice(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.lose_answers = 1
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED
    assert (len(loop.backend.jobs), loop.job(job.id).attempts) == (1, 2)


def test_while_one_delivery_submits_another_waits(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.lose_answers = 1
    loop.desk.create(loop.order(), owner="acme")
    (message,) = loop.events.sent
    assert [loop.deliver(message), loop.deliver(message)] == [False, True]
    (job,) = loop.desk.newest(owner="acme", after=None, limit=2)
    assert (job.status, job.attempts, len(loop.backend.jobs)) == (Status.SUBMITTING, 1, 1)
    assert tick(loop.lifecycle) == 0
    loop.clock = job.lease_until
    assert tick(loop.lifecycle) == 1


def test_one_that_slept_on_its_lease_creates_nothing(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.lose_answers = 1
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver(loop.events.sent[0])
    loop.clock = loop.job(job.id).lease_until
    loop.backend.jobs.clear()

    def look_for_long(token: str, *, location: str) -> None:
        loop.clock += 31

    loop.backend.find = look_for_long  # type: ignore[method-assign]
    assert not loop.deliver(loop.events.sent[0])
    assert not loop.backend.jobs


def test_asking_again_for_a_job_that_has_not_begun_tells_of_it_again(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order(idempotency_key="once")
    assert loop.desk.create(order, owner="acme").id == loop.desk.create(order, owner="acme").id
    assert [message.topic for message in loop.events.sent] == [Topic.JOB_REQUESTED] * 2


def test_a_job_is_accepted_although_the_bus_is_away(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.events.away = True
    job = loop.desk.create(loop.order(), owner="acme")
    loop.events.away = False
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED


def test_a_job_whose_write_was_answered_too_late_is_accepted_once(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order()
    loop.documents.lose_answers = 1
    job = loop.desk.create(order, owner="acme")
    loop.settle()
    assert [each.id for each in loop.desk.newest(owner="acme", after=None, limit=9)] == [job.id]
    assert loop.job(job.id).status is Status.SUCCEEDED


def test_a_job_that_could_not_be_stored_is_not_accepted(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order()
    loop.documents.away = True
    with pytest.raises(TryLater):
        loop.desk.create(order, owner="acme")
    assert not loop.events.sent


def test_a_provider_that_never_answers_ends_the_job_at_last(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.fault = TryLater("away")
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(beats=80)
    assert (loop.job(job.id).status, loop.job(job.id).error.code) == (Status.FAILED, "submission_failed")  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", [BadInput("no such region", code="bad"), NotAllowed("no"), NotFound("no model")])
def test_what_the_provider_refuses_for_good_fails_the_job_with_its_words(tmp_path: Path, fault: Exception) -> None:
    loop = Loop(tmp_path)
    loop.backend.fault = fault
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    done = loop.job(job.id)
    assert done.status is Status.FAILED
    assert done.error is not None
    assert done.error.message == str(fault)
    assert not done.open


def test_a_bad_line_fails_the_job_before_anything_is_submitted(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    rows = loop.order().training_file
    with loop.files.read(rows) as source:
        lines = source.read().splitlines(keepends=True)
    lines[2] = b'{"messages":[{"role":"user","content":"Q"}]}\n'
    job = loop.desk.create(loop.order(training_file=loop.upload(b"".join(lines))), owner="acme")
    loop.settle()
    done = loop.job(job.id)
    assert done.error is not None
    assert (done.status, done.error.code, done.error.param) == (Status.FAILED, "invalid_training_file", "training_file")
    assert "line 3" in done.error.message.lower()
    assert not loop.backend.jobs


def test_an_empty_dataset_and_a_missing_one_fail_the_job(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    empty = loop.desk.create(loop.order(training_file=loop.upload(b"")), owner="acme")
    missing = loop.desk.create(loop.order(training_file=f"gs://{'shop-models'}/none.jsonl"), owner="acme")
    loop.settle()
    for job in (empty, missing):
        done = loop.job(job.id)
        assert done.error is not None
        assert (done.status, done.error.param) == (Status.FAILED, "training_file")


def test_a_validation_file_is_read_too(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    bad = loop.desk.create(loop.order(validation_file=loop.upload(b"no json\n")), owner="acme")
    good = loop.desk.create(loop.order(validation_file=loop.upload()), owner="acme")
    loop.settle()
    assert loop.job(bad.id).error.param == "validation_file"  # type: ignore[union-attr]
    assert loop.job(good.id).validation_dataset.rows == 100  # type: ignore[union-attr]


def test_an_estimate_with_source_and_date_is_on_the_job_before_it_is_submitted(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.fault = TryLater("away")
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver(loop.events.sent[0])
    priced = loop.job(job.id).estimate
    assert loop.job(job.id).status is Status.SUBMITTING
    assert priced is not None
    assert priced.stand_in
    assert priced.price_source
    assert priced.price_as_of


def test_cancelling_before_submission_costs_nothing(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    assert loop.desk.cancel(job.id, owner="acme").status is Status.CANCELLED
    loop.settle()
    assert not loop.backend.jobs
    assert (loop.job(job.id).open, set(loop.announced())) == (False, {1, 2})
    assert loop.desk.cancel(job.id, owner="acme").status is Status.CANCELLED


def test_cancelling_a_running_job_ends_it_at_the_provider(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    assert loop.desk.cancel(job.id, owner="acme").status is Status.CANCELLING
    loop.settle()
    ((_, provider),) = loop.backend.jobs.values()
    assert (loop.job(job.id).status, provider.state) == (Status.CANCELLED, ProviderState.CANCELLED)
    assert set(loop.announced()) == set(range(1, loop.job(job.id).sequence + 1))


def test_cancelling_while_the_answer_is_lost_ends_the_paid_job(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.lose_answers = 1
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver(loop.events.sent[0])
    loop.desk.cancel(job.id, owner="acme")
    loop.settle(train=False)
    ((_, provider),) = loop.backend.jobs.values()
    assert (loop.job(job.id).status, provider.state) == (Status.CANCELLED, ProviderState.CANCELLED)


def test_a_job_that_has_ended_cannot_be_cancelled(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    with pytest.raises(BadInput, match="already succeeded"):
        loop.desk.cancel(job.id, owner="acme")


def test_a_job_the_provider_forgot_fails(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    loop.backend.jobs.clear()
    loop.settle()
    assert loop.job(job.id).error.code == "provider_job_gone"  # type: ignore[union-attr]


def test_a_provider_failure_is_told_in_its_own_words(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    loop.backend.turn(next(iter(loop.backend.jobs)), ProviderState.FAILED, error="quota of zero")
    loop.settle(train=False)
    assert loop.job(job.id).error.message == "quota of zero"  # type: ignore[union-attr]


def test_a_poll_that_finds_nothing_new_writes_nothing(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    before = loop.documents.get(Key("jobs", job.id))
    loop.settle(train=False, beats=5)
    assert loop.documents.get(Key("jobs", job.id)) == before


def test_a_provider_that_is_away_is_asked_again_without_failed_messages(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(beats=3)
    loop.backend.away = True
    tick(loop.lifecycle)
    assert all(loop.deliver(message) for message in loop.events.sent)
    loop.backend.away = False
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED


def test_progress_is_written_by_the_twentieth(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    (name,) = loop.backend.jobs
    for step in range(1, 101):
        loop.backend.turn(name, ProviderState.RUNNING, phase="TUNING", steps_done=step, steps_total=100)
        loop.settle(train=False, beats=1)
    lines = [e.message for e in loop.desk.history(job.id, owner="acme", after=None, limit=100)]
    assert len([line for line in lines if line.startswith("Step")]) == 20


def test_the_tick_wakes_only_what_is_due(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    assert tick(loop.lifecycle) == 0
    loop.desk.create(loop.order(), owner="acme")
    assert tick(loop.lifecycle) == 0
    loop.clock += 61
    assert tick(loop.lifecycle) == 1
    assert [m.topic for m in loop.events.sent] == [Topic.JOB_REQUESTED, Topic.JOB_REQUESTED]


def test_one_tenant_never_sees_anothers_job(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    assert loop.desk.newest(owner="other", after=None, limit=10) == []
    for ask in (loop.desk.get, loop.desk.cancel):
        with pytest.raises(NotFound):
            ask(job.id, owner="other")


def test_only_the_tables_transitions_are_possible(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    for status in set(Status) - TRANSITIONS[job.status]:
        with pytest.raises(Exception, match="cannot become"):
            moved(job, status, now=0)
