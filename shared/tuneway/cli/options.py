"""Options that many commands share."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

import click

from tuneway.cli.client import DATA, Client, connect

P = ParamSpec("P")
R = TypeVar("R")


def connected(command: Callable[Concatenate[Client, P], R]) -> Callable[P, R]:
    """Give a command its client: from --url and --api-key, the environment, or the local stack's folder."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        url, key, data = (cast("str | None", kwargs.pop(name)) for name in ("url", "api_key", "data"))
        return command(connect(url, key, data or DATA), *args, **kwargs)

    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    # The options a command declared below this decorator stand on the function itself.
    run.__dict__.update(command.__dict__)
    for option in (
        click.option("--data", default=DATA, show_default=True, help="Folder of the local stack to use otherwise."),
        click.option("--api-key", envvar="TUNEWAY_API_KEY", help="The key to use [env: TUNEWAY_API_KEY]."),
        click.option("--url", envvar="TUNEWAY_URL", help="Where tuneway answers [env: TUNEWAY_URL]."),
    ):
        run = option(run)
    return run
