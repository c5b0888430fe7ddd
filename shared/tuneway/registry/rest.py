"""When a deployment may sleep, and what is kept of its sleep."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
IDLE_MINUTES = 15
WEEK_MINUTES = 7 * 24 * 60


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours of some days, ``08:00`` to ``18:00``, as clocks in ``timezone`` show them; 24:00 is a day's end."""

    days: tuple[Day, ...]
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    timezone: str = "UTC"


class Rest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When it sleeps: after ``idle_minutes`` without a call, outside all ``windows``, at whose starts it is woken.

    A call wakes it, too, unless it is ``strict``: then only its windows and people do.
    """

    idle_minutes: Annotated[int, Meta(ge=1, le=WEEK_MINUTES)] = IDLE_MINUTES
    windows: tuple[Window, ...] = ()
    strict: bool = False


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be told to whoever listens: it fell asleep, or was woken; ``saved_usd`` by then, all in all."""

    at: float
    what: Literal["asleep", "woken"]
    seconds: float
    saved_usd: float | None = None


class Nap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a deployment's use and sleep. Times are Unix seconds, the rest is seconds and USD.

    ``last_used`` is when a call ended, up to a minute late, ``longest`` how long the longest took. Before it falls
    asleep the feed of usage is tried: from ``asked_at`` on, and ``heard_at`` is when it was last seen to work. While it
    falls asleep, ``hand`` says that somebody asked for it, and ``wanted`` that it is to be woken again. ``wake_at`` is
    when it is woken by itself, after ``failures`` in vain. It costs nothing ``since`` then; ``seconds`` and
    ``saved_usd`` are of the naps before. ``wake_seconds`` is how long it last took to answer again.
    """

    last_used: float = 0.0
    longest: float = 0.0
    hand: bool = False
    asked_at: float = 0.0
    heard_at: float = 0.0
    wanted: bool = False
    wake_at: float | None = None
    failures: int = 0
    since: float | None = None
    seconds: float = 0.0
    saved_usd: float = 0.0
    wake_seconds: float | None = None
    news: tuple[News, ...] = ()
