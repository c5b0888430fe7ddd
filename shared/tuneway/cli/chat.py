"""``tuneway chat``: ask a model one question."""

import click

from tuneway.cli.client import Client
from tuneway.cli.options import connected
from tuneway.cli.stream import deltas


@click.command()
@click.argument("model")
@click.argument("question")
@click.option("--system", help="A system message to go before it.")
@connected
def chat(client: Client, model: str, question: str, *, system: str | None) -> None:
    """Ask MODEL a QUESTION and print the answer as it comes."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    for text in deltas(client, model, messages):
        click.echo(text, nl=False)
    click.echo()
