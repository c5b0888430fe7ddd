"""``tuneway keys``: make, list and revoke API keys."""

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.keys_first import first
from tuneway.cli.options import connected

PATH = "/v1/registry/keys"
SCOPES = ("predict", "tune", "admin")


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_(client: Client, *, as_json: bool) -> None:
    """Show every key's id, owner and scopes."""
    found = client.rows(PATH)
    if as_json:
        show(found)
        return
    for key in found:
        click.echo(f"{key['id']}  {key['owner']}  {','.join(_texts(key['scopes']))}  {key.get('name', '')}")


@keys.command()
@click.argument("key_id")
@connected
def revoke(client: Client, key_id: str) -> None:
    """Refuse a key from now on."""
    client.call("DELETE", f"{PATH}/{key_id}")
    click.echo(f"Key {key_id} is revoked.")


keys.add_command(first)


def _texts(value: object) -> list[str]:
    return msgspec.convert(value, list[str])
