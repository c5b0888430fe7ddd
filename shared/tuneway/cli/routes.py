"""``tuneway routes`` and ``tuneway models``: what can be called, and under which names."""

from collections.abc import Mapping
from typing import BinaryIO, get_args

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected
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
Option = str | float | bool | tuple[str, ...] | tuple[float, ...] | None


@click.group()
def routes() -> None:
    """Give public names to endpoints."""


@routes.command("list")
@connected
def list_routes(client: Client) -> None:
    """Show every route as JSON."""
    show(client.rows(PATH))


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
def put(
    client: Client,
    /,
    alias: str,
    identifiers: tuple[str, ...],
    *,
    file: BinaryIO | None,
    prompts: BinaryIO | None,
    **options: Option,
) -> None:
    """Point ALIAS at one IDENTIFIER or several, such as vertex_ai/my-project/us-central1/endpoints/123."""
    if (file is None) != bool(identifiers):
        raise click.UsageError("Give identifiers, or a --file with the route.")
    body = _route(identifiers, options) if file is None else msgspec.json.decode(file.read(), type=dict[str, object])
    if prompts is not None:
        body["prompts"] = msgspec.json.decode(prompts.read(), type=dict[str, object])
    answer = client.call("PUT", f"{PATH}/{alias}", body)
    show(answer)


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
def resolve(client: Client, identifier: str) -> None:
    """Ask the endpoint IDENTIFIER what it speaks, and write the answer down."""
    show(client.call("POST", "/v1/registry/endpoints:resolve", {"identifier": identifier}))


@routes.command()
@click.argument("alias")
@connected
def remove(client: Client, alias: str) -> None:
    """Take ALIAS away."""
    client.call("DELETE", f"{PATH}/{alias}")
    click.echo(f"Route {alias} is removed.")


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
