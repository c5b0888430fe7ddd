"""Options that many commands share."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

import click

from tuneway.cli.client import DATA, Client, connect, show

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
A = TypeVar("A")


def connected(command: Callable[Concatenate[Client, P], R]) -> Callable[P, R]:
    """Give a command its client: from --url and --api-key, the environment, or the local stack's folder."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        url, key, data = (cast("str | None", kwargs.pop(name)) for name in ("url", "api_key", "data"))
        return command(connect(url, key, data or DATA), *args, **kwargs)

    _dress(run, command)
    for option in (
        click.option("--data", default=DATA, show_default=True, help="Folder of the local stack to use otherwise."),
        click.option("--api-key", envvar="TUNEWAY_API_KEY", help="The key to use [env: TUNEWAY_API_KEY]."),
        click.option("--url", envvar="TUNEWAY_URL", help="Where tuneway answers [env: TUNEWAY_URL]."),
    ):
        run = option(run)
    return run


def told(say: Callable[[A], object]) -> Callable[[Callable[P, A]], Callable[P, None]]:
    """Print what a command gives: with --json as it is, and otherwise as ``say`` does."""

    def around(command: Callable[P, A]) -> Callable[P, None]:
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            plain = not kwargs.pop("as_json")
            answer = command(*args, **kwargs)
            say(answer) if plain else show(answer)

        _dress(run, command)
        return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(run)

    return around


def _dress(run: Callable[P, object], command: Callable[Q, object]) -> None:
    """Give ``run`` what click reads of a command; the options declared below a decorator stand on the function."""
    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    run.__dict__.update(command.__dict__)
