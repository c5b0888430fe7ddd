"""``tuneway deployments sleep``, ``wake`` and ``rest``: machines that run only while somebody needs them."""

import re
from collections.abc import Iterable

import click
import msgspec

from tuneway.cli.client import Client
from tuneway.cli.deployments import one
from tuneway.cli.options import connected, told

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"m": 1, "h": 60, "d": 24 * 60}
LENGTH = re.compile(r"([0-9]{1,5})([mhd])")
HOUR = 3600


class Sleep(msgspec.Struct, frozen=True):
    """What sleep has saved."""

    saved_usd: float | None = None
    seconds: float = 0.0


class Row(msgspec.Struct, frozen=True):
    """A deployment as far as it is told of here."""

    id: str
    status: str
    sleep: Sleep | None = None


def _say(answer: dict[str, object]) -> None:
    row = msgspec.convert(answer, Row)
    click.echo(f"Deployment {row.id} is {row.status.replace('_', ' ')}.{_saved(row.sleep)}")


def _say_when(answer: dict[str, object]) -> None:
    when = "when nobody needs it" if answer.get("rest") else "no more"
    click.echo(f"Deployment {answer['id']} sleeps {when}.")


def _saved(found: Sleep | None) -> str:
    if found is None or not found.seconds:
        return ""
    sum_ = "" if found.saved_usd is None else f" and saved {found.saved_usd:.2f} USD"
    return f" So far it has slept {found.seconds / HOUR:.1f} hours{sum_}."


@click.command()
@click.argument("deployment")
@connected
@told(_say)
def sleep(client: Client, /, deployment: str) -> dict[str, object]:
    """Put DEPLOYMENT to sleep: calls that run have a minute; its endpoint stays, and the next call wakes it."""
    return client.call("POST", f"{one(deployment)}/sleep")


@click.command()
@click.argument("deployment")
@connected
@told(_say)
def wake(client: Client, /, deployment: str) -> dict[str, object]:
    """Wake DEPLOYMENT."""
    return client.call("POST", f"{one(deployment)}/wake")


@click.command()
@click.argument("deployment")
@click.option("--idle", help="How long nobody must have called it, such as 30m or 2h; 15m if not given.")
@click.option(
    "--window",
    "windows",
    multiple=True,
    help="Hours in which it is up: 'mon-fri 08:00-18:00 Europe/Berlin'; repeatable.",
)
@click.option("--strict", is_flag=True, help="Calls do not wake it: only its windows do, and people.")
@click.option("--never", is_flag=True, help="It sleeps no more.")
@connected
@told(_say_when)
def rest(
    client: Client, /, deployment: str, *, idle: str | None, windows: tuple[str, ...], strict: bool, never: bool
) -> dict[str, object]:
    """Say when DEPLOYMENT sleeps from now on."""
    if never and (idle or windows or strict):
        raise click.UsageError("--never stands alone.")
    if not (never or idle or windows or strict):
        raise click.UsageError("Say when: --idle, --window, or --never.")
    wanted: dict[str, object] = {"windows": [_window(each) for each in windows], "strict": strict}
    if idle is not None:
        wanted["idle_minutes"] = _minutes(idle)
    return client.call("PATCH", one(deployment), {"rest": None if never else wanted})


COMMANDS = (sleep, wake, rest)


def _minutes(text: str) -> int:
    found = LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(f"{text!r} is not like 30m or 2h.", param_hint="--idle")
    return int(found[1]) * UNITS[found[2]]


def _window(text: str) -> dict[str, object]:
    """``mon-fri 08:00-18:00 Europe/Berlin``; without a time zone, in UTC."""
    words = text.split()
    hours = words[1].split("-") if len(words) in {2, 3} else []
    if len(hours) != len(("from", "to")):
        raise click.BadParameter(f"{text!r} is not like 'mon-fri 08:00-18:00 Europe/Berlin'.", param_hint="--window")
    window: dict[str, object] = {"days": _days(words[0]), "from": hours[0], "to": hours[1]}
    return window | ({"timezone": words[2]} if len(words) > len(("days", "hours")) else {})


def _days(text: str) -> list[str]:
    """``mon-fri``, ``sat,sun``, ``fri-mon``."""
    return [day for part in text.lower().split(",") for day in _of_part(part)]


def _of_part(part: str) -> Iterable[str]:
    first, dash, last = part.partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        raise click.BadParameter(f"{part!r} are no days: {', '.join(DAYS)}, or mon-fri.", param_hint="--window")
    start, count = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % len(DAYS) + 1
    return (DAYS[(start + place) % len(DAYS)] for place in range(count))
