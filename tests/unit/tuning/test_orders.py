"""Orders: what of them reaches the provider."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import BUCKET, Loop
from tuneway.ports import Checkpoint, Method, TuningRequest
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import PATIENCE, TRANSITIONS, Job, JobId, Line, Status, checkpoint_id, event, moved

OPEN = "meta/llama3_1@llama-3.1-8b"


def test_every_hyperparameter_is_a_field_of_the_request_under_the_same_name() -> None:
    assert set(Hyperparameters.__struct_fields__) <= set(TuningRequest.__struct_fields__)


def test_what_the_caller_chose_reaches_the_provider(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    chosen = Hyperparameters(epochs=4, learning_rate=1e-4, batch_size=8)
    loop.desk.create(loop.order(model=OPEN, hyperparameters=chosen, tuning_mode="full"), owner="acme")
    loop.settle(beats=2)
    ((request, _),) = loop.backend.jobs.values()
    assert (request.epochs, request.learning_rate, request.batch_size) == (4, 1e-4, 8)
    assert (request.tuning_mode, request.method, request.base_model) == ("full", Method.SUPERVISED, OPEN)
    assert request.output_uri == f"gs://{BUCKET}/jobs/{request.token}/output"


def test_a_backend_without_a_place_of_its_own_is_given_none(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.desk.create(loop.order(), owner="acme")
    loop.settle(beats=2)
    ((request, _),) = loop.backend.jobs.values()
    assert (request.output_uri, request.container, request.pre_tuned) == (None, None, None)


@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("after", list(Status))
def test_a_move_is_in_the_table_or_refused(before: Status, after: Status) -> None:
    job = _job(before)
    if after not in TRANSITIONS[before]:
        with pytest.raises(Exception, match=f"is {before} cannot become {after}"):
            moved(job, after, now=5.0)
        return
    there = moved(job, after, now=5.0)
    deadline = job.deadline if after is Status.RUNNING else 5.0 + PATIENCE.get(after, 0)
    assert (there.status, there.moved_at, there.deadline) == (after, 5.0, deadline)
    assert there.open == (after not in {Status.FAILED, Status.CANCELLED})
    assert there.finished_at == (None if TRANSITIONS[after] else 5.0)
    assert there.started_at == (5.0 if after is Status.RUNNING else None)


def test_from_every_status_an_end_can_be_reached() -> None:
    for status in Status:
        seen, waiting = {status}, [status]
        while waiting:
            following = TRANSITIONS[waiting.pop()] - seen
            seen |= following
            waiting += following
        assert any(not TRANSITIONS[each] for each in seen), status


@pytest.mark.parametrize(
    ("status", "line", "level"),
    [
        (Status.FAILED, Line(message="x"), "error"),
        (Status.FAILED, Line(message="x", type="metrics"), "info"),
        (Status.HELD, Line(message="x", level="warn"), "warn"),
        (Status.RUNNING, Line(message="x"), "info"),
    ],
)
def test_a_failure_is_an_error_and_figures_are_not(status: Status, line: Line, level: str) -> None:
    assert event(_job(status), line, sequence=1, now=0).level == level


def test_an_old_job_without_the_newer_fields_is_still_read() -> None:
    newer = {"backend", "method", "allowance", "approval", "metrics_step", "checkpoint_losses", "actual_cost"}
    fields = {name: value for name, value in msgspec.to_builtins(_job(Status.RUNNING)).items() if name not in newer}
    assert msgspec.convert(fields, Job) == _job(Status.RUNNING)


def test_a_checkpoints_id_names_its_job() -> None:
    assert checkpoint_id(_job(Status.RUNNING), Checkpoint(id="3", epoch=3, step=30)) == "ftckpt-1-3"


def _job(status: Status) -> Job:
    return Job(
        id=JobId("ftjob-1"),
        owner="acme",
        base_model="gemini-3.5-flash",
        location="us-central1",
        alias="ft:x",
        training_file="file-1",
        hyperparameters=Hyperparameters(),
        created_at=1.0,
        moved_at=1.0,
        deadline=1.0,
        status=status,
    )
