"""``tuneway keys``: make, list and revoke API keys."""

from urllib.parse import quote

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.keys_first import first
from tuneway.cli.options import connected, told

PATH = "/v1/registry/keys"
SCOPES = ("predict", "tune", "admin")
HEAD = ("KEY", "OWNER", "SCOPES", "MAX USD A JOB", "NAME")


class Row(msgspec.Struct, frozen=True):
    """A key as far as the table shows it."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    name: str = ""
    max_cost_usd: float | None = None


def _say_keys(found: list[dict[str, object]]) -> None:
    rows = msgspec.convert(found, list[Row])
    click.echo(aligned(HEAD, [(row.id, row.owner, ",".join(row.scopes), _limit(row), row.name or "-") for row in rows]))


def _say_revoked(answer: dict[str, object]) -> None:
    click.echo(f"Key {answer['id']} is revoked.")


def _limit(row: Row) -> str:
    return "-" if row.max_cost_usd is None else f"{row.max_cost_usd:g}"


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option("--owner", required=True, help="The team or application the key belongs to.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="Repeatable.")
@click.option("--name", default="", help="What the key is for.")
@click.option("--max-cost", type=float, help="USD that one tuning job may cost before somebody has to approve it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def create(
    client: Client, owner: str, scopes: tuple[str, ...], *, name: str, max_cost: float | None, as_json: bool
) -> None:
    """Make a key; it is shown once and never again."""
    made = client.call("POST", PATH, {"owner": owner, "scopes": scopes, "name": name, "max_cost_usd": max_cost})
    if as_json:
        show(made)
    else:
        click.echo(made["key"])
        click.echo(f"Key {made['id']} of {owner} may {', '.join(scopes)}. It is not stored: keep it now.", err=True)


@keys.command("list")
@connected
@told(_say_keys)
def list_(client: Client) -> list[dict[str, object]]:
    """Show every key's id, owner, scopes and limit; the keys themselves are not stored."""
    return client.rows(PATH)


@keys.command()
@click.argument("key_id")
@connected
@told(_say_revoked)
def revoke(client: Client, key_id: str) -> dict[str, object]:
    """Refuse a key from now on."""
    return client.call("DELETE", f"{PATH}/{quote(key_id, safe='')}")


keys.add_command(first)
