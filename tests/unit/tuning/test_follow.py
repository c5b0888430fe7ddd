"""What becomes of a provider's word on a job: phases, steps, losses, the ceiling, and every ending."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tests.unit.tuning.test_gate import ADMIN, Gate, priced
from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, Key, Loss, ProviderState, TunedModel
from tuneway.tuning import outlook
from tuneway.tuning.jobs import Job, JobEvent, Status
from tuneway.tuning.losses import MOST


class Run(Gate):
    """A loop whose one job is at the provider."""

    def begun(self, **fields: object) -> Job:
        job = self.desk.create(self.order(**fields), owner="acme")
        self.settle(train=False, beats=3)
        assert self.job(job.id).status is Status.QUEUED, self.job(job.id).error
        return self.job(job.id)

    @property
    def name(self) -> str:
        return next(iter(self.backend.jobs))

    def says(self, state: ProviderState, **fields: object) -> Job:
        """The job after the provider has said so."""
        self.backend.turn(self.name, state, **fields)
        self.settle(train=False, beats=2)
        return self.job(self.backend.jobs[self.name][0].token)

    def told(self, job: Job) -> list[JobEvent]:
        return self.desk.history(job.id, owner="acme", after=None, limit=1000)[::-1]

    def lines(self, job: Job) -> list[str]:
        return [event.message for event in self.told(job)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, catalogue=priced())


def test_every_phase_is_told_in_words_a_person_uses(run: Run) -> None:
    job = run.begun()
    run.says(ProviderState.QUEUED, phase="waiting_for_quota")
    for phase in ("processing_dataset", "waiting_for_capacity", "tuning", "post_processing", "polishing_brass"):
        run.says(ProviderState.RUNNING, phase=phase)
    lines = run.lines(job)
    at = [lines.index(line) for line in lines if "Waiting" in line or "reads" in line or "Training" in line]
    assert at == sorted(at)
    assert "Waiting for a place in the project's quota of tuning jobs." in lines
    assert lines.index("Fine-tuning started.") > lines.index(
        "Waiting for a place in the project's quota of tuning jobs."
    )
    assert lines[-1] == "Phase: polishing brass."


def test_epochs_are_told_where_the_provider_counts_no_steps(run: Run) -> None:
    job = run.begun()
    for epochs in (0, 1, 1, 2):
        run.says(ProviderState.RUNNING, epochs_done=epochs)
    assert [line for line in run.lines(job) if line.startswith("Epoch")] == ["Epoch 1 done.", "Epoch 2 done."]
    assert 0.5 < outlook.share(run.job(job.id)) < 0.95


def test_progress_never_goes_back(run: Run) -> None:
    run.begun()
    shares = [
        outlook.share(run.says(ProviderState.RUNNING, steps_total=100, **said))
        for said in (
            {"phase": "processing_dataset"},
            {"phase": "waiting_for_capacity"},
            {"phase": "tuning"},
            {"phase": "tuning", "steps_done": 30},
            {"phase": "tuning", "steps_done": 20},
            {"phase": "tuning", "steps_done": 100},
            {"phase": "post_processing", "steps_done": 100},
        )
    ]
    done = run.says(ProviderState.SUCCEEDED)
    assert shares == sorted(shares)
    assert outlook.share(done) == 1.0


def test_a_finish_is_foretold_by_the_pace_of_the_steps_not_by_the_wait_before_them(run: Run) -> None:
    run.begun()
    run.says(ProviderState.RUNNING, phase="waiting_for_capacity", steps_total=100)
    run.clock += 7200
    first = run.says(ProviderState.RUNNING, phase="tuning", steps_done=10)
    assert outlook.finish(first) is None
    assert first.progress is not None
    run.clock = first.progress.seen_at + 400
    later = run.says(ProviderState.RUNNING, phase="tuning", steps_done=50)
    assert later.progress is not None
    pace = (later.progress.seen_at - first.progress.seen_at) / 40
    assert outlook.finish(later) == pytest.approx(later.progress.seen_at + 50 * pace)


def test_before_there_is_a_pace_past_jobs_foretell_the_finish(run: Run) -> None:
    for _ in range(2):
        run.begun()
        run.clock += 1000
        run.says(ProviderState.RUNNING)
        run.clock += 1000
        run.says(ProviderState.SUCCEEDED)
        run.backend.jobs.clear()
    run.begun()
    job = run.says(ProviderState.RUNNING)
    finish = outlook.finish(job)
    assert finish is not None
    assert job.started_at is not None
    assert 100 < finish - job.started_at < 3000
    late = msgspec.structs.replace(job, started_at=job.started_at - 10**6, progress=None, forecast_seconds=0.0)
    assert outlook.finish(late) is None


def test_a_job_that_does_not_run_has_no_finish(run: Run) -> None:
    assert outlook.finish(run.begun()) is None


def test_losses_become_metrics_events_as_openai_writes_them(run: Run) -> None:
    job = run.begun()
    losses = (Loss(step=10, epoch=1, training=2.5), Loss(step=20, epoch=1, training=1.25, validation=1.5))
    run.says(ProviderState.RUNNING, phase="tuning", steps_done=20, steps_total=100, losses=losses)
    metrics = [event for event in run.told(job) if event.type == "metrics"]
    assert [event.data for event in metrics] == [
        {"step": 10, "total_steps": 100, "epoch": 1, "train_loss": 2.5},
        {"step": 20, "total_steps": 100, "epoch": 1, "train_loss": 1.25, "valid_loss": 1.5},
    ]
    assert metrics[1].message == "Step 20/100: training loss=1.25, validation loss=1.5"
    run.says(ProviderState.RUNNING, losses=losses)
    assert len([event for event in run.told(job) if event.type == "metrics"]) == 2


@pytest.mark.parametrize("total", [100_000, None])
def test_a_flood_of_losses_stays_a_short_history_with_its_last_one(run: Run, total: int | None) -> None:
    job = run.begun()
    losses = tuple(Loss(step=step, training=1 / step) for step in range(1, 20_002, 4))
    for seen in range(0, 20_001, 2_000):
        known = tuple(loss for loss in losses if loss.step < seen)
        run.says(ProviderState.RUNNING, steps_done=seen, steps_total=total, losses=known)
    run.says(ProviderState.SUCCEEDED, losses=losses)
    steps = [event.data["step"] for event in run.told(job) if event.type == "metrics"]
    assert steps == sorted(steps, key=int)
    assert (len(steps) <= MOST, steps[-1]) == (True, 20_001)


def test_even_validation_losses_have_an_end(run: Run) -> None:
    job = run.begun()
    losses = tuple(Loss(step=step, validation=1.0) for step in range(1, 3 * MOST))
    run.says(ProviderState.RUNNING, losses=losses)
    run.says(ProviderState.SUCCEEDED, losses=losses)
    assert len([event for event in run.told(job) if event.type == "metrics"]) == MOST
    assert run.job(job.id).metrics_told == MOST


def test_a_loss_that_is_no_number_is_left_out(run: Run) -> None:
    job = run.begun()
    losses = (Loss(step=1, training=float("nan")), Loss(step=2, training=float("inf")), Loss(step=3))
    run.says(ProviderState.RUNNING, losses=losses)
    assert not [event for event in run.told(job) if event.type == "metrics"]


def test_a_checkpoint_bears_the_loss_at_its_step(run: Run) -> None:
    points = tuple(Checkpoint(id=str(n), epoch=n, step=10 * n, endpoint=f"e/{n}") for n in (1, 2))
    tuned = TunedModel(model="projects/p/locations/us/models/9@1", endpoint="e/2", checkpoints=points)
    job = run.begun()
    run.says(ProviderState.SUCCEEDED, tuned=tuned, losses=(Loss(step=9, training=2.0), Loss(step=25, training=1.0)))
    assert run.job(job.id).checkpoint_losses == (
        Loss(step=10, epoch=1, training=2.0),
        Loss(step=20, epoch=2, training=2.0),
    )


def test_a_job_above_its_ceiling_is_stopped_and_says_so(run: Run) -> None:
    job = run.begun(max_cost_usd=1000.0)
    stopped = run.says(ProviderState.RUNNING, steps_done=50, steps_total=100, billable_tokens=100_000)
    assert stopped.error is not None
    assert (stopped.status, stopped.error.code) == (Status.CANCELLED, "cost_ceiling")
    warning = next(event for event in run.told(job) if event.level == "warn")
    assert "1,500.00 USD so far" in warning.message
    assert "1,000.00 USD" in warning.message
    assert (run.backend.jobs[run.name][1].state, stopped.open) == (ProviderState.CANCELLED, False)
    assert set(run.announced()) == set(range(1, stopped.sequence + 1))


def test_a_job_that_is_bound_to_break_its_ceiling_is_stopped_before_it_does(run: Run) -> None:
    hyperparameters = msgspec.structs.replace(run.order().hyperparameters, epochs=3)
    run.begun(max_cost_usd=1000.0, hyperparameters=hyperparameters)
    assert run.says(ProviderState.RUNNING, billable_tokens=33_000).status is Status.RUNNING
    stopped = run.says(ProviderState.RUNNING, billable_tokens=34_000)
    assert stopped.error is not None
    assert (stopped.status, "would cost 1,020.00 USD" in stopped.error.message) == (Status.CANCELLED, True)


@pytest.mark.parametrize("said", [{"steps_done": 1, "steps_total": 10}, {"epochs_done": 1}, {}])
def test_a_job_below_its_ceiling_runs_on(run: Run, said: dict[str, int]) -> None:
    run.begun(max_cost_usd=1000.0)
    assert run.says(ProviderState.RUNNING, billable_tokens=33_000, **said).status is Status.RUNNING


def test_epochs_that_the_provider_chose_count_by_those_it_has_done(run: Run) -> None:
    run.begun(max_cost_usd=1000.0)
    said = {"billable_tokens": 20_000, "steps_total": 100}
    assert run.says(ProviderState.RUNNING, epochs_done=4, steps_done=40, **said).status is Status.RUNNING
    assert run.says(ProviderState.RUNNING, epochs_done=6, steps_done=60, **said).status is Status.CANCELLED


def test_a_cost_just_above_its_ceiling_is_not_told_as_the_ceiling(run: Run) -> None:
    run.begun(max_cost_usd=1000.0)
    stopped = run.says(ProviderState.RUNNING, steps_done=50, steps_total=100, billable_tokens=66_667)
    assert stopped.error is not None
    assert "1,000.005 USD so far, and may cost 1,000.00 USD" in stopped.error.message


def test_an_approval_moves_the_ceiling(run: Run) -> None:
    job = run.held(limit=0.5)
    run.approvals.approve(job.id, grant=ADMIN, max_cost_usd=2000.0)
    run.settle(train=False, beats=3)
    said = {"steps_done": 50, "steps_total": 100}
    assert run.says(ProviderState.RUNNING, billable_tokens=100_000, **said).status is Status.RUNNING
    assert run.says(ProviderState.RUNNING, billable_tokens=200_000, **said).status is Status.CANCELLED


def test_without_a_published_price_no_ceiling_is_guessed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    job = run.held(limit=0.5)
    run.approvals.approve(job.id, grant=ADMIN)
    run.settle(train=False, beats=3)
    assert run.says(ProviderState.RUNNING, steps_done=9, steps_total=10, billable_tokens=10**9).status is Status.RUNNING


def test_a_ceiling_that_came_too_late_is_told_truthfully(run: Run) -> None:
    run.backend.slow = True
    job = run.begun(max_cost_usd=1000.0)
    stopping = run.says(ProviderState.RUNNING, steps_done=99, steps_total=100, billable_tokens=100_000)
    assert (stopping.status, run.backend.ending) == (Status.CANCELLING, {run.name})
    done = run.says(ProviderState.SUCCEEDED)
    assert (done.status, done.error, done.fine_tuned_model) == (Status.SUCCEEDED, None, done.alias)
    assert any("had finished before the cancellation reached it" in line for line in run.lines(job))


def test_the_provider_s_count_is_kept_beside_the_estimate(run: Run) -> None:
    hyperparameters = msgspec.structs.replace(run.order().hyperparameters, epochs=3)
    run.begun(hyperparameters=hyperparameters)
    done = run.says(ProviderState.SUCCEEDED, billable_tokens=1_000)
    assert done.actual_cost is not None
    assert done.estimate is not None
    assert (done.trained_tokens, done.actual_cost.usd) == (3_000, 30.0)
    assert done.actual_cost.over_usd == pytest.approx(30.0 - (done.estimate.usd_high or 0))


def test_a_stand_in_is_no_price_for_what_a_job_did_cost(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.begun()
    done = run.says(ProviderState.SUCCEEDED)
    assert done.actual_cost is not None
    assert (done.actual_cost.usd, done.actual_cost.trained_tokens) == (None, 1234)


@pytest.mark.parametrize(
    ("state", "status", "line"),
    [
        (ProviderState.SUCCEEDED, Status.SUCCEEDED, "Fine-tuning had finished before the cancellation reached it"),
        (ProviderState.FAILED, Status.FAILED, "Fine-tuning failed before the cancellation reached it."),
        (ProviderState.CANCELLED, Status.CANCELLED, "Fine-tuning cancelled."),
    ],
)
def test_a_cancellation_that_races_with_an_ending_is_told_as_it_was(
    run: Run, state: ProviderState, status: Status, line: str
) -> None:
    run.backend.slow = True
    job = run.begun()
    assert run.desk.cancel(job.id, owner="acme").status is Status.CANCELLING
    run.settle(train=False, beats=2)
    assert run.says(ProviderState.RUNNING, steps_done=1).status is Status.CANCELLING
    done = run.says(state)
    assert (done.status, done.open) == (status, False)
    assert any(each.startswith(line) for each in run.lines(job))


def test_one_who_cancels_past_tuneway_is_not_taken_for_a_caller(run: Run) -> None:
    job = run.begun()
    assert run.says(ProviderState.CANCELLED).status is Status.CANCELLED
    assert "past tuneway" in run.lines(job)[-1]


def test_a_success_without_its_model_is_waited_for(run: Run) -> None:
    job = run.begun()
    assert run.says(ProviderState.SUCCEEDED, tuned=None).status is Status.QUEUED
    assert run.says(ProviderState.SUCCEEDED).status is Status.SUCCEEDED
    assert run.job(job.id).fine_tuned_model == job.alias


def test_what_has_not_changed_costs_no_write(run: Run) -> None:
    job = run.begun()
    said = {"phase": "tuning", "steps_done": 50, "steps_total": 100, "losses": (Loss(step=50, training=1.0),)}
    run.says(ProviderState.RUNNING, **said)
    before = run.documents.get(Key("jobs", job.id))
    run.says(ProviderState.RUNNING, **said)
    run.says(ProviderState.RUNNING, **{**said, "steps_done": 51})
    assert run.documents.get(Key("jobs", job.id)) == before


def test_a_job_is_asked_for_at_its_own_backend(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.desk.create(loop.order(model="meta/llama3_1@llama-3.1-8b"), owner="acme")
    loop.settle()
    assert set(loop.backends.asked) == {"vertex_open"}


def test_a_backend_that_is_gone_ends_no_job_that_may_still_run(run: Run) -> None:
    job = run.begun()
    stored = run.lifecycle.jobs.get(job.id)
    run.lifecycle.note(stored, msgspec.structs.replace(stored.value, backend="none"))
    with pytest.raises(BadInput):
        run.backends.of("none")
    run.settle(train=False, beats=2)
    assert run.job(job.id).status is Status.QUEUED
