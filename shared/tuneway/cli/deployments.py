"""``tuneway deployments``: where models answer and what it costs."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected

PATH = "/v1/registry/deployments"
COLUMNS = ("DEPLOYMENT", "STATUS", "MODEL", "ALIAS", "MACHINE", "USD AN HOUR", "REMARK")


class Machine(msgspec.Struct, frozen=True):
    """What it runs on."""

    machine_type: str
    replicas: int = 1


class Hourly(msgspec.Struct, frozen=True):
    """USD for an hour, if it is known."""

    usd: float | None = None
    verified: bool = False


class Error(msgspec.Struct, frozen=True):
    """Why it failed."""

    message: str


class Row(msgspec.Struct, frozen=True):
    """A deployment as far as the table shows it."""

    id: str
    status: str
    model: str = ""
    version: str = ""
    checkpoint: str | None = None
    alias: str | None = None
    machine: Machine | None = None
    hourly: Hourly | None = None
    stage: str | None = None
    error: Error | None = None


@click.group()
def deployments() -> None:
    """Put tuned models where they answer, and take them away again."""


@deployments.command("list")
@click.option("--all", "all_", is_flag=True, help="Also the checkpoints that cost nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_deployments(client: Client, *, all_: bool, as_json: bool) -> None:
    """Show what is deployed, how it is called and for how much."""
    found = client.rows(PATH)
    if as_json:
        show(found)
        return
    rows = msgspec.convert(found, list[Row])
    shown = rows if all_ else _folded(rows)
    # A name such as ft:llama:acme has no emoji in it.
    Console(soft_wrap=False, emoji=False, markup=False).print(_table(shown))
    if left := len(rows) - len(shown):
        click.echo(f"{left} more of checkpoints, at no cost: --all shows them.")


@deployments.command("show")
@click.argument("deployment")
@connected
def show_deployment(client: Client, deployment: str) -> None:
    """Show DEPLOYMENT with its history, as JSON."""
    show(client.call("GET", _one(deployment)))


@deployments.command()
@click.argument("model")
@click.option("--version", help="Which version of MODEL; the newest if not given.")
@click.option("--checkpoint", help="One of the version's checkpoints instead of its last weights.")
@click.option("--machine", "machine_type", help="A type such as g2-standard-12; chosen by the base if not given.")
@click.option("--accelerator", "accelerator_type", help="What is in the machine, such as NVIDIA_L4.")
@click.option("--accelerators", "accelerator_count", type=int, help="How many of them.")
@click.option("--replicas", type=int, help="How many machines.")
@click.option("--alias", help="The name it will answer under; the version's own if not given.")
@click.option("--name", help="What the deployment is called, to have several of one version.")
@connected
def create(client: Client, /, model: str, **options: str | int | None) -> None:
    """Deploy the registered MODEL; what an hour of it costs stands in the answer."""
    given = {name: value for name, value in options.items() if value is not None}
    show(client.call("POST", PATH, {"model": model, **given}))


@deployments.command()
@click.argument("deployment")
@click.option("--force", is_flag=True, help="Also when aliases lead there: they are then gone, too.")
@connected
def delete(client: Client, /, deployment: str, *, force: bool) -> None:
    """Undeploy DEPLOYMENT and delete its endpoint and its uploaded model; the weights stay."""
    answer = client.call("DELETE", _one(deployment) + ("?force=true" if force else ""))
    click.echo(f"Deployment {answer['id']} is {answer['status']}.")


def _one(deployment: str) -> str:
    return f"{PATH}/{quote(deployment, safe='')}"


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Without checkpoints, but for those that cost something, and a version's last where no other row shows it."""
    by_age = sorted(rows, key=lambda row: (len(row.checkpoint or ""), row.checkpoint or ""))
    last = {(row.model, row.version): row.id for row in by_age}
    last |= {(row.model, row.version): row.id for row in rows if row.checkpoint is None}
    return [row for row in rows if row.machine or row.checkpoint is None or row.id == last[row.model, row.version]]


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in {"STATUS", "USD AN HOUR"})
    for row in rows:
        table.add_row(row.id, row.status, _model(row), row.alias or "-", _machine(row), _cost(row), _remark(row))
    return table


def _model(row: Row) -> str:
    point = f"@cp-{row.checkpoint}" if row.checkpoint else ""
    return f"{row.model}@{row.version}{point}" if row.model else "-"


def _machine(row: Row) -> str:
    if row.machine is None:
        return "-"
    return f"{row.machine.replicas} x {row.machine.machine_type}"


def _cost(row: Row) -> str:
    if row.machine is None:
        return "0"
    if row.hourly is None or row.hourly.usd is None:
        return "unknown"
    return f"{row.hourly.usd:g}{'' if row.hourly.verified else ' (unverified)'}"


def _remark(row: Row) -> str:
    return row.error.message if row.error else row.stage or ""
