"""``tuneway routes canary``: try a model on a part of a route's calls."""

from collections.abc import Mapping
from typing import cast

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected, told

GATES = ("error_rate", "p95_latency", "cost", "judge")
STEP = ("min_requests", "min_minutes", "max_minutes", "confidence")


def _path(alias: str) -> str:
    return f"/v1/registry/routes/{alias}/canary"


def _say(found: Mapping[str, object]) -> None:
    """One line for what it is, one for each thing that happened, and what it waits for."""
    click.echo(f"{found['alias']}: {found['state']}, {float(str(found['share'])):g} % to {found['candidate']}")
    for moment in msgspec.convert(found["moments"], list[dict[str, object]]):
        click.echo(f"  {moment['what']}: {moment['message']}")
    for side, figures in cast("dict[str, dict[str, object]]", found.get("measured") or {}).items():
        click.echo(f"  {side}: {figures['requests']} requests, {figures['errors']} errors")
    if waits := found.get("waits_for"):
        click.echo(f"  {waits}")


@click.group()
def canary() -> None:
    """Try a model on a part of a route's calls, and take it back when it is worse."""


@canary.command()
@click.argument("alias")
@click.argument("candidate")
@click.option("--step", "steps", type=float, multiple=True, help="A share in percent; repeatable. 1, 10, 50 and 100.")
@click.option("--min-requests", type=int, help="Of the candidate in each step: 100.")
@click.option("--min-minutes", type=float, help="Of each step: 10.")
@click.option("--max-minutes", type=float, help="Of a step without what it takes, which is then taken back: 20160.")
@click.option("--confidence", type=float, help="Of all gates together: 0.95.")
@click.option("--error-rate", type=float, help="How much larger its share of errors may be: 0.")
@click.option("--p95-latency", type=float, help="How many times as long its p95 may be: 1.25.")
@click.option("--cost", type=float, help="How many times as much a request may cost: 1.25.")
@click.option("--judge", type=float, help="How much lower its mean score may be; not looked at if not given.")
@click.option("--without", "left_out", type=click.Choice(GATES), multiple=True, help="A gate to leave out; repeatable.")
@connected
@told(_say)
def start(
    client: Client, /, alias: str, candidate: str, *, left_out: tuple[str, ...], **options: float | tuple[float, ...]
) -> dict[str, object]:
    """Give CANDIDATE, another route or one of the targets of ALIAS, its first share of the calls of ALIAS."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    gates: dict[str, object] = {name: given[name] for name in GATES if name in given}
    gates |= dict.fromkeys(left_out)
    body = {
        "candidate": candidate,
        **{name: given[name] for name in (*STEP, "steps") if name in given},
        **({"gates": gates} if gates else {}),
    }
    return client.call("POST", _path(alias), body)


@canary.command("show")
@click.argument("alias")
@connected
@told(_say)
def show_canary(client: Client, /, alias: str) -> dict[str, object]:
    """Show how the canary on ALIAS stands, and why."""
    return client.call("GET", _path(alias))


@canary.command()
@click.argument("alias")
@connected
@told(show)
def past(client: Client, /, alias: str) -> list[dict[str, object]]:
    """Show the canaries that were on ALIAS before, as JSON."""
    return client.rows(f"{_path(alias)}/past")


@canary.command()
@click.argument("alias")
@connected
@told(_say)
def pause(client: Client, /, alias: str) -> dict[str, object]:
    """Let it grow no further; it is still taken back when it is worse."""
    return client.call("POST", f"{_path(alias)}/pause")


@canary.command()
@click.argument("alias")
@connected
@told(_say)
def resume(client: Client, /, alias: str) -> dict[str, object]:
    """Let it grow again."""
    return client.call("POST", f"{_path(alias)}/resume")


@canary.command()
@click.argument("alias")
@connected
@told(_say)
def promote(client: Client, /, alias: str) -> dict[str, object]:
    """Give it all calls now."""
    return client.call("POST", f"{_path(alias)}/promote")


@canary.command()
@click.argument("alias")
@connected
@told(_say)
def abort(client: Client, /, alias: str) -> dict[str, object]:
    """Put the route back as it was before."""
    return client.call("POST", f"{_path(alias)}/abort")


@canary.command()
@click.argument("alias")
@click.argument("batch")
@click.option("--candidate", type=float, multiple=True, help="A score of the candidate's, from 0 to 1; repeatable.")
@click.option("--stable", type=float, multiple=True, help="One of the stable targets'; repeatable.")
@connected
@told(_say)
def score(
    client: Client, /, alias: str, batch: str, *, candidate: tuple[float, ...], stable: tuple[float, ...]
) -> dict[str, object]:
    """Give a judge's scores to the canary on ALIAS; a BATCH of one name is taken once."""
    return client.call("POST", f"{_path(alias)}/scores", {"batch": batch, "candidate": candidate, "stable": stable})
