"""``tuneway routes`` and ``tuneway models``: what can be called, and under which names."""

import click

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected

PATH = "/v1/registry/routes"


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
@click.argument("identifier")
@click.option("--dialect", type=click.Choice(["gemini", "instances"]), default="gemini", show_default=True)
@click.option("--host", help="A dedicated endpoint's DNS name, as Vertex AI gave it.")
@click.option("--raw", is_flag=True, help="Ask the container through rawPredict.")
@click.option("--drop-param", "drop_params", multiple=True, help="A parameter to leave out; repeatable.")
@connected
def put(  # noqa: PLR0913 - one option of the command, one argument
    client: Client,
    alias: str,
    identifier: str,
    *,
    dialect: str,
    host: str | None,
    raw: bool,
    drop_params: tuple[str, ...],
) -> None:
    """Point ALIAS at IDENTIFIER, such as vertex_ai/my-project/us-central1/endpoints/123."""
    body = {"identifier": identifier, "dialect": dialect, "host": host, "raw": raw, "drop_params": drop_params}
    show(client.call("PUT", f"{PATH}/{alias}", body))


@routes.command()
@click.argument("alias")
@connected
def remove(client: Client, alias: str) -> None:
    """Take ALIAS away."""
    client.call("DELETE", f"{PATH}/{alias}")
    click.echo(f"Route {alias} is removed.")


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
