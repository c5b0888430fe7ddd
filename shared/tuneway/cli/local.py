"""``tuneway up``, ``simulate`` and ``package``: what runs on, or from, this machine."""

from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import msgspec

from tuneway.cli.client import DATA, show
from tuneway.cli.options import told
from tuneway.errors import BadInput
from tuneway.local import bundles
from tuneway.local.told import Options, Ready

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--data", default=DATA, show_default=True, type=FOLDER, help="The folder of all state.")
@click.option("--emulators", is_flag=True, help="Google's Firestore and Pub/Sub emulators instead of SQLite.")
@click.option("--api-key", help="The key to let in; else one is made and kept in the folder.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0.1, 10_000), help="Training clock.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when ready.")
def up(*, port: int, data: Path, emulators: bool, api_key: str | None, speed: float, as_json: bool) -> None:
    """Run everything here: all functions, their state and events, and a simulated Vertex AI. Ctrl-C ends it."""
    from tuneway.local.stack import run

    options = Options(data=data, port=port, api_key=api_key, emulators=emulators, speed=speed)
    with suppress(KeyboardInterrupt):
        run(options, ready=_print_json if as_json else partial(_print_plain, kept=not emulators))


@click.command()
@click.option("--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--data", default=f"{DATA}-vertex", show_default=True, type=FOLDER, help="The folder of its state.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0.1, 10_000), help="Training clock.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON when ready.")
def simulate(*, port: int, data: Path, speed: float, as_json: bool) -> None:
    """Run the simulated Vertex AI alone. Nothing it answers comes from a real model. Ctrl-C ends it."""
    from tuneway.local.vertex.serve import VertexServer
    from tuneway.local.vertex.settings import VertexSettings

    settings = VertexSettings(store=data / "vertex.sqlite", objects=data / "objects", speed=speed)
    try:
        server = VertexServer(settings, port=port)
    except OSError as fault:
        raise BadInput(f"Port {port} or folder {data} cannot be used: {fault.strerror}. Give another one.") from fault
    if as_json:
        show({"url": server.url, "data": str(data)})
    else:
        click.echo(f"Simulated Vertex AI at {server.url} (state in {data}). Ctrl-C stops it.")
    with suppress(KeyboardInterrupt):
        server.serve_forever()


def _say_paths(paths: list[str]) -> None:
    click.echo("\n".join(paths))


@click.command()
@click.argument("functions", nargs=-1)
@click.option("--to", "destination", default="dist", show_default=True, type=FOLDER, help="Where to write.")
@told(_say_paths)
def package(functions: tuple[str, ...], *, destination: Path) -> list[str]:
    """Bundle FUNCTIONS, or all of them, for deployment."""
    made = [bundles.bundle(name, destination) for name in functions] or bundles.bundle_all(destination)
    return [str(path) for path in made]


def _print_json(ready: Ready) -> None:
    click.echo(msgspec.json.encode(ready).decode())


def _print_plain(ready: Ready, *, kept: bool) -> None:
    click.echo(f"tuneway      {ready.url}")
    click.echo(f"API key      {ready.key}")
    click.echo(f"State        {ready.data}")
    click.echo(f"Vertex AI    {ready.vertex_url} (simulated: no real model, no cost)")
    goes_on = "started again on the same folder, it goes on" if kept else "jobs, keys and routes end with the emulators"
    click.echo(f"Ctrl-C stops it; {goes_on}.")
