"""``tuneway jobs create`` by its own words: a table with its columns, a method, a file that is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import CHAT, Loop
from tests.unit.cli.served import Run, served
from tests.unit.edge.quoting import quotes_of
from tuneway.edge.fine_tuning import estimates, files
from tuneway.edge.fine_tuning import jobs as fine_tuning
from tuneway.ports import Method
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.jobs import Job, Status

BASE = "gemini-3.5-flash"
NAMED = ("--prompt-column", "ticket", "--completion-column", "reply")


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


@pytest.fixture
def run(loop: Loop) -> Iterator[Run]:
    rules = [
        *files.rules(loop.shelf),
        *fine_tuning.rules(loop.desk, loop.approvals),
        *estimates.rules(loop.desk, quotes_of(loop)),
    ]
    with served(rules) as command:
        yield command


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("ticket,reply\n" + "".join(f"Where is {n}?,In box {n}.\n" for n in range(120)))
    return path


def created(loop: Loop, run: Run, *words: str) -> Job:
    done = run("jobs", "create", BASE, *words)
    assert done.exit_code == 0, done.output
    loop.settle()
    return loop.job(done.output.strip())


def test_a_table_is_tuned_on_by_the_columns_that_are_named(loop: Loop, run: Run, table: Path) -> None:
    job = created(loop, run, str(table), *NAMED)
    assert (job.status, job.columns) == (Status.SUCCEEDED, Columns(prompt="ticket", completion="reply"))


def test_options_beside_a_file_of_jobs_are_not_dropped_in_silence(run: Run, tmp_path: Path, table: Path) -> None:
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text(f"jobs: [{{model: {BASE}, training_file: {table}}}]")
    for word, value in (("--max-cost", "1"), ("--epochs", "2"), ("--validation", "x.jsonl"), ("--suffix", "a")):
        done = run("jobs", "create", "-f", str(jobs), word, value, "--dry-run")
        assert (done.exit_code, word in done.output, "defaults" in done.output) == (2, True, True)


def test_a_table_is_estimated_by_the_columns_that_are_named(run: Run, table: Path) -> None:
    assert run("jobs", "create", BASE, str(table), *NAMED, "--dry-run").exit_code == 0
    assert "--prompt-column" in run("jobs", "create", BASE, str(table), "--dry-run").output


def test_columns_of_rows_that_have_none_are_refused_by_their_option(loop: Loop, run: Run, tmp_path: Path) -> None:
    chat = tmp_path / "chat.jsonl"
    chat.write_bytes(b"".join(CHAT % (n, n) for n in range(100)))
    done = run("jobs", "create", BASE, str(chat), *NAMED, "--dry-run")
    assert (done.exit_code, "--prompt-column" in done.output) == (1, True)
    error = created(loop, run, str(chat), *NAMED).error
    assert error is not None
    assert (error.param, error.code) == ("columns", "columns_not_found")


def test_half_of_the_columns_are_no_answer(run: Run, table: Path) -> None:
    done = run("jobs", "create", BASE, str(table), "--prompt-column", "ticket")
    assert (done.exit_code, "Name both" in done.output) == (2, True)


def test_preferences_are_learned_by_their_method(loop: Loop, run: Run) -> None:
    assert created(loop, run, loop.upload(), "--method", "dpo").method is Method.PREFERENCE


@pytest.mark.parametrize("name", ["nosuch.jsonl", "data/nosuch", "rows.csv.gz"])
def test_a_path_that_leads_to_no_file_is_no_upload(run: Run, name: str) -> None:
    done = run("jobs", "create", BASE, name)
    assert (done.exit_code, f"There is no file '{name}' on this computer" in done.output) == (1, True)


def test_a_file_of_jobs_whose_upload_is_deleted_points_to_its_job(loop: Loop, run: Run, tmp_path: Path) -> None:
    rows, jobs = tmp_path / "rows.jsonl", tmp_path / "jobs.yaml"
    rows.write_bytes(b"".join(CHAT % (n, n) for n in range(100)))
    jobs.write_text(f"jobs: [{{model: {BASE}, training_file: {rows}}}]")
    assert run("jobs", "create", "-f", str(jobs)).exit_code == 0
    (job,) = loop.desk.newest(owner="acme", after=None, limit=9)
    assert job.id in run("jobs", "create", "-f", str(jobs)).output
    loop.shelf.delete(job.training_file, owner="acme")
    done = run("jobs", "create", "-f", str(jobs))
    assert (done.exit_code, f"created before (job {job.id})" in done.output, "new key" in done.output) == (
        1,
        True,
        False,
    )
    assert len(loop.desk.newest(owner="acme", after=None, limit=9)) == 1


def test_a_refusal_of_another_kind_is_told_as_it_is(run: Run, tmp_path: Path, table: Path) -> None:
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text(f"jobs: [{{model: gpt-2, training_file: {table}}}]")
    assert "no base model" in run("jobs", "create", "-f", str(jobs)).output


@pytest.mark.parametrize("named", ["{prompt: ticket}", "ticket", "{prompt: a, completion: b, more: c}"])
def test_columns_of_a_file_of_jobs_that_name_no_two_are_refused(
    run: Run, tmp_path: Path, table: Path, named: str
) -> None:
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text(f"jobs: [{{model: {BASE}, training_file: {table}, columns: {named}}}]")
    done = run("jobs", "create", "-f", str(jobs), "--dry-run")
    assert (done.exit_code, "'columns' is {prompt" in done.output) == (1, True)
