"""``tuneway models bases``: what can be tuned, as a table."""

from collections.abc import Sequence
from urllib.parse import urlencode

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected

PATH = "/v1/fine_tuning/base_models"
COLUMNS = ("MODEL", "BACKEND", "METHODS", "WHERE", "USD A MILLION", "REMARK")


class Price(msgspec.Struct, frozen=True):
    """USD for a million training tokens."""

    usd_per_million_tokens: float
    model: str
    verified: bool = False


class Row(msgspec.Struct, frozen=True):
    """A base model as far as the table shows it."""

    id: str
    backend: str
    methods: tuple[str, ...]
    tuning_locations: tuple[str, ...]
    tunable: bool
    billed_by: str = "tokens"
    price: Price | None = None
    stand_in: Price | None = None
    reason: str | None = None
    successor: str | None = None
    retired_on: str | None = None
    verified: bool = False


@click.command()
@click.option("--all", "all_", is_flag=True, help="Also those that cannot be tuned, and why.")
@click.option("--family", help="Only this family, such as gemini.")
@click.option("--backend", help="Only those trained there, such as vertex_open.")
@click.option("--method", help="Only those that take it: supervised, dpo or distillation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def bases(
    client: Client, /, *, all_: bool, family: str | None, backend: str | None, method: str | None, as_json: bool
) -> None:
    """Show the base models that can be tuned, where, and for how much."""
    given = {"family": family, "backend": backend, "method": method, "tunable": None if all_ else "true"}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    found = client.rows(f"{PATH}?{query}" if query else PATH)
    if as_json:
        show(found)
        return
    click.echo(aligned(COLUMNS, [_cells(row) for row in msgspec.convert(found, list[Row])]))


def _cells(row: Row) -> Sequence[str]:
    where = ", ".join(row.tuning_locations[:2]) + (" …" if len(row.tuning_locations) > len(("a", "b")) else "")
    return row.id, row.backend, ", ".join(row.methods) or "-", where or "-", _price(row), _remark(row)


def _price(row: Row) -> str:
    if row.price is not None:
        return f"{row.price.usd_per_million_tokens:g}{'' if row.price.verified else ' (unverified)'}"
    if row.billed_by == "machine_hours":
        return "by machine hour"
    return "unknown" if row.stand_in is None else f"unknown (~{row.stand_in.usd_per_million_tokens:g})"


def _remark(row: Row) -> str:
    if row.reason is not None:
        return f"{row.reason} Use {row.successor}." if row.successor else row.reason
    until = f"until {row.retired_on}" if row.retired_on else ""
    doubt = "" if row.verified else "not verified"
    return ", ".join(word for word in (until, doubt) if word)
