"""``tuneway routes history``, ``diff`` and ``rollback``: what a route was, who changed it, and back again."""

from datetime import UTC, datetime

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected

PATH = "/v1/registry/routes"


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    created_at: float
    author: str
    reason: str | None = None
    removed: bool = False
    changed: tuple[str, ...] | None = None


class _Difference(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    before: object = None
    after: object = None


class _Compared(_Version, frozen=True, kw_only=True):
    against: int | None = None
    diff: tuple[_Difference, ...] | None = None


@click.command()
@click.argument("alias")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def history(client: Client, /, alias: str, *, limit: int, as_json: bool) -> None:
    """Show the versions of ALIAS, the newest first: when, by whom, and which fields."""
    rows = client.rows(f"{PATH}/{alias}/versions?limit={limit}")
    if as_json:
        show(rows)
        return
    for row in msgspec.convert(rows, list[_Version]):
        click.echo(f"{row.version:>5}  {_day(row.created_at)}  {row.author}: {_what(row)}")


@click.command()
@click.argument("alias")
@click.argument("version", type=click.IntRange(min=0), required=False)
@click.option("--against", type=click.IntRange(min=0), help="Another version than the one before it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def diff(client: Client, /, alias: str, version: int | None, *, against: int | None, as_json: bool) -> None:
    """Show what VERSION of ALIAS (the newest if not given) has otherwise than the one before it."""
    number = version if version is not None else client.rows(f"{PATH}/{alias}/versions?limit=1")[0]["version"]
    query = "" if against is None else f"?against={against}"
    answer = client.call("GET", f"{PATH}/{alias}/versions/{number}{query}")
    if as_json:
        show(answer)
        return
    found = msgspec.convert(answer, _Compared)
    before = "nothing" if found.against is None else f"version {found.against}"
    click.echo(f"{alias}: {before} → version {found.version}, {_day(found.created_at)}, {found.author}")
    if found.diff is None:
        click.echo("The version before it is kept no longer.")
    for one in found.diff or ():
        click.echo(f"  {one.field}: {_told(one.before)} → {_told(one.after)}")


@click.command()
@click.argument("alias")
@click.option("--to", type=click.IntRange(min=0), help="The version to go back to; the one before if not given.")
@click.option("--if-version", type=click.IntRange(min=0), help="Only if ALIAS is still at this version.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def rollback(client: Client, /, alias: str, *, to: int | None, if_version: int | None, as_json: bool) -> None:
    """Make ALIAS what it was. This is a new version, which can be rolled back as any other."""
    wish = {name: value for name, value in (("to", to), ("version", if_version)) if value is not None}
    answer = client.call("POST", f"{PATH}/{alias}:rollback", wish)
    if as_json:
        show(answer)
        return
    click.echo(f"Route {alias} is as in version {answer['rolled_back_to']}; this is version {answer['version']}.")
    for warning in msgspec.convert(answer.get("warnings", []), list[str]):
        click.echo(f"! {warning}", err=True)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _what(row: _Version) -> str:
    if row.removed:
        return "removed"
    fields = "made" if row.changed is None else ", ".join(row.changed) or "nothing"
    return f"{fields}  ({row.reason.rstrip('.')})" if row.reason else fields


def _told(value: object) -> str:
    return "-" if value is None else msgspec.json.encode(value).decode()
