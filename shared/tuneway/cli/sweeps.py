"""``tuneway sweeps``: many tuning jobs as one object, with its leaderboard."""

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlencode

import click
import msgspec
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.estimates import PATH as ESTIMATES
from tuneway.cli.estimates import Answer
from tuneway.cli.following import CANCELLED, FAILED, interruptible
from tuneway.cli.options import connected
from tuneway.cli.sweep_files import Given, body_of, questions, uploaded
from tuneway.cli.uploads import Uploads, once

PATH = "/v1/fine_tuning/sweeps"
HEAD = ("SWEEP", "STATUS", "JOBS", "NAME")
PAUSE = 0.5  # seconds between looks
ENDED = {"succeeded": 0, "failed": FAILED, "cancelled": CANCELLED}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Row(msgspec.Struct, frozen=True):
    """A line of the leaderboard."""

    status: str
    model: str
    index: int
    hyperparameters: dict[str, object]
    rank: int | None = None
    ranked_by: str | None = None
    job: str | None = None
    validation_loss: float | None = None
    training_loss: float | None = None
    cost_usd: float | None = None
    cost_basis: str | None = None
    progress: float = 0.0
    fine_tuned_model: str | None = None
    reason: str | None = None


class Why(msgspec.Struct, frozen=True):
    """Why nothing more was started."""

    rule: str
    message: str


class Money(msgspec.Struct, frozen=True):
    """USD."""

    spent: float
    reserved: float
    ceiling: float | None = None
    unknown_jobs: int = 0


class Promoted(msgspec.Struct, frozen=True):
    """The alias for the winner."""

    alias: str
    state: str
    message: str | None = None


class SweepView(msgspec.Struct, frozen=True):
    """A sweep as the API shows it."""

    id: str
    status: str
    jobs: dict[str, int]
    name: str | None = None
    winner: str | None = None
    stopped_by: Why | None = None
    promote: Promoted | None = None
    cost: Money | None = None
    leaderboard: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()


@click.group()
def sweeps() -> None:
    """Run many tuning jobs as one object, and compare what they made."""


@sweeps.command()
@click.argument("model", required=False)
@click.argument("dataset", required=False)
@click.option("--file", "-f", "file", type=FILE, help="A YAML file with the fields of the API.")
@click.option("--grid", multiple=True, help="NAME=VALUE,VALUE…, such as n_epochs=1,2,3. More than one may be given.")
@click.option("--validation", "validation_file", help="A validation file, named like DATASET.")
@click.option("--suffix", help="A part of the tuned models' names.")
@click.option("--name", help="A name for the sweep.")
@click.option("--concurrency", type=int, help="Jobs at once; as many as the project's quota allows when left out.")
@click.option("--max-cost", "max_cost_usd", type=float, help="USD: the ceiling of all jobs together.")
@click.option("--max-jobs", type=int, help="Refuse a grid that makes more.")
@click.option("--patience", type=int, help="Stop after so many jobs in a row that did not beat the best.")
@click.option("--min-delta", type=float, help="By how much a job has to beat the best.")
@click.option("--target", "target_validation_loss", type=float, help="Stop at this validation loss.")
@click.option("--promote", help="The alias that the winner is to answer under.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost; create nothing, send no file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def create(
    client: Client, /, file: Path | None, grid: tuple[str, ...], *, dry_run: bool, as_json: bool, **given: Given
) -> None:
    """Tune MODEL on DATASET once for each combination of the values of --grid, or what a file says.

    Running the same command twice makes no second sweep while its files are the same.
    """
    body = body_of(file, grid, given)
    if dry_run:
        _estimate(client, body, as_json=as_json)
        return
    sent, key = uploaded(body, Uploads(client))
    with once():
        made = client.call("POST", PATH, sent, headers={"Idempotency-Key": key})
    if as_json:
        show(made)
    else:
        click.echo(made["id"])


@sweeps.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_(client: Client, *, as_json: bool) -> None:
    """Show the newest sweeps."""
    found = client.rows(f"{PATH}?{urlencode({'limit': 100})}")
    if as_json:
        show(found)
        return
    views = msgspec.convert(found, list[SweepView])
    click.echo(aligned(HEAD, [(each.id, each.status, _counts(each), each.name or "-") for each in views]))


@sweeps.command("show")
@click.argument("sweep_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def show_(client: Client, sweep_id: str, *, as_json: bool) -> None:
    """Show a sweep with its leaderboard."""
    _print(client.call("GET", f"{PATH}/{sweep_id}"), as_json=as_json)


@sweeps.command()
@click.argument("sweep_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def cancel(client: Client, sweep_id: str, *, as_json: bool) -> None:
    """Start nothing more and end what runs."""
    answer = client.call("POST", f"{PATH}/{sweep_id}/cancel")
    if as_json:
        show(answer)
    else:
        click.echo(answer["status"])


@sweeps.command()
@click.argument("sweep_id")
@click.argument("job_id")
@click.argument("alias")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def promote(client: Client, sweep_id: str, job_id: str, *, alias: str, as_json: bool) -> None:
    """Have the model of JOB_ID, a job of the sweep, answer as ALIAS, too."""
    _print(client.call("POST", f"{PATH}/{sweep_id}/promote", {"job": job_id, "alias": alias}), as_json=as_json)


@sweeps.command()
@click.argument("sweep_id")
@click.option("--json", "as_json", is_flag=True, help="Print the ended sweep as JSON, and nothing before.")
@connected
def watch(client: Client, sweep_id: str, *, as_json: bool) -> None:
    """Follow a sweep to its end, with its leaderboard as it grows.

    Exits with 0 when it has succeeded, 1 when all its jobs failed, 3 when it was cancelled, and 130 when you stop
    watching: the sweep goes on.
    """
    answer = interruptible(lambda: _follow(client, sweep_id, quiet=as_json))
    _print(answer, as_json=as_json)
    sys.exit(ENDED[msgspec.convert(answer, SweepView).status])


def _follow(client: Client, sweep_id: str, *, quiet: bool) -> dict[str, object]:
    console, said = Console(emoji=False), ""
    if not quiet and console.is_terminal:
        return _live(client, sweep_id, console)
    while True:
        answer = client.call("GET", f"{PATH}/{sweep_id}")
        seen = msgspec.convert(answer, SweepView)
        if not quiet and said != (said := f"{seen.id}  {seen.status}  {_counts(seen)}"):
            click.echo(said)
        if seen.status in ENDED:
            return answer
        time.sleep(PAUSE)


def _live(client: Client, sweep_id: str, console: Console) -> dict[str, object]:
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            answer = client.call("GET", f"{PATH}/{sweep_id}")
            seen = msgspec.convert(answer, SweepView)
            if seen.status in ENDED:
                return answer
            live.update(_table(seen))
            time.sleep(PAUSE)


def _print(answer: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        show(answer)
        return
    seen, console = msgspec.convert(answer, SweepView), Console(soft_wrap=False, emoji=False)
    console.print(f"{seen.id}  {seen.status}  {_counts(seen)}", highlight=False)
    console.print(_table(seen))
    for line in _remarks(seen):
        console.print(line, highlight=False, markup=False)


def _table(seen: SweepView) -> RenderableType:
    table = Table("RANK", "JOB", "STATUS", "HYPERPARAMETERS", "VALIDATION", "TRAINING", "USD", box=None, pad_edge=False)
    for row in seen.leaderboard:
        status = f"{row.status} {row.progress:.0%}" if row.status == "running" else row.status
        table.add_row(
            str(row.rank or "-"),
            row.job or "-",
            status,
            ", ".join(f"{name}={value}" for name, value in row.hyperparameters.items()) or row.model,
            _loss(row.validation_loss, row),
            _loss(row.training_loss, row),
            _usd(row),
        )
    return table


def _remarks(seen: SweepView) -> list[str]:
    lines = list(seen.notes)
    if seen.stopped_by is not None:
        lines.append(f"Stopped ({seen.stopped_by.rule}): {seen.stopped_by.message}")
    if seen.cost is not None:
        of = "" if seen.cost.ceiling is None else f" of {seen.cost.ceiling:.2f}"
        unknown = f"; {seen.cost.unknown_jobs} jobs of unknown cost" if seen.cost.unknown_jobs else ""
        lines.append(f"Cost: {seen.cost.spent:.2f}{of} USD{unknown}")
    if seen.promote is not None:
        lines.append(f"Alias {seen.promote.alias}: {seen.promote.state}. {seen.promote.message or ''}".rstrip())
    reasons = dict.fromkeys(row.reason for row in seen.leaderboard if row.reason)
    return [*lines, *(f"Skipped: {reason}" for reason in reasons if seen.stopped_by is None)]


def _loss(value: float | None, row: Row) -> str:
    if value is not None:
        return f"{value:.4g}"
    return "not told" if row.status == "succeeded" else "-"


def _usd(row: Row) -> str:
    if row.cost_usd is None:
        return "unknown" if row.cost_basis == "unknown" else "-"
    return f"{'' if row.cost_basis == 'actual' else '~' if row.cost_usd else ''}{row.cost_usd:.2f}"


def _counts(seen: SweepView) -> str:
    return ", ".join(f"{count} {word}" for word, count in seen.jobs.items() if count and word != "total")


def _estimate(client: Client, body: dict[str, object], *, as_json: bool) -> None:
    answers = [client.call("POST", ESTIMATES, asked) for asked in questions(body)]
    if as_json:
        show(answers)
        return
    for line in estimated(msgspec.convert(answers, list[Answer])):
        click.echo(line)


def estimated(answers: Sequence[Answer]) -> Iterable[str]:
    """What the jobs would cost together."""
    yield f"Jobs      {len(answers)}"
    known = [each for each in answers if each.usd_low is not None and each.usd_high is not None]
    low, high = sum(each.usd_low or 0 for each in known), sum(each.usd_high or 0 for each in known)
    stand_in = " (stand-in)" if any(each.stand_in for each in known) else ""
    yield f"Cost      {low:.2f} to {high:.2f} USD{stand_in}" if known else "Cost      unknown"
    if len(known) < len(answers):
        yield f"Unknown   {len(answers) - len(known)} jobs have no price"
    for label in dict.fromkeys(each.label for each in answers):
        yield f"Price     {label}"
