"""``tuneway models compare | lineage | replay``: where models came from, side by side, and once more."""

import click
import msgspec

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected, told
from tuneway.cli.registered import DEFAULT, MODELS, path_of

JOBS = "/v1/fine_tuning/jobs"
NONE = "-"


class Row(msgspec.Struct, frozen=True):
    """What each version says to one question."""

    name: str
    values: tuple[str | int | float | None, ...]
    differs: bool


class Comparison(msgspec.Struct, frozen=True):
    """Versions side by side."""

    versions: tuple[str, ...]
    rows: tuple[Row, ...]


@click.command("compare")
@click.argument("versions", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def compare_versions(client: Client, versions: tuple[str, ...], *, as_json: bool) -> None:
    """Show VERSIONS (MODEL, MODEL@2 or MODEL@prod) side by side; ``*`` marks what differs."""
    found = client.call("GET", f"{MODELS}:compare?versions={','.join(versions)}")
    if as_json:
        show(found)
        return
    click.echo(_table(msgspec.convert(found, Comparison)))


@click.command("lineage")
@click.argument("version")
@connected
@told(show)
def lineage(client: Client, version: str) -> dict[str, object]:
    """Show where VERSION (MODEL, MODEL@2 or MODEL@prod) came from and what became of it, as one JSON document."""
    return client.call("GET", f"{path_of(version, version=DEFAULT)}/lineage")


@click.command("replay")
@click.argument("version")
@click.option("--json", "as_json", is_flag=True, help="Print the new job as JSON.")
@connected
def replay(client: Client, version: str, *, as_json: bool) -> None:
    """Start the job that made VERSION once more, if its files are still the same."""
    job = str(client.call("GET", path_of(version, version=DEFAULT)).get("job") or "")
    if not job:
        raise Failed(f"No job of tuneway's made {version}, so there is none to start again.")
    begun = client.call("POST", f"{JOBS}/{job}/replay")
    if as_json:
        show(begun)
        return
    click.echo(f"Job {begun['id']} is {job} once more. Watch it: tuneway jobs watch {begun['id']}")


def _table(found: Comparison) -> str:
    rows = [("*" if row.differs else "", row.name.replace("_", " "), *map(_shown, row.values)) for row in found.rows]
    return aligned(("", "", *found.versions), rows)


def _shown(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return NONE if value in {None, ""} else str(value)


COMMANDS = (compare_versions, lineage, replay)
