"""``tuneway routes`` and ``tuneway models``: what can be called, and under which names."""

from collections.abc import Mapping
from typing import BinaryIO, get_args
from urllib.parse import quote

import click
import msgspec

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected, told
from tuneway.cli.route_files import export_routes, import_routes
from tuneway.cli.route_history import diff, history, rollback
from tuneway.cli.route_probe import probe
from tuneway.routing.routes import Dialect

PATH = "/v1/registry/routes"
DIALECTS = list(get_args(Dialect))
OF_A_TARGET = (
    "dialect",
    "host",
    "raw",
    "drop_params",
    "base_url",
    "region",
    "api_version",
    "secret",
    "profile",
    "family",
)
OF_A_WAY = (
    "owner",
    "fallbacks",
    "context_fallbacks",
    "content_fallbacks",
    "retries",
    "cooldown",
    "log_prompts",
)
TIMEOUTS = ("total", "first", "between")
HEAD = ("ALIAS", "VERSION", "OWNER", "TARGETS", "FALLBACKS")
Option = str | float | bool | tuple[str, ...] | tuple[float, ...] | None


class Aim(msgspec.Struct, frozen=True):
    """A target as far as the table shows it."""

    resource: str = ""
    provider: str = "vertex"
    model: str = ""
    weight: float = 1.0
    order: int = 0

    @property
    def name(self) -> str:
        """As the logs name it: what is no resource of Vertex AI by its provider and the model's name there."""
        return self.resource or f"{self.provider}/{self.model}"


class Row(msgspec.Struct, frozen=True):
    """A route as far as the table shows it."""

    alias: str
    targets: tuple[Aim, ...]
    version: int = 0
    owner: str | None = None
    fallbacks: tuple[str, ...] = ()


def _say_routes(found: list[dict[str, object]]) -> None:
    rows = msgspec.convert(found, list[Row])
    cells = [
        (row.alias, str(row.version), row.owner or "-", _aims(row), ", ".join(row.fallbacks) or "-") for row in rows
    ]
    click.echo(aligned(HEAD, cells))


def _say_deleted(answer: dict[str, object]) -> None:
    click.echo(f"Route {answer['alias']} is deleted.")


def _aims(row: Row) -> str:
    """The targets in the order in which they are asked; a weight where it shares the calls with others."""
    shared = len(row.targets) > 1
    aims = sorted(row.targets, key=lambda aim: aim.order)
    return ", ".join(f"{aim.weight:g} x {aim.name}" if shared else aim.name for aim in aims)


@click.group()
def routes() -> None:
    """Give public names to endpoints."""


@routes.command("list")
@connected
@told(_say_routes)
def list_routes(client: Client) -> list[dict[str, object]]:
    """Show every route: its targets, by weight, and what is asked when they fail."""
    return client.rows(PATH)


@routes.command("show")
@click.argument("alias")
@connected
@told(show)
def show_route(client: Client, alias: str) -> dict[str, object]:
    """Show the route ALIAS with what its last probe found, as JSON."""
    return client.call("GET", one(alias))


@routes.command()
@click.argument("alias")
@click.argument("identifiers", nargs=-1)
@click.option("--dialect", type=click.Choice(DIALECTS), help="What the target speaks; found out if not given.")
@click.option("--host", help="A dedicated endpoint's DNS name, as Vertex AI gave it.")
@click.option("--raw", is_flag=True, help="Ask the container through rawPredict.")
@click.option("--drop-param", "drop_params", multiple=True, help="A parameter to leave out; repeatable.")
@click.option("--base-url", help="Where the vendor's API begins, such as https://host/v1.")
@click.option("--region", help="The cloud's region.")
@click.option("--api-version", help="A dated API.")
@click.option("--secret", help="A reference to the key: env:NAME or projects/…/secrets/…/versions/….")
@click.option("--profile", help="The row of model quirks.")
@click.option("--family", help="The family of its prompts, where its name does not tell.")
@click.option("--weight", "weights", type=float, multiple=True, help="Of each identifier in turn; repeatable.")
@click.option("--order", "orders", type=int, multiple=True, help="Of each identifier in turn; the lowest comes first.")
@click.option(
    "--fallback", "fallbacks", multiple=True, help="An alias or identifier for when none answers; repeatable."
)
@click.option(
    "--context-fallback", "context_fallbacks", multiple=True, help="For prompts that are too long; repeatable."
)
@click.option(
    "--content-fallback", "content_fallbacks", multiple=True, help="For prompts a filter refuses; repeatable."
)
@click.option("--retries", type=int, help="How many more rounds over the targets.")
@click.option("--cooldown", type=float, help="Seconds for which a failing target rests.")
@click.option("--total", type=float, help="Seconds for the whole call.")
@click.option("--first", type=float, help="Seconds until a stream's first chunk.")
@click.option("--between", type=float, help="Seconds between two chunks.")
@click.option("--owner", help="The one tenant who may call it; everybody if not given.")
@click.option("--log-prompts", is_flag=True, help="Write prompts into the log.")
@click.option("--prompts", "prompts", type=click.File("rb"), help="Prompts by family of models, as JSON.")
@click.option("--file", "file", type=click.File("rb"), help="The whole route as JSON, instead of all else.")
@connected
@told(show)
def put(
    client: Client,
    /,
    alias: str,
    identifiers: tuple[str, ...],
    *,
    file: BinaryIO | None,
    prompts: BinaryIO | None,
    **options: Option,
) -> dict[str, object]:
    """Point ALIAS at one IDENTIFIER or several, such as vertex_ai/my-project/us-central1/endpoints/123.

    The whole route is written anew: what is not given is as for a new one. The answer is JSON.
    """
    if (file is None) != bool(identifiers):
        raise click.UsageError("Give identifiers, or a --file with the route.")
    body = _route(identifiers, options) if file is None else _read(file)
    if prompts is not None:
        body["prompts"] = _read(prompts)
    return client.call("PUT", one(alias), body)


def one(alias: str) -> str:
    """The path of a route."""
    return f"{PATH}/{quote(alias, safe='')}"


def _read(file: BinaryIO) -> dict[str, object]:
    """The JSON object in a file. Raises Failed."""
    try:
        return msgspec.json.decode(file.read(), type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Failed(f"{file.name} is no JSON object: {fault}.") from fault


def _route(identifiers: tuple[str, ...], options: Mapping[str, Option]) -> dict[str, object]:
    """The body; what was not given is left out, so that the door's own defaults stand."""
    given: dict[str, Option] = {name: value for name, value in options.items() if value not in (None, (), False)}
    of_all = {name: given[name] for name in OF_A_TARGET if name in given}
    targets = [
        {"identifier": identifier, **of_all, **_place(position, given)}
        for position, identifier in enumerate(identifiers)
    ]
    timeouts = {name: given[name] for name in TIMEOUTS if name in given}
    way = {name: given[name] for name in OF_A_WAY if name in given}
    return {"targets": targets, **way, **({"timeouts": timeouts} if timeouts else {})}


def _place(position: int, given: Mapping[str, Option]) -> dict[str, object]:
    """The weight and the order at an identifier's place."""
    found: dict[str, object] = {}
    for field, name in (("weight", "weights"), ("order", "orders")):
        values = given.get(name)
        if isinstance(values, tuple) and position < len(values):
            found[field] = values[position]
    return found


@routes.command()
@click.argument("identifier")
@connected
@told(show)
def resolve(client: Client, identifier: str) -> dict[str, object]:
    """Ask the endpoint IDENTIFIER what it speaks, and write the answer down. The answer is JSON."""
    return client.call("POST", "/v1/registry/endpoints:resolve", {"identifier": identifier})


@routes.command()
@click.argument("alias")
@connected
@told(_say_deleted)
def delete(client: Client, alias: str) -> dict[str, object]:
    """Take ALIAS away; 'routes rollback' brings it back."""
    return client.call("DELETE", one(alias))


for command in (import_routes, export_routes, history, diff, rollback, probe):
    routes.add_command(command)


@click.group()
def models() -> None:
    """Look at what can be called and what is registered."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_models(client: Client, *, as_json: bool) -> None:
    """Show the names that can be called."""
    found = client.rows("/v1/models")
    if as_json:
        show(found)
        return
    for model in found:
        click.echo(str(model["id"]))
