"""``tuneway models retune | retunes``: tune a model again on another base, compare it, and try it where it answers."""

from pathlib import Path
from urllib.parse import quote

import click
import msgspec

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected
from tuneway.cli.registered import MODELS
from tuneway.cli.retiring import Price

RETUNES = "/v1/registry/retunes"
HEAD = ("RE-TUNE", "MODEL", "BASE MODEL", "STATUS", "NEW")
CANARIES: dict[str, bool] = {"default": True, "none": False}
NONE = "-"


class Moment(msgspec.Struct, frozen=True):
    """One line of its history."""

    what: str
    message: str


class Compared(msgspec.Struct, frozen=True):
    """What the old version and the new one say to a question."""

    name: str
    values: tuple[str | int | float | None, ...]


class Retune(msgspec.Struct, frozen=True, kw_only=True):
    """A re-tune as far as it is shown."""

    id: str
    model: str
    version: str
    base_model: str
    status: str
    job: str
    estimate: Price
    new: str | None = None
    canary: str | None = None
    alias: str | None = None
    changes: tuple[str, ...] = ()
    comparison: tuple[Compared, ...] = ()
    moments: tuple[Moment, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A re-tune as it would be."""

    model: str
    version: str
    base_model: str
    estimate: Price
    training_file: str
    alias: str | None = None
    changes: tuple[str, ...] = ()


@click.command("retune")
@click.argument("model")
@click.option("--onto", metavar="BASE", help="The base model to tune on; the catalogue's successor otherwise.")
@click.option("--dry-run", is_flag=True, help="Only say what it would be and cost.")
@click.option(
    "--canary",
    default="default",
    show_default=True,
    metavar="default|none|FILE",
    help="How the new version is tried on the route that leads to the old one; a file holds a plan in JSON.",
)
@click.option("--max-cost", type=float, metavar="USD", help="Above it the job waits for a person.")
@click.option("--idempotency-key", help="Asked for again with the same one, it is the same re-tune.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def retune(client: Client, /, model: str, *, as_json: bool, dry_run: bool, **options: str | float | None) -> None:
    """Tune MODEL or MODEL@VERSION again on another base, from the dataset that is kept, compare it and try it."""
    id_, _, version = model.partition("@")
    body: dict[str, object] = {
        "version": version or None,
        "base_model": options["onto"],
        "max_cost_usd": options["max_cost"],
        "canary": _plan(str(options["canary"])),
        "dry_run": dry_run or None,
    }
    key = options["idempotency_key"]
    found = client.call(
        "POST",
        f"{MODELS}/{quote(id_, safe='')}/retunes",
        {name: value for name, value in body.items() if value is not None},
        headers={"Idempotency-Key": str(key)} if key else None,
    )
    if as_json:
        show(found)
    elif dry_run:
        click.echo("\n".join(_planned(msgspec.convert(found, Plan))))
    else:
        _say(found)
        click.echo(f"It goes on by itself. Look at it: tuneway models retunes {found['id']}")


@click.command("retunes")
@click.argument("retune", required=False)
@click.option("--cancel", is_flag=True, help="End it: its job is cancelled, its canary taken back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def retunes(client: Client, /, retune: str | None, *, cancel: bool, as_json: bool) -> None:
    """Show the re-tunes, the newest first, or one of them with its history."""
    if cancel and retune is None:
        raise Failed("Name the re-tune to cancel.")
    if retune is None:
        _list(client, as_json=as_json)
        return
    found = client.call("DELETE" if cancel else "GET", f"{RETUNES}/{quote(retune, safe='')}")
    if as_json:
        show(found)
    else:
        _say(found)


def _list(client: Client, *, as_json: bool) -> None:
    found = client.rows(f"{RETUNES}?limit=100")
    if as_json:
        show(found)
        return
    rows = msgspec.convert(found, list[Retune])
    cells = [(each.id, f"{each.model}@{each.version}", each.base_model, each.status, each.new or NONE) for each in rows]
    click.echo(aligned(HEAD, cells) if cells else "There are none.")


def _plan(said: str) -> object:
    """The canary that is meant: the usual one, none, or a plan from a file. Raises Failed."""
    if said in CANARIES:
        return CANARIES[said]
    try:
        return msgspec.json.decode(Path(said).read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError) as fault:
        raise Failed(f"'{said}' holds no plan of a canary: {fault}. Write default, none or a JSON file.") from fault


def _planned(plan: Plan) -> list[str]:
    canary = f"  canary: on '{plan.alias}'" if plan.alias else "  canary: no route leads to it"
    return [
        f"{plan.model}@{plan.version} would be tuned on {plan.base_model} {plan.estimate.text}",
        f"  price: {plan.estimate.origin}",
        f"  dataset: {plan.training_file}",
        *(f"  {change}" for change in plan.changes),
        canary,
        "  Nothing was done.",
    ]


def _say(found: dict[str, object]) -> None:
    """One line for what it is, one for each thing that happened and was found."""
    known = msgspec.convert(found, Retune)
    click.echo(f"{known.id}: {known.model}@{known.version} on {known.base_model}: {known.status}")
    click.echo(f"  job {known.job} {known.estimate.text}")
    click.echo(f"  price: {known.estimate.origin}")
    for change in known.changes:
        click.echo(f"  {change}")
    for row in known.comparison:
        old, new = (*(NONE if value is None else str(value) for value in row.values), NONE, NONE)[:2]
        click.echo(f"  {row.name.replace('_', ' ')}: {old} → {new}")
    for moment in known.moments:
        click.echo(f"  {moment.what}: {moment.message}")


COMMANDS = (retune, retunes)
