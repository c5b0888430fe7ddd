"""``tuneway chat``: ask a model one question."""

import click

from tuneway.cli.client import Client, show
from tuneway.cli.options import connected
from tuneway.cli.stream import deltas


@click.command()
@click.argument("model")
@click.argument("question")
@click.option("--system", help="A system message to go before it.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@connected
def chat(client: Client, model: str, question: str, *, system: str | None, as_json: bool) -> None:
    """Ask MODEL a QUESTION and print the answer as it comes."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    if as_json:
        show(client.call("POST", "/v1/chat/completions", {"model": model, "messages": messages}))
        return
    for text in deltas(client, model, messages):
        click.echo(text, nl=False)
    click.echo()
