"""A request that is sent again with its Idempotency-Key has its first answer, whatever became of its files."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tests.unit.edge.asking import Asking
from tests.unit.tuning.sweeps.sweeping import SweepLoop
from tuneway.edge.fine_tuning import jobs, replays, sweeps
from tuneway.errors import BadInput
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.sweeps.desk import SweepOrder

BASE = "gemini-3.5-flash"
KEY = {"Idempotency-Key": "once"}
JOBS, SWEEPS = "/v1/fine_tuning/jobs", "/v1/fine_tuning/sweeps"


def kept(loop: Loop) -> str:
    """The id of an upload of acme's."""
    with loop.files.read(loop.upload()) as content:
        return loop.shelf.upload(content, filename="a.jsonl", purpose="fine-tune", owner="acme").id


@pytest.fixture
def loop(tmp_path: Path) -> SweepLoop:
    return SweepLoop(tmp_path)


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_a_retry_after_its_file_was_deleted_brings_back_the_job(loop: SweepLoop, field: str) -> None:
    door = Asking(jobs.rules(loop.desk, loop.approvals))
    body = {"model": BASE, "training_file": kept(loop), "validation_file": kept(loop)}
    first = door("POST", JOBS, body=body, sent=KEY)
    loop.shelf.delete(body[field], owner="acme")
    again = door("POST", JOBS, body=body, sent=KEY)
    assert (first.status, again.status, again.json) == (200, 200, first.json)


def test_a_retry_tells_of_the_job_once_more(loop: SweepLoop) -> None:
    order = loop.order(training_file=kept(loop), idempotency_key="once")
    job = loop.desk.create(order, owner="acme")
    loop.events.sent.clear()
    loop.shelf.delete(order.training_file, owner="acme")
    assert loop.desk.create(order, owner="acme").id == job.id
    assert [message.topic for message in loop.events.sent] == ["job-requested"]


def test_another_order_under_the_key_of_a_job_is_refused_also_without_its_file(loop: SweepLoop) -> None:
    order = loop.order(training_file=kept(loop), idempotency_key="once")
    loop.desk.create(order, owner="acme")
    loop.shelf.delete(order.training_file, owner="acme")
    with pytest.raises(BadInput, match="new key") as refused:
        loop.desk.create(msgspec.structs.replace(order, suffix="other"), owner="acme")
    assert refused.value.code == "idempotency_key_reused"
    assert len(loop.desk.newest(owner="acme", after=None, limit=10)) == 1


def test_the_key_of_one_tenant_is_nothing_to_another(loop: SweepLoop) -> None:
    order = loop.order(training_file=kept(loop), idempotency_key="once")
    loop.desk.create(order, owner="acme")
    with pytest.raises(BadInput) as refused:
        loop.desk.create(order, owner="rival")
    assert refused.value.code == "file_not_found"


def test_a_new_key_for_a_file_that_is_gone_is_refused(loop: SweepLoop) -> None:
    order = loop.order(training_file=kept(loop), idempotency_key="once")
    loop.desk.create(order, owner="acme")
    loop.shelf.delete(order.training_file, owner="acme")
    with pytest.raises(BadInput) as refused:
        loop.desk.create(msgspec.structs.replace(order, idempotency_key="twice"), owner="acme")
    assert (refused.value.param, refused.value.code) == ("training_file", "file_not_found")


def test_a_retry_is_answered_where_its_base_can_no_longer_be_tuned(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order(idempotency_key="once")
    job = loop.desk.create(order, owner="acme")
    changed = Loop(tmp_path, missing={loop.desk.base(BASE).backend: "TUNEWAY_BUCKET"})
    assert changed.desk.create(order, owner="acme").id == job.id


def test_a_replay_sent_again_after_its_file_was_deleted_brings_back_the_job(loop: SweepLoop) -> None:
    inspector = Inspector(loop.shelf, loop.files, catalogue=loop.catalogue, now=lambda: loop.clock)
    door = Asking(replays.rules(loop.desk, inspector))
    job = loop.desk.create(loop.order(training_file=kept(loop)), owner="acme")
    loop.settle()
    path = f"{JOBS}/{job.id}/replay"
    first = door("POST", path, sent=KEY)
    loop.shelf.delete(job.training_file, owner="acme")
    again = door("POST", path, sent=KEY)
    assert (first.status, again.status, again.json) == (200, 200, first.json)
    assert door("POST", path, sent={"Idempotency-Key": "twice"}).error["code"] == "file_not_found"


def test_a_sweep_sent_again_after_its_file_was_deleted_is_the_same_sweep(loop: SweepLoop) -> None:
    door = Asking(sweeps.rules(loop.sweep_desk))
    body = {"model": BASE, "training_file": kept(loop), "grid": {"n_epochs": [1, 2]}}
    first = door("POST", SWEEPS, body=body, sent=KEY)
    loop.shelf.delete(str(body["training_file"]), owner="acme")
    again = door("POST", SWEEPS, body=body, sent=KEY)
    assert (first.status, again.status, again.json) == (200, 200, first.json)
    assert door("POST", SWEEPS, body=body, sent={"Idempotency-Key": "twice"}).error["code"] == "file_not_found"


def test_another_sweep_under_the_key_is_refused_also_without_its_file(loop: SweepLoop) -> None:
    order = SweepOrder(jobs=loop.jobs_of(0.5, 1.0, training_file=kept(loop)), idempotency_key="once")
    loop.sweep_desk.create(order, owner="acme")
    loop.shelf.delete(order.jobs[0].training_file, owner="acme")
    with pytest.raises(BadInput, match="new key") as refused:
        loop.sweep_desk.create(msgspec.structs.replace(order, name="other"), owner="acme")
    assert refused.value.code == "idempotency_key_reused"
