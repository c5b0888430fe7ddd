"""The gate before a job is paid for: who is held, who may let it go, and what comes of both."""

import re
from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tuneway.access.keys import Grant, Scope
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Topic
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.gate import HOLD_SECONDS, reason_to_hold
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.orders import repriced
from tuneway.tuning.tick import tick

BASE = "gemini-3.5-flash"
DAY = 86_400


def priced(usd: float = 10_000.0) -> Catalogue:
    """The catalogue with a published price of the base, in USD a million tokens."""
    price = {"usd_per_million_tokens": usd, "model": BASE, "source": "a test", "as_of": "2026-11-01"}
    return load().merged(msgspec.json.encode({"models": [{"name": BASE, "price": price}]}))


def grant(*scopes: Scope, owner: str = "acme", max_cost_usd: float | None = None) -> Grant:
    return Grant(owner=owner, scopes=scopes or (Scope.TUNE,), created_at=0, name="laptop", max_cost_usd=max_cost_usd)


ADMIN = grant(Scope.ADMIN, owner="platform")


class Gate(Loop):
    """A loop with a job that has gone as far as it may."""

    def held(self, *, limit: float | None = 0.0, key_limit: float | None = None) -> Job:
        job = self.desk.create(self.order(max_cost_usd=limit), owner="acme", key_limit=key_limit)
        self.settle(beats=3)
        held = self.job(job.id)
        assert held.status is Status.HELD, held.error
        return held


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, catalogue=priced())


def test_a_job_above_its_limit_waits_and_names_the_figures_and_the_way_on(gate: Gate) -> None:
    job = gate.held(limit=0.5)
    told = gate.desk.history(job.id, owner="acme", after=None, limit=1)[0]
    assert job.estimate is not None
    assert job.estimate.usd_high is not None
    assert (told.level, told.status) == ("warn", Status.HELD)
    for said in (f"{job.estimate.usd_high:.2f} USD", "0.50 USD", "max_cost_usd", f"/{job.id}/approve", "jobs approve"):
        assert said in told.message
    assert not gate.backend.jobs


def test_a_job_at_its_limit_goes_on(gate: Gate) -> None:
    bound = gate.held().estimate
    assert bound is not None
    job = gate.desk.create(gate.order(max_cost_usd=bound.usd_high), owner="acme")
    gate.settle()
    assert gate.job(job.id).status is Status.SUCCEEDED


@pytest.mark.parametrize(
    ("caller", "key", "installation", "whose"),
    [
        (0.1, 9.0, 9.0, "the request's max_cost_usd"),
        (9.0, 0.1, 9.0, "the API key's allowance"),
        (9.0, 9.0, 0.1, "the installation's limit"),
        (None, None, 0.1, "the installation's limit"),
        (0.1, 0.1, None, "the request's max_cost_usd and the API key's allowance"),
    ],
)
def test_the_least_limit_counts_and_is_named(
    tmp_path: Path, caller: float | None, key: float | None, installation: float | None, whose: str
) -> None:
    gate = Gate(tmp_path, catalogue=priced(), max_cost_usd=installation)
    job = gate.held(limit=caller, key_limit=key)
    told = gate.desk.history(job.id, owner="acme", after=None, limit=1)[0]
    assert f"0.10 USD ({whose})" in told.message


def test_without_a_published_price_any_limit_holds_the_job_and_shows_the_stand_in(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    job = gate.held(limit=1_000_000.0)
    told = gate.desk.history(job.id, owner="acme", after=None, limit=1)[0]
    assert re.match(r"Held: a stand-in of [^ ]+ .*USD cannot be held against the limit of 1,000,000", told.message)
    assert "no price is published" in told.message
    assert "TUNEWAY_CATALOGUE_FILE, see docs/base-models.md" in told.message


def test_without_any_limit_nothing_is_held(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    job = gate.desk.create(gate.order(), owner="acme")
    gate.settle()
    assert gate.job(job.id).status is Status.SUCCEEDED


def test_files_in_the_rows_make_the_estimate_no_bound(gate: Gate) -> None:
    turn = b'{"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/%d.png"}}]},'
    answer = b'{"role":"model","parts":[{"text":"A%d"}]}]}\n'
    rows = b"".join((turn + answer) % (n, n) for n in range(20))
    job = gate.desk.create(gate.order(training_file=gate.upload(rows), max_cost_usd=1e9), owner="acme")
    gate.settle(beats=3)
    assert gate.job(job.id).status is Status.HELD
    assert "files in the rows" in gate.desk.history(job.id, owner="acme", after=None, limit=1)[0].message


def test_an_approved_job_runs_to_its_model_up_to_the_bound_that_was_shown(gate: Gate) -> None:
    job = gate.held(limit=0.5)
    approved = gate.approvals.approve(job.id, grant=grant())
    assert approved.status is Status.SUBMITTING
    assert approved.approval is not None
    assert approved.estimate is not None
    assert (approved.approval.by, approved.approval.max_cost_usd) == ("acme (laptop)", approved.estimate.usd_high)
    gate.settle()
    done = gate.job(job.id)
    assert (done.status, done.open, len(gate.backend.jobs)) == (Status.SUCCEEDED, False, 1)
    assert set(gate.announced()) == set(range(1, done.sequence + 1))


def test_approving_twice_is_success_and_no_write(gate: Gate) -> None:
    job = gate.held()
    first = gate.approvals.approve(job.id, grant=grant())
    assert gate.approvals.approve(job.id, grant=grant()) == first
    gate.settle()
    done = gate.job(job.id)
    assert gate.approvals.approve(job.id, grant=grant()) == done == gate.job(job.id)


def test_another_ceiling_for_an_approved_job_is_not_dropped_in_silence(gate: Gate) -> None:
    job = gate.held()
    gate.approvals.approve(job.id, grant=grant(), max_cost_usd=90.0)
    gate.approvals.approve(job.id, grant=grant(), max_cost_usd=90.0)
    with pytest.raises(BadInput, match="not held"):
        gate.approvals.approve(job.id, grant=grant(), max_cost_usd=91.0)


def test_a_key_approves_what_it_could_have_created_and_no_more(tmp_path: Path) -> None:
    gate = Gate(tmp_path, catalogue=priced(), max_cost_usd=1000.0)
    job = gate.held(limit=None, key_limit=0.5)
    with pytest.raises(NotAllowed, match="Ask an admin"):
        gate.approvals.approve(job.id, grant=grant(max_cost_usd=0.5))
    approved = gate.approvals.approve(job.id, grant=grant(max_cost_usd=100.0), max_cost_usd=500.0)
    assert approved.approval is not None
    assert approved.approval.max_cost_usd == 100.0


def test_only_an_admin_lifts_the_installations_limit(tmp_path: Path) -> None:
    gate = Gate(tmp_path, catalogue=priced(), max_cost_usd=0.5)
    job = gate.held(limit=None)
    with pytest.raises(NotAllowed):
        gate.approvals.approve(job.id, grant=grant())
    assert gate.approvals.approve(job.id, grant=ADMIN).status is Status.SUBMITTING


def test_without_a_price_only_an_admin_approves_past_a_key(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    job = gate.held(limit=5.0)
    with pytest.raises(NotAllowed):
        gate.approvals.approve(job.id, grant=grant(max_cost_usd=1e9))
    with pytest.raises(BadInput, match="no ceiling can be kept") as refused:
        gate.approvals.approve(job.id, grant=ADMIN, max_cost_usd=50.0)
    assert refused.value.param == "max_cost_usd"
    approved = gate.approvals.approve(job.id, grant=ADMIN)
    assert approved.approval is not None
    assert approved.approval.max_cost_usd is None


def test_another_tenant_may_neither_approve_nor_refuse(gate: Gate) -> None:
    job = gate.held()
    for decide in (gate.approvals.approve, gate.approvals.refuse):
        with pytest.raises(NotFound):
            decide(job.id, grant=grant(owner="rival"))


def test_a_refused_job_fails_with_the_reason_and_costs_nothing(gate: Gate) -> None:
    job = gate.held()
    refused = gate.approvals.refuse(job.id, grant=ADMIN, reason="use the small model")
    assert gate.approvals.refuse(job.id, grant=ADMIN) == refused
    gate.settle()
    done = gate.job(job.id)
    assert done.error is not None
    assert (done.status, done.open, done.error.code) == (Status.FAILED, False, "approval_refused")
    assert done.error.message == "Refused by platform (laptop): use the small model"
    assert not gate.backend.jobs
    assert set(gate.announced()) == set(range(1, done.sequence + 1))


def test_a_refusal_may_do_without_a_reason(gate: Gate) -> None:
    error = gate.approvals.refuse(gate.held().id, grant=Grant(owner="acme", scopes=(Scope.TUNE,), created_at=0)).error
    assert error is not None
    assert error.message == "Refused by acme."


def test_what_is_not_held_is_not_decided(gate: Gate) -> None:
    job = gate.desk.create(gate.order(), owner="acme")
    for decide in (gate.approvals.approve, gate.approvals.refuse):
        with pytest.raises(BadInput, match="is requested, not held") as refused:
            decide(job.id, grant=grant())
        assert refused.value.code == "job_not_held"


def test_a_held_job_is_cancelled_at_once(gate: Gate) -> None:
    job = gate.held()
    assert gate.desk.cancel(job.id, owner="acme").status is Status.CANCELLED
    gate.settle()
    assert (gate.job(job.id).open, gate.backend.jobs) == (False, {})
    with pytest.raises(BadInput):
        gate.approvals.approve(job.id, grant=grant())


def test_a_held_job_that_nobody_answers_ends_in_a_week_and_not_before(gate: Gate) -> None:
    job = gate.held()
    gate.clock = job.moved_at + HOLD_SECONDS - DAY
    gate.settle()
    assert gate.job(job.id).status is Status.HELD
    gate.clock = job.moved_at + HOLD_SECONDS
    gate.clock += 3600
    gate.settle()
    done = gate.job(job.id)
    assert done.error is not None
    assert (done.status, done.error.code, done.open) == (Status.FAILED, "approval_expired", False)


def test_a_held_job_costs_one_write_an_hour_and_no_event(gate: Gate) -> None:
    job = gate.held()
    gate.settle(beats=30)
    assert gate.job(job.id) == job
    gate.clock = job.deadline
    assert tick(gate.lifecycle) == 1
    assert gate.deliver(gate.events.sent[-1])
    assert gate.job(job.id) == msgspec.structs.replace(job, deadline=job.deadline + 3600, due=job.deadline + 3600)


def test_a_price_that_is_settled_meanwhile_lets_the_job_go_on(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    job = gate.held(limit=1000.0)
    gate.submit = gate.submitter(priced())
    gate.clock = job.deadline
    gate.settle()
    done = gate.job(job.id)
    assert done.estimate is not None
    assert (done.status, done.estimate.published, done.approval) == (Status.SUCCEEDED, True, None)


def test_an_approval_survives_a_bus_that_is_away(gate: Gate) -> None:
    job = gate.held()
    gate.events.away = True
    gate.approvals.approve(job.id, grant=grant())
    gate.events.away = False
    gate.settle()
    assert gate.job(job.id).status is Status.SUCCEEDED


def test_an_approval_whose_answer_was_lost_is_given_once(gate: Gate) -> None:
    job = gate.held()
    gate.documents.lose_answers = 1
    with pytest.raises(TryLater):
        gate.approvals.approve(job.id, grant=grant())
    assert gate.approvals.approve(job.id, grant=grant()).approval is not None
    gate.settle()
    assert (gate.job(job.id).status, len(gate.backend.jobs)) == (Status.SUCCEEDED, 1)


def test_every_message_of_a_held_and_approved_job_twice_changes_nothing(gate: Gate) -> None:
    job = gate.held()
    gate.approvals.approve(job.id, grant=grant())
    gate.settle()
    done = gate.job(job.id)
    for message in [*gate.events.sent[::-1], *gate.events.sent]:
        assert gate.deliver(message)
    assert (gate.job(job.id), len(gate.backend.jobs)) == (done, 1)
    assert {message.topic for message in gate.events.sent} >= {Topic.JOB_REQUESTED, Topic.POLL_DUE}


def test_the_caller_s_limit_is_part_of_what_an_idempotency_key_stands_for(gate: Gate) -> None:
    order = gate.order(idempotency_key="once", max_cost_usd=1.0)
    assert gate.desk.create(order, owner="acme").id == gate.desk.create(order, owner="acme", key_limit=3.0).id
    with pytest.raises(BadInput, match="new key"):
        gate.desk.create(msgspec.structs.replace(order, max_cost_usd=2.0), owner="acme")


def test_a_job_without_any_estimate_is_held_too(gate: Gate) -> None:
    job = msgspec.structs.replace(gate.held(), estimate=None)
    assert "there is no estimate" in str(reason_to_hold(job))
    assert repriced(msgspec.structs.replace(job, dataset=None), load().models[0]).estimate is None


@pytest.mark.parametrize(("limit", "said"), [(0.0001, "limit of 0.0001 USD"), (0.0, "limit of 0.00 USD")])
def test_a_limit_is_told_with_all_the_digits_that_were_given(gate: Gate, limit: float, said: str) -> None:
    assert said in (reason_to_hold(gate.held(limit=limit)) or "")
