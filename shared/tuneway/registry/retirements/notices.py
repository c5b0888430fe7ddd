"""Warn before base models retire: at 90, 30 and 7 days and on the day, once each for a model and a date.

What is told is written first, with the time, and marked as told afterwards. A look that dies in between leaves a
notice that the next one tells, under the same id. While its writer may still be at it, nobody else touches it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from urllib.parse import quote

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import Documents, Events, Message
from tuneway.ports.retirements import Fates
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.retirements.radar import Radar, Retiring, day_of
from tuneway.state import Collection, Stored

THRESHOLDS = (90, 30, 7, 0)
URGENT = 7
BEAT = "beat"
# Seconds in which a beat has told what it wrote, or has died: a tick lasts 55 at most.
LEASE = 120.0

log = logging.getLogger(__name__)

_WORDS = {
    (True, False): "retires on",
    (True, True): "retired on",
    (False, False): "may retire from",
    (False, True): "may retire since",
}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The last warning about a model's base: of which day, at which threshold, and whether it is told."""

    key: str
    retires_on: date
    threshold: int
    at: float
    told: bool = False

    @property
    def id(self) -> str:
        """The event's id, the same whenever it is sent."""
        return f"{self.key}-{self.retires_on}-{self.threshold}"


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """When the next look is ``due`` (Unix seconds), and the ``edition`` of the catalogue that the last one went by."""

    due: float
    edition: str


Announce = Callable[[Notice, Retiring], Message]


class NoticeBeat:
    """The tick's part: it looks once a day, and at once when the catalogue's dates have changed.

    A process asks the state for the day only when it starts and when that has come: other ticks read nothing for it.
    """

    def __init__(
        self, documents: Documents, events: Events, *, now: Callable[[], float], fates: Fates, announce: Announce
    ) -> None:
        self._radar = Radar(ModelShelf(documents, now=now), fates)
        self._kept = Collection(documents, "retirement_notices", Notice)
        self._looks = Collection(documents, "retirement_looks", Looked)
        self._documents = documents
        self._events = events
        self._now = now
        self._edition = fates.edition()
        self._announce = announce
        self._due = 0.0

    def tick(self) -> int:
        """Warn of what is near; how many were told. Repeating it changes nothing. Raises TryLater."""
        now = self._now()
        if now < self._due:
            return 0
        looked = self._looks.known(BEAT)
        if looked is not None and looked.value.edition == self._edition and now < looked.value.due:
            self._due = looked.value.due
            return 0
        rows = self._radar.look(owner=None, within=THRESHOLDS[0]).rows
        outcomes = [self._warned(row) for row in rows]
        if None not in outcomes:
            self._done(looked, tomorrow(now))
        return sum(told or 0 for told in outcomes)

    def _done(self, looked: Stored[Looked] | None, due: float) -> None:
        after = Looked(due=due, edition=self._edition)
        try:
            write = self._looks.create(BEAT, after) if looked is None else self._looks.replace(looked, after)
            self._documents.commit(write)
        except Conflict:
            return  # another tick's look counts; the next one reads it
        self._due = due

    def _warned(self, row: Retiring) -> int | None:
        """1 when it was told now, 0 when there was nothing to tell; None while another tick is at it."""
        if not row.routes:
            return 0
        stored = self._kept.known(_document(row))
        match _state(row, stored.value if stored else None, now=self._now()):
            case "told":
                return 0
            case "under_way":
                return None
            case "due":
                return self._told(row, stored)

    def _told(self, row: Retiring, stored: Stored[Notice] | None) -> int | None:
        id_ = _document(row)
        notice = Notice(key=row.key, retires_on=row.retires_on, threshold=_threshold(row), at=self._now())
        write = self._kept.create(id_, notice) if stored is None else self._kept.replace(stored, notice)
        try:
            self._documents.commit(write)
        except Conflict:
            return None
        self._events.publish(self._announce(notice, row))
        urgent = row.announced and notice.threshold <= URGENT
        log.log(logging.ERROR if urgent else logging.WARNING, "%s", said(row))
        written = self._kept.known(id_)
        if written is not None and written.value == notice:
            with suppress(Conflict):  # a later notice stands there, and is told by its own writer
                self._documents.commit(self._kept.replace(written, msgspec.structs.replace(notice, told=True)))
        return 1


def said(row: Retiring) -> str:
    """The warning in a sentence or two."""
    what = f"Model '{row.id}' stands on '{row.base_model}', which" if row.kind == "model" else f"'{row.base_model}'"
    word = _WORDS[row.announced, row.days_left < 0]
    days = _in_days(row.days_left)
    routes = ", ".join(each.route for each in row.routes)
    return f"{what} {word} {row.retires_on} ({days}). It answers as: {routes}.{_remedy(row)}"


def _remedy(row: Retiring) -> str:
    if row.replaced_by:
        return f" It is replaced by {', '.join(row.replaced_by)}: point these names there."
    if row.successor is None:
        first = f"Choose one: tuneway models retune {row.id}@{row.version} --onto BASE."
        return f" No successor is known. {first if row.job else 'Point these names elsewhere.'}"
    if row.job is None:
        return f" Its successor is '{row.successor}'."
    return f" Tune it again on '{row.successor}': tuneway models retune {row.id}@{row.version}."


def tomorrow(now: float) -> float:
    """The beginning of the next day in UTC (Unix seconds)."""
    return datetime.combine(day_of(now) + timedelta(days=1), time(), UTC).timestamp()


def _threshold(row: Retiring) -> int:
    """The nearest that is reached: whoever slept over the others is not told of them."""
    return min(days for days in THRESHOLDS if row.days_left <= days)


def _state(row: Retiring, before: Notice | None, *, now: float) -> Literal["told", "under_way", "due"]:
    """Whether the row's notice is told; a day that was moved is told of anew."""
    if before is None or before.retires_on != row.retires_on or _threshold(row) < before.threshold:
        return "due"
    if before.told:
        return "told"
    return "under_way" if now < before.at + LEASE else "due"


def _document(row: Retiring) -> str:
    """A document's id, which has no slash."""
    return quote(row.key, safe="@:")


def _in_days(days: int) -> str:
    match days:
        case 0:
            return "today"
        case 1:
            return "tomorrow"
        case _:
            return f"in {days} days" if days > 0 else f"{-days} days ago"
