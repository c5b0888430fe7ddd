"""``tuneway routes probe``: what a route's targets really can, as a table of stars."""

from collections.abc import Iterator, Sequence

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected
from tuneway.routing.probes import STARS, TargetProbe

PATH = "/v1/registry/routes"
HEAD = ("target", "speaks", "first", "whole", *STARS)


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    alias: str
    targets: tuple[TargetProbe, ...]
    cost_usd: float | None = None
    outdated: bool = False


@click.command()
@click.argument("alias")
@click.option("--last", is_flag=True, help="Show what the last probe found, and ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def probe(client: Client, /, alias: str, *, last: bool, as_json: bool) -> None:
    """Ask each target of ALIAS a few short questions, and show what works. This costs a few tokens of each."""
    answer = client.call("GET", f"{PATH}/{alias}/probe") if last else client.call("POST", f"{PATH}/{alias}:probe")
    found = msgspec.convert(answer, _Answer)
    if as_json:
        show(answer)
    else:
        _tell(found)
    if not all(target.answers.works or target.asleep for target in found.targets):
        raise click.exceptions.Exit(1)


def _tell(found: _Answer) -> None:
    for line in _table([HEAD, *map(_row, found.targets)]):
        click.echo(line)
    for target in found.targets:
        for name, reason in _faults(target):
            click.echo(f"! {target.target}: {name}: {reason}", err=True)
    tokens = sum(target.tokens for target in found.targets)
    cost = "of unknown cost" if found.cost_usd is None else f"for ${found.cost_usd:.6f}"
    click.echo(f"{tokens} tokens {cost}.")
    if found.outdated:
        click.echo("! The route has changed since. Probe it again.", err=True)


def _row(target: TargetProbe) -> tuple[str, ...]:
    stars = ("★" if name in target.stars and target.stars[name].works else "-" for name in STARS)
    if target.asleep:
        return (target.target, target.dialect, "asleep", *("-" for _ in HEAD[3:]))
    return (target.target, target.dialect, _ms(target.first_chunk_ms), _ms(target.whole_ms), *stars)


def _faults(target: TargetProbe) -> Iterator[tuple[str, str]]:
    """Why what does not work does not; one that does not answer at all says it once."""
    if not target.answers.works:
        yield "asleep" if target.asleep else "answers", target.answers.reason or "It does not answer."
        return
    for name, finding in target.stars.items():
        if not finding.works:
            yield name, finding.reason or "It does not work."


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
