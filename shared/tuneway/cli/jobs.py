"""``tuneway jobs``: list, look at, approve, refuse and cancel tuning jobs; its other commands have their own files."""

import time
from datetime import UTC, datetime

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected, told
from tuneway.cli.watch import JobView

PATH = "/v1/fine_tuning/jobs"
PAGE = 100
HEAD = ("JOB", "STATUS", "AGE", "BASE", "MODEL")
AGES = ((86400, "d"), (3600, "h"), (60, "m"))


class EventView(msgspec.Struct, frozen=True):
    """An event as the API shows it."""

    id: str
    created_at: int
    level: str
    message: str


@click.group()
def jobs() -> None:
    """Create, list, look at, watch, compare, approve, refuse and cancel tuning jobs."""


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_(client: Client, *, as_json: bool) -> None:
    """Show the newest jobs."""
    found = client.rows(PATH)
    if as_json:
        show(found)
        return
    views = msgspec.convert(found, list[JobView])
    now = time.time()
    click.echo(
        aligned(HEAD, [(v.id, v.word, age(now - v.created_at), v.model, v.fine_tuned_model or "-") for v in views])
    )


@jobs.command("show")
@click.argument("job_id")
@connected
@told(show)
def show_job(client: Client, job_id: str) -> dict[str, object]:
    """Show one job as JSON."""
    return client.call("GET", f"{PATH}/{job_id}")


@jobs.command()
@click.argument("job_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def events(client: Client, job_id: str, *, as_json: bool) -> None:
    """Show a job's whole history, oldest first; times are UTC."""
    told = every(client, f"{PATH}/{job_id}/events")[::-1]
    if as_json:
        show(told)
        return
    for event in msgspec.convert(told, list[EventView]):
        at = datetime.fromtimestamp(event.created_at, UTC)
        click.echo(f"{at:%Y-%m-%d %H:%M:%S}  {event.level:<5}  {event.message}")


@jobs.command()
@click.argument("job_id")
@click.option("--max-cost", type=float, help="USD that it may cost; otherwise as much as it was estimated at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def approve(client: Client, job_id: str, *, max_cost: float | None, as_json: bool) -> None:
    """Let a held job run."""
    answer = client.call("POST", f"{PATH}/{job_id}/approve", {"max_cost_usd": max_cost})
    _say(answer, msgspec.convert(answer, JobView).tuneway.status, as_json=as_json)


@jobs.command()
@click.argument("job_id")
@click.option("--reason", default="", help="Why, for the job's owner.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def refuse(client: Client, job_id: str, *, reason: str, as_json: bool) -> None:
    """End a held job before it costs anything."""
    answer = client.call("POST", f"{PATH}/{job_id}/refuse", {"reason": reason})
    _say(answer, msgspec.convert(answer, JobView).tuneway.status, as_json=as_json)


@jobs.command()
@click.argument("job_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def cancel(client: Client, job_id: str, *, as_json: bool) -> None:
    """End a job."""
    answer = client.call("POST", f"{PATH}/{job_id}/cancel")
    _say(answer, str(answer["status"]), as_json=as_json)


def _say(answer: dict[str, object], word: str, *, as_json: bool) -> None:
    if as_json:
        show(answer)
    else:
        click.echo(word)


def age(seconds: float) -> str:
    """How long ago, in its largest unit: ``3h``."""
    size, unit = next(((size, unit) for size, unit in AGES if seconds >= size), (1, "s"))
    return f"{max(seconds, 0) // size:.0f}{unit}"


def every(client: Client, path: str) -> list[dict[str, object]]:
    """Every row of a list, in its order, page by page."""
    found: list[dict[str, object]] = []
    while page := client.rows(f"{path}?limit={PAGE}" + (f"&after={found[-1]['id']}" if found else "")):
        found += page
        if len(page) < PAGE:
            break
    return found
