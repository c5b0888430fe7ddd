"""``tuneway sweeps create``: the columns that a file names count for its price too, and one command is one sweep."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import CHAT
from tests.unit.cli.served import Run, served
from tests.unit.edge.quoting import quotes_of
from tests.unit.tuning.sweeps.sweeping import SweepLoop
from tuneway.edge.fine_tuning import estimates, files
from tuneway.edge.fine_tuning import sweeps as fine_tuning

BASE = "gemini-3.5-flash"
COLUMNS = "columns: {prompt: ticket, completion: reply}"


@pytest.fixture
def loop(tmp_path: Path) -> SweepLoop:
    return SweepLoop(tmp_path)


@pytest.fixture
def run(loop: SweepLoop) -> Iterator[Run]:
    rules = [
        *files.rules(loop.shelf),
        *fine_tuning.rules(loop.sweep_desk),
        *estimates.rules(loop.desk, quotes_of(loop)),
    ]
    with served(rules) as command:
        yield command


def sweep_of(folder: Path, rows: Path, *more: str) -> str:
    """The name of a file that says a sweep."""
    path = folder / "sweep.yaml"
    grid = ("grid: {n_epochs: [1, 2]}",) if not any(line.startswith("jobs:") for line in more) else ()
    path.write_text("\n".join([f"model: {BASE}", f"training_file: {rows}", *grid, *more]))
    return str(path)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("ticket,reply\n" + "".join(f"Where is {n}?,In box {n}.\n" for n in range(120)))
    return path


@pytest.mark.parametrize("more", [(), ("jobs: [{hyperparameters: {n_epochs: 1}}, {suffix: b}]",)])
def test_a_sweep_is_priced_by_the_columns_that_its_file_names(
    run: Run, tmp_path: Path, table: Path, more: tuple[str, ...]
) -> None:
    done = run("sweeps", "create", "-f", sweep_of(tmp_path, table, COLUMNS, *more), "--dry-run")
    assert (done.exit_code, "Jobs      2" in done.output) == (0, True), done.output


def test_a_sweep_on_an_upload_is_priced_by_its_columns_too(
    loop: SweepLoop, run: Run, tmp_path: Path, table: Path
) -> None:
    with table.open("rb") as content:
        kept = loop.shelf.upload(content, filename="rows.csv", purpose="fine-tune", owner="acme")
    done = run("sweeps", "create", "-f", sweep_of(tmp_path, Path(kept.id), COLUMNS), "--dry-run")
    assert done.exit_code == 0, done.output


def test_columns_of_rows_that_have_none_are_refused_before_a_sweep(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(CHAT % (n, n) for n in range(100)))
    done = run("sweeps", "create", "-f", sweep_of(tmp_path, rows, COLUMNS), "--dry-run")
    assert (done.exit_code, "has no 'ticket' and no 'reply'" in done.output) == (1, True)


def test_columns_that_name_no_two_are_refused(run: Run, tmp_path: Path, table: Path) -> None:
    done = run("sweeps", "create", "-f", sweep_of(tmp_path, table, "columns: {prompt: ticket}"), "--dry-run")
    assert (done.exit_code, "'columns' is {prompt" in done.output) == (1, True)


def test_a_sweep_whose_upload_is_deleted_is_pointed_to(loop: SweepLoop, run: Run, tmp_path: Path, table: Path) -> None:
    asked = ("sweeps", "create", "-f", sweep_of(tmp_path, table, COLUMNS))
    assert run(*asked).output == run(*asked).output
    (sweep,) = loop.sweep_desk.newest(owner="acme", after=None, limit=9)
    loop.shelf.delete(sweep.members[0].order.training_file, owner="acme")
    done = run(*asked)
    assert (done.exit_code, f"created before (sweep {sweep.id})" in done.output) == (1, True)
    assert len(loop.sweep_desk.newest(owner="acme", after=None, limit=9)) == 1
