"""Follow jobs to their ends: bars and a live loss chart in a terminal, plain lines anywhere else."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuneway.cli.charts import chart, sparkline
from tuneway.cli.client import Client, show
from tuneway.cli.options import connected
from tuneway.cli.watch import ENDED, PAUSE, JobView, left, look, phase

PATH = "/v1/fine_tuning/jobs"
PAGE = 100
FAILED, CANCELLED, INTERRUPTED = 1, 3, 130
WIDTH, HEIGHT, SPARK = 60, 8, 24

T = TypeVar("T")


class Told(msgspec.Struct, frozen=True):
    """An event as far as it is shown."""

    id: str
    message: str
    created_at: int = 0
    type: str = "message"
    data: dict[str, object] = {}

    def loss(self, name: str) -> tuple[float, float] | None:
        """The step and that loss, if the event tells it."""
        step, value = self.data.get("step"), self.data.get(name)
        return (step, value) if isinstance(step, int | float) and isinstance(value, int | float) else None


class Followed:
    """Some jobs and their histories; each look asks only for what is new."""

    def __init__(self, client: Client, ids: Sequence[str]) -> None:
        self._client = client
        self._ids = ids
        self.jobs: list[JobView] = []
        self.told: dict[str, list[Told]] = {id_: [] for id_ in ids}

    def look(self) -> list[tuple[str, Told]]:
        """Look at all of them; the new events, oldest first."""
        self.jobs = [look(self._client, id_) for id_ in self._ids]
        fresh = [(id_, event) for id_ in self._ids for event in self._fresh(id_)]
        for id_, event in fresh:
            self.told[id_].append(event)
        return fresh

    @property
    def over(self) -> bool:
        """Whether nothing more happens to any of them without a person."""
        return all(job.status in ENDED or job.tuneway.status == "held" for job in self.jobs)

    def losses(self, id_: str, name: str) -> list[tuple[float, float]]:
        """The losses told of a job, by step."""
        return [point for event in self.told[id_] if (point := event.loss(name)) is not None]

    def _fresh(self, id_: str) -> list[Told]:
        known = {event.id for event in self.told[id_]}
        found: list[Told] = []
        path, after = f"{PATH}/{id_}/events?limit={PAGE}", ""
        while page := msgspec.convert(self._client.rows(path + after), list[Told]):
            new = [event for event in page if event.id not in known]
            found += new
            if len(new) < PAGE:
                break
            after = f"&after={page[-1].id}"
        return found[::-1]


@click.command()
@click.argument("job_ids", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the ended jobs as JSON, and nothing before.")
@connected
def watch(client: Client, job_ids: tuple[str, ...], *, as_json: bool) -> None:
    """Follow jobs to their ends, with bars and the losses as they come.

    Exits with 0 when all have succeeded, 1 when one has failed or is held, 3 when one was cancelled, and 130 when you
    stop watching: the jobs go on.
    """
    followed = Followed(client, list(dict.fromkeys(job_ids)))
    interruptible(lambda: follow(followed, quiet=as_json))
    if as_json:
        show([client.call("GET", f"{PATH}/{job.id}") for job in followed.jobs])
    sys.exit(ended(followed.jobs, quiet=as_json))


def follow(followed: Followed, *, quiet: bool = False) -> None:
    """Show the jobs until all have ended or are held; of what is over already, its history."""
    console = Console(emoji=False)
    fresh, over = followed.look(), followed.over
    if quiet or over or not console.is_terminal:
        _plainly(followed, fresh, quiet=quiet)
        return
    with Live(console=console, refresh_per_second=8) as live:
        while True:
            followed.look()
            live.update(_picture(followed))
            if followed.over:
                return
            time.sleep(PAUSE)


def interruptible(work: Callable[[], T]) -> T:
    """What ``work`` gives; Ctrl-C ends the command with 130 and leaves everything as it is."""
    try:
        return work()
    except KeyboardInterrupt:
        click.echo("Stopped watching; what runs goes on.", err=True)
        sys.exit(INTERRUPTED)


def ended(jobs: Iterable[JobView], *, quiet: bool = False) -> int:
    """Say how the jobs have ended; the exit code."""
    codes = [_ended(job, quiet=quiet) for job in jobs]
    return FAILED if FAILED in codes else max(codes, default=0)


def _ended(job: JobView, *, quiet: bool) -> int:
    if job.status == "succeeded":
        if not quiet:
            click.echo(job.fine_tuned_model or f"The model does not answer: see 'tuneway jobs events {job.id}'.")
        return 0
    if job.tuneway.status == "held":
        click.echo(f"Error: {job.tuneway.held_because or f'Job {job.id} is held.'}", err=True)
        return FAILED
    reason = job.error.message if job.error else ""
    click.echo(f"Error: Job {job.id} has {job.word}: {reason}", err=True)
    return CANCELLED if job.status == "cancelled" else FAILED


def _plainly(followed: Followed, fresh: Sequence[tuple[str, Told]], *, quiet: bool) -> None:
    """A line for each event, with its time in UTC: for logs, and for whom no bar can be drawn."""
    while True:
        for id_, event in fresh:
            if not quiet:
                click.echo(f"{datetime.fromtimestamp(event.created_at, UTC):%Y-%m-%d %H:%M:%S}  {id_}  {event.message}")
        if followed.over:
            return
        time.sleep(PAUSE)
        fresh = followed.look()


def _picture(followed: Followed) -> Group:
    bars = Table.grid(padding=(0, 2))
    for job in followed.jobs:
        spark = sparkline([loss for _, loss in followed.losses(job.id, "train_loss")], width=SPARK)
        bar = ProgressBar(total=1.0, completed=job.progress, width=30)
        bars.add_row(job.id, phase(job), bar, f"{job.progress:4.0%}", left(job), spark)
    if len(followed.jobs) > 1:
        return Group(bars)
    (job,) = followed.jobs
    return Group(bars, *(Text(line) for line in loss_lines(followed, job.id)))


def loss_lines(followed: Followed, id_: str) -> list[str]:
    """The losses of one job as charts, each with its last value; nothing where none is told."""
    lines: list[str] = []
    for title, name in (("training loss", "train_loss"), ("validation loss", "valid_loss")):
        if points := followed.losses(id_, name):
            lines += ["", f"{title}: {points[-1][1]:.4g} at step {points[-1][0]:g}"]
            lines += chart(points, width=WIDTH, height=HEIGHT)
    return lines
