"""``tuneway deployments``: where models answer and what it costs."""

from collections.abc import Sequence
from urllib.parse import quote

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected, told

PATH = "/v1/registry/deployments"
COLUMNS = ("DEPLOYMENT", "STATUS", "MODEL", "ALIAS", "TRAFFIC", "MACHINE", "USD AN HOUR", "REMARK")


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


class Sleep(msgspec.Struct, frozen=True):
    """What sleep has saved, all in all, if the price is known."""

    saved_usd: float | None = None


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
    endpoint: str = ""
    traffic: dict[str, int] = {}
    error: Error | None = None
    sleep: Sleep | None = None


def _say_status(answer: dict[str, object]) -> None:
    click.echo(f"Deployment {answer['id']} is {answer['status']}.")


def _shared(answer: dict[str, object]) -> None:
    split = msgspec.convert(answer, Row).traffic
    click.echo(f"Shared: {', '.join(f'{id_} {share} %' for id_, share in split.items())}.")


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
    click.echo(aligned(COLUMNS, [_cells(row) for row in shown]))
    if left := len(rows) - len(shown):
        click.echo(f"{left} more of checkpoints, at no cost: --all shows them.")


@deployments.command("show")
@click.argument("deployment")
@connected
@told(show)
def show_deployment(client: Client, deployment: str) -> dict[str, object]:
    """Show DEPLOYMENT with its history, as JSON."""
    return client.call("GET", one(deployment))


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
@click.option("--endpoint", help="A deployment of yours that it is put beside, behind the same endpoint.")
@click.option(
    "--traffic", type=click.IntRange(0, 100), help="Percent of that endpoint's calls that it gets; 0 if not given."
)
@connected
@told(show)
def create(client: Client, /, model: str, **options: str | int | None) -> dict[str, object]:
    """Deploy the registered MODEL; what an hour of it costs stands in the answer, which is JSON."""
    given = {name: value for name, value in options.items() if value is not None}
    return client.call("POST", PATH, {"model": model, **given})


@deployments.command()
@click.argument("shares", nargs=-1, required=True, metavar="DEPLOYMENT=PERCENT...")
@connected
@told(_shared)
def traffic(client: Client, /, shares: tuple[str, ...]) -> dict[str, object]:
    """Share the calls of an endpoint among all the deployments behind it: ft-1-1=80 ft-1-2=20."""
    wanted = dict(map(_share, shares))
    if len(wanted) < len(shares):
        raise click.BadParameter("each deployment is named once.", param_hint="DEPLOYMENT=PERCENT")
    return client.call("PATCH", one(next(iter(wanted))), {"traffic": wanted})


@deployments.command()
@click.argument("deployment")
@click.option(
    "--force", is_flag=True, help="Also when aliases lead there, which are then gone, or others have no share."
)
@connected
@told(_say_status)
def delete(client: Client, /, deployment: str, *, force: bool) -> dict[str, object]:
    """Undeploy DEPLOYMENT and delete its endpoint and its uploaded model; the weights stay.

    An endpoint that others are behind stays, and its calls go to those.
    """
    return client.call("DELETE", one(deployment) + ("?force=true" if force else ""))


def one(deployment: str) -> str:
    """The path of a deployment."""
    return f"{PATH}/{quote(deployment, safe='')}"


def _share(text: str) -> tuple[str, int]:
    """``ft-1-1=80``."""
    id_, _, percent = text.rpartition("=")
    if not id_ or not percent.isascii() or not percent.isdigit():
        raise click.BadParameter(f"{text!r} is not like ft-1-1=80.", param_hint="DEPLOYMENT=PERCENT")
    return id_, int(percent)


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Without checkpoints, but for those that cost something, and a version's last where no other row shows it."""
    by_age = sorted(rows, key=lambda row: (len(row.checkpoint or ""), row.checkpoint or ""))
    last = {(row.model, row.version): row.id for row in by_age}
    last |= {(row.model, row.version): row.id for row in rows if row.checkpoint is None}
    return [row for row in rows if row.machine or row.checkpoint is None or row.id == last[row.model, row.version]]


def _cells(row: Row) -> Sequence[str]:
    cells = (row.id, row.status, _model(row), row.alias or "-", _traffic(row), _machine(row), _cost(row), _remark(row))
    return [" ".join(cell.split()) for cell in cells]


def _model(row: Row) -> str:
    point = f"@cp-{row.checkpoint}" if row.checkpoint else ""
    return f"{row.model}@{row.version}{point}" if row.model else "-"


def _traffic(row: Row) -> str:
    """Its share, and of which endpoint, where others are behind it, too."""
    if len(row.traffic) <= 1:
        return "-"
    return f"{row.traffic.get(row.id, 0)} % of {row.endpoint.rpartition('/')[2]}"


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
    usd = row.sleep.saved_usd if row.sleep else None
    saved = f"Sleep has saved {usd:.2f} USD." if usd else ""
    said = row.error.message if row.error else row.stage or ""
    return f"{said} {saved}".strip()
