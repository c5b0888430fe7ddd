"""``tuneway usage``: what was asked, what it took and what it cost."""

import csv
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected

PATH = "/v1/registry/usage"
GROUPS = ["owner", "key", "alias", "target", "hour", "day"]
COUNTS = ["requests", "errors", "refused", "tokens_in", "tokens_out", "priced", "cost_usd"]
LATENCIES = ["p50_ms", "p95_ms", "p99_ms"]


@click.command()
@click.option(
    "--from", "start", metavar="TIME", help="2026-11-22, 2026-11-22T08:00Z or Unix seconds; a day before --to."
)
@click.option("--to", "end", metavar="TIME", help="Until when; now if not given.")
@click.option("--owner", help="One tenant's.")
@click.option("--key", help="One key's, by its id.")
@click.option("--alias", help="Of one name that was called.")
@click.option("--target", help="Of one target that answered.")
@click.option("--by", "groups", type=click.Choice(GROUPS), multiple=True, help="A line for each; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@connected
def usage(
    client: Client,
    /,
    *,
    start: str | None,
    end: str | None,
    groups: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    **filters: str | None,
) -> None:
    """Show requests, tokens, cost, errors and latencies."""
    asked = {"from": start, "to": end, "group_by": ",".join(groups) or None, **filters}
    given = {name: value for name, value in asked.items() if value is not None}
    found = client.call("GET", f"{PATH}?{urlencode(given)}")
    if as_json:
        show(found)
        return
    rows = [_flat(row) for row in msgspec.convert(found["data"], list[dict[str, object]])]
    columns = [*groups, *COUNTS, *LATENCIES]
    if as_csv:
        _csv(columns, rows)
        return
    _table(columns, rows)
    click.echo(_sum(found))


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    latencies = msgspec.convert(row.get("latency_ms") or {}, dict[str, object])
    plain = {name: value for name, value in row.items() if name != "latency_ms"}
    return {**plain, **{f"{name}_ms": value for name, value in latencies.items()}}


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    texts = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in texts) for place in range(len(columns))]
    for line in texts:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


def _sum(found: Mapping[str, object]) -> str:
    total = msgspec.convert(found["total"], dict[str, object])
    said = f"{total['requests']} requests from {found['from']} to {found['to']}, {_text(total['cost_usd'])} USD"
    unpriced = int(str(total["requests"])) - int(str(total["priced"]))
    return f"{said} ({unpriced} without a price)" if unpriced else said
