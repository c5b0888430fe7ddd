"""``tuneway models retiring``: what goes when its base model retires, and what it takes to stay."""

from collections.abc import Sequence

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected
from tuneway.tuning.cost import amounts

PATH = "/v1/registry/retirements"
NOTHING = "Nothing registered here stands on a base model with a date{}."


class Led(msgspec.Struct, frozen=True):
    """A route that leads there."""

    route: str
    falls_back_to: tuple[str, ...] = ()
    fallback_of: tuple[str, ...] = ()


class Price(msgspec.Struct, frozen=True):
    """What a re-tune costs, as an estimate says it."""

    label: str
    usd_low: float | None = None
    usd_high: float | None = None
    stand_in: bool = False
    price_source: str | None = None
    price_as_of: str | None = None

    @property
    def origin(self) -> str:
        """Whose price it is, and of when."""
        return f"{self.label} ({self.price_source}, {self.price_as_of})" if self.price_source else self.label

    @property
    def text(self) -> str:
        """The interval, and how far it is to be trusted."""
        if self.usd_low is None or self.usd_high is None:
            return "at an unknown price"
        sure = " (stand-in)" if self.stand_in else ""
        return f"for {amounts(self.usd_low, self.usd_high)}{sure}"


class Quote(msgspec.Struct, frozen=True):
    """A re-tune as it would be."""

    base_model: str
    estimate: Price
    changes: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True):
    """A re-tune, or why there can be none."""

    quote: Quote | None = None
    obstacle: str | None = None
    code: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A model, or a base that routes lead to."""

    kind: str
    id: str
    base_model: str
    retires_on: str
    announced: bool
    days_left: int
    past: bool
    source: str
    as_of: str
    then: str
    successor: str | None = None
    through: tuple[str, ...] = ()
    successor_retires_on: str | None = None
    aliases: tuple[str, ...] = ()
    routes: tuple[Led, ...] = ()
    deployments: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    version: str | None = None
    retune: Offer | None = None


@click.command("retiring")
@click.option("--within", type=click.IntRange(min=0), metavar="DAYS", help="Only what goes within so many days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def retiring(client: Client, /, *, within: int | None, as_json: bool) -> None:
    """Show which models and routes go when their base model retires, and what a re-tune on its successor costs."""
    found = client.call("GET", PATH if within is None else f"{PATH}?within={within}")
    if as_json:
        show(found)
        return
    rows = msgspec.convert(found["data"], list[Row])
    for row in rows:
        click.echo("\n".join(lines(row)))
    if not rows:
        click.echo(NOTHING.format("" if within is None else f" within {within} days"))
    if undated := msgspec.convert(found["undated"], list[str]):
        click.echo(f"Nobody has said a date of: {', '.join(undated)}.")
    if unknown := msgspec.convert(found.get("unknown", ()), list[str]):
        click.echo(f"Not in the catalogue, so nobody here knows their dates: {', '.join(unknown)}.")


def lines(row: Row) -> list[str]:
    """A headline, and what is to be known of it."""
    what = f"{row.id} (on {row.base_model})" if row.kind == "model" else row.id
    word = "retires" if row.announced else "promised until"
    said = [
        f"{what}: {word} {row.retires_on}, {_left(row.days_left)}",
        f"  source: {row.source} ({row.as_of})",
        f"  routes: {_listed([each.route for each in row.routes])}",
        *_also("aliases", row.aliases),
        *_also("deployments", row.deployments),
        *_also("falls back to it", sorted({name for each in row.routes for name in each.fallback_of})),
        f"  {'now' if row.past else 'then'}: {row.then}",
        *_also("replaced by", row.replaced_by),
        f"  successor: {_successor(row)}",
    ]
    return said + _retune(row)


def _left(days: int) -> str:
    return f"{days} days left" if days > 0 else f"{-days} days ago" if days else "today"


def _successor(row: Row) -> str:
    if row.successor is None:
        return "none is named"
    over = f", past {', '.join(row.through)}" if row.through else ""
    until = f" (until {row.successor_retires_on})" if row.successor_retires_on else ""
    return f"{row.successor}{until}{over}"


def _retune(row: Row) -> list[str]:
    if row.retune is None or row.retune.quote is None:
        return _no_retune(row)
    quote = row.retune.quote
    return [
        f"  re-tune: on {quote.base_model} {quote.estimate.text}: tuneway models retune {row.id}@{row.version}",
        f"    price: {quote.estimate.origin}",
        *(f"    {change}" for change in quote.changes),
    ]


def _no_retune(row: Row) -> list[str]:
    """Why there is none, and how to name a base where only that is missing."""
    if row.retune is None or row.retune.obstacle is None:
        return []
    named = f": tuneway models retune {row.id}@{row.version} --onto BASE" if row.retune.code == "no_successor" else ""
    return [f"  re-tune: no. {row.retune.obstacle.rstrip('.') if named else row.retune.obstacle}{named}"]


def _also(word: str, names: Sequence[str]) -> list[str]:
    return [f"  {word}: {_listed(names)}"] if names else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "-"
