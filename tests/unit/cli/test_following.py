"""Watching and comparing jobs, and how the commands end."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.served import Run, served
from tests.unit.tuning.sweeps.sweeping import SweepLoop
from tuneway.cli import following
from tuneway.cli.jobs import age
from tuneway.edge.fine_tuning import files, sweeps
from tuneway.edge.fine_tuning import jobs as fine_tuning
from tuneway.ports import Checkpoint, TunedModel
from tuneway.tuning.jobs import Job, Status


@pytest.fixture
def loop(tmp_path: Path) -> SweepLoop:
    return SweepLoop(tmp_path)


@pytest.fixture
def run(loop: SweepLoop) -> Iterator[Run]:
    rules = [*fine_tuning.rules(loop.desk, loop.approvals), *files.rules(loop.shelf), *sweeps.rules(loop.sweep_desk)]
    with served(rules) as command:
        yield command


@pytest.fixture
def job(loop: SweepLoop) -> Job:
    return loop.desk.create(loop.jobs_of(2.0)[0], owner="acme")


def test_a_watched_job_tells_its_losses_in_plain_lines_and_ends_with_zero(run: Run, loop: SweepLoop, job: Job) -> None:
    loop.settle(beats=9)
    done = run("jobs", "watch", job.id)
    assert done.exit_code == 0
    assert f"{job.id}  Step 20: training loss=1.5, validation loss=1.6" in done.output
    assert done.output.splitlines()[-1] == loop.job(job.id).fine_tuned_model


def test_what_has_ended_is_told_once_with_its_times(run: Run, loop: SweepLoop, job: Job) -> None:
    loop.settle(beats=9)
    lines = run("jobs", "watch", job.id).output.splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  {job.id}  Created fine-tuning job\..*", lines[0])
    assert len(lines) == loop.job(job.id).sequence + 1


def test_jobs_are_listed_under_a_head_with_their_age(run: Run, job: Job) -> None:
    head, line = run("jobs", "list").output.splitlines()
    assert head.split() == ["JOB", "STATUS", "AGE", "BASE", "MODEL"]
    assert line.split()[:2] == [job.id, "validating_files"]
    assert re.fullmatch(r"\d+[smhd]", line.split()[2])


@pytest.mark.parametrize(("seconds", "said"), [(-3, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86400 * 3, "3d")])
def test_an_age_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_checkpoints_are_shown_as_a_table_and_as_json(run: Run, loop: SweepLoop, job: Job) -> None:
    assert "no checkpoints" in run("jobs", "checkpoints", job.id).output
    point = Checkpoint(id="1", epoch=1, step=20, endpoint="projects/p/e/1")
    stored = loop.lifecycle.jobs.get(job.id)
    done = {"status": Status.SUCCEEDED, "fine_tuned_model": job.alias}
    tuned = TunedModel(model="projects/p/locations/us/models/9@1", checkpoints=(point,))
    loop.lifecycle.note(stored, msgspec.structs.replace(stored.value, tuned=tuned, **done))
    head, line = run("jobs", "checkpoints", job.id).output.splitlines()
    assert head.split()[:3] == ["CHECKPOINT", "STEP", "EPOCH"]
    assert line.split() == ["1", "20", "1", "-", "-", f"{job.alias}@cp-1"]
    (shown,) = json.loads(run("jobs", "checkpoints", job.id, "--json").stdout)
    assert shown["fine_tuned_model_checkpoint"] == f"{job.alias}@cp-1"


def test_checkpoints_of_no_job_end_in_plain_words(run: Run) -> None:
    done = run("jobs", "checkpoints", "ftjob-none")
    assert (done.exit_code, "There is no fine-tuning job" in done.output) == (1, True)


def test_a_failed_job_ends_with_one_and_a_cancelled_one_with_three(run: Run, loop: SweepLoop, job: Job) -> None:
    other = loop.desk.create(loop.jobs_of(1.0)[0], owner="acme")
    loop.failing = {job.id}
    loop.desk.cancel(other.id, owner="acme")
    loop.settle(beats=9)
    codes = [run("jobs", "watch", *ids).exit_code for ids in ((job.id,), (other.id,), (job.id, other.id))]
    assert codes == [1, 3, 1]


def test_an_interrupted_watch_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        following.interruptible(interrupted)
    assert (ended.value.code, "goes on" in capsys.readouterr().err) == (130, True)


def test_json_is_all_that_is_printed(run: Run, loop: SweepLoop, job: Job) -> None:
    loop.settle(beats=9)
    done = run("jobs", "watch", job.id, "--json")
    assert [each["id"] for each in json.loads(done.stdout)] == [job.id]


def test_losses_are_drawn_with_their_last_values(run: Run, loop: SweepLoop, job: Job) -> None:
    loop.settle(beats=9)
    told = json.loads(run("jobs", "events", job.id, "--json").stdout)
    followed = following.Followed.__new__(following.Followed)
    followed.told = {
        job.id: [following.Told(id=e["id"], message=e["message"], type=e["type"], data=e["data"]) for e in told]
    }
    lines = following.loss_lines(followed, job.id)
    assert "training loss: 1.5 at step 20" in lines
    assert "validation loss: 1.6 at step 20" in lines


def test_two_jobs_are_compared_side_by_side(run: Run, loop: SweepLoop, job: Job) -> None:
    other = loop.desk.create(loop.jobs_of(1.0, training_file=job.training_file)[0], owner="acme")
    loop.settle(beats=9)
    lines = run("jobs", "compare", job.id, other.id).output.splitlines()
    by_name = {line[2:].split("  ")[0].strip(): line for line in lines}
    assert by_name["learning_rate_multiplier"].split()[0] == "*"
    assert by_name["validation loss"].split() == ["*", "validation", "loss", "1.6", "0.6"]
    assert by_name["model"].split()[0] == "model"
    assert by_name["cost (USD)"].split()[-2:] == ["1.60", "1.60"]
    rows = json.loads(run("jobs", "compare", job.id, other.id, "--json").stdout)["rows"]
    assert next(row for row in rows if row["name"] == "training loss")["differs"]
    assert run("jobs", "compare", job.id).exit_code == 1


def test_a_sweep_is_made_once_shown_and_watched(run: Run, loop: SweepLoop, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b'{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}\n' * 20)
    words = (
        "sweeps",
        "create",
        "gemini-3.5-flash",
        str(rows),
        "--grid",
        "learning_rate_multiplier=2,1",
        "--patience",
        "5",
    )
    first, second = run(*words), run(*words)
    assert (first.exit_code, first.output) == (0, second.output)
    loop.settle(beats=12)
    sweep = first.output.strip()
    done = run("sweeps", "watch", sweep)
    assert done.exit_code == 0
    assert "learning_rate_multiplier=1.0" in done.output.splitlines()[3]
    assert json.loads(run("sweeps", "show", sweep, "--json").stdout)["leaderboard"][0]["rank"] == 1


def test_a_sweep_whose_jobs_all_failed_ends_with_one(run: Run, loop: SweepLoop) -> None:
    sweep = loop.start(1.0, jobs=loop.jobs_of(1.0, training_file=loop.upload(b"no json\n")))
    loop.settle(beats=5)
    done = run("sweeps", "watch", sweep.id)
    assert (done.exit_code, "1 failed" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sweeps", "create", "gemini-3.5-flash"), "Name MODEL, DATASET and --grid"),
        (("sweeps", "create", "m", "d", "--grid", "n_epochs"), "no axis"),
        (("sweeps", "create", "gemini-3.5-flash", "gs://shop-models/x.jsonl", "--grid", "colour=1"), "grid.colour"),
        (("sweeps", "show", "ftsweep-none"), "There is no sweep"),
        (("jobs", "create"), "Name MODEL and DATASET"),
        (("jobs", "watch", "ftjob-none"), "There is no fine-tuning job"),
    ],
)
def test_what_cannot_be_done_says_why(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code in {1, 2}
    assert said in done.output
