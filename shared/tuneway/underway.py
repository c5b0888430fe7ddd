"""Whether anything is under way: one small document that the beat reads, instead of asking every room.

The mark says ``busy``, ``quiet`` or ``idle``. Whoever writes something that is open (``MarkedDocuments``) sees to it
*before* that the mark says ``busy``. The beat alone takes it back, in two steps: it found nothing open, ``quiet``; and
again after ``PAUSE``, ``idle``. So what a writer began while the mark was busy has long been written, or is lost, when
the second look finds nothing; and a writer who finds the mark quiet makes it busy, which the guard of the beat's own
write then sees. No mark at all means ``busy``: everything is looked at.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
from typing_extensions import override

from tuneway.errors import AlreadyExists, Conflict, TryLater
from tuneway.ports import Create, Document, Documents, Key, Put, Query, Replace, Where, Write
from tuneway.state import Collection, Stored

ID = "mark"
# Seconds for which a writer trusts that the mark is busy. With the longest call of a function (540 s) and clocks that
# differ, that stays far below the pause between the beat's two looks.
TRUST = 300.0
PAUSE = 1800.0
# Seconds after which even an idle beat asks the rooms: whatever wrote past the mark is not forgotten for ever.
ASKS = 3600.0
ATTEMPTS = 5


class Mark(msgspec.Struct, frozen=True):
    """What is known, since when (Unix seconds)."""

    says: Literal["busy", "quiet", "idle"]
    at: float


class Opening(msgspec.Struct, frozen=True):
    """How a collection tells that a document of it is open: it has the field, or holds this value in it."""

    field: str
    holds: bool | None = None

    def of(self, fields: dict[str, object]) -> bool:
        """Whether these are an open document's."""
        found = fields.get(self.field)
        return found is not None if self.holds is None else found is self.holds

    def question(self, collection: str) -> Query:
        """The query that finds one, if there is any."""
        if self.holds is not None:
            return Query(collection=collection, where=(Where(self.field, "==", self.holds),), limit=1)
        return Query(collection=collection, where=(Where(self.field, ">=", 0.0),), order_by=self.field, limit=1)


# All that a beat wakes; what it is to wake besides joins with a row.
OPENINGS = {
    "jobs": Opening("due"),
    "sweeps": Opening("due"),
    "deployments": Opening("open", holds=True),
    "canaries": Opening("open", holds=True),
    "retunes": Opening("open", holds=True),
}


class MarkedDocuments(Documents):
    """The state, in which nothing open is written that the mark does not tell of."""

    def __init__(self, inner: Documents, now: Callable[[], float]) -> None:
        self._inner = inner
        self._now = now
        self._busy_at: float | None = None

    @override
    def get(self, key: Key) -> Document | None:
        return self._inner.get(key)

    @override
    def find(self, query: Query) -> list[Document]:
        return self._inner.find(query)

    @override
    def commit(self, *writes: Write) -> None:
        if any(_opens(write) for write in writes):
            self._mark()
        self._inner.commit(*writes)

    def _mark(self) -> None:
        """Raises TryLater."""
        now = self._now()
        if self._busy_at is not None and 0 <= now - self._busy_at < TRUST:
            return
        for _ in range(ATTEMPTS):
            if _said(self._inner, "busy", _marks(self._inner).known(ID), now=now):
                self._busy_at = now
                return
        raise TryLater("The state could not be marked as busy. Ask again.")


def beat(documents: Documents, rooms: Callable[[], int], *, now: float) -> int:
    """What ``rooms`` woke, asked unless nothing is under way: then this is one read. Repeating it repeats messages."""
    mark = _marks(documents).known(ID)
    if mark is not None and mark.value.says == "idle" and now - mark.value.at < ASKS:
        return 0
    woken = rooms()
    if woken:
        _said(documents, "busy", mark, now=now)
    elif mark is None or mark.value.says != "quiet":
        _said(documents, "busy" if _anything(documents) else _after(mark), mark, now=now)
    elif now - mark.value.at >= PAUSE:
        _said(documents, "busy" if _anything(documents) else "idle", mark, now=now)
    return woken


def _after(mark: Stored[Mark] | None) -> Literal["quiet", "idle"]:
    return "idle" if mark is not None and mark.value.says == "idle" else "quiet"


def _anything(documents: Documents) -> bool:
    return any(documents.find(opening.question(name)) for name, opening in OPENINGS.items())


def _opens(write: Write) -> bool:
    match write:
        case Create() | Replace() | Put():
            opening = OPENINGS.get(write.key.collection)
            return opening is not None and opening.of(write.fields)
        case _:
            return False


def _marks(documents: Documents) -> Collection[Mark]:
    return Collection(documents, "underway", Mark)


def _said(
    documents: Documents, says: Literal["busy", "quiet", "idle"], mark: Stored[Mark] | None, *, now: float
) -> bool:
    """Whether the mark says so; not when somebody else was first. One that is busy already is not written again."""
    if mark is not None and mark.value.says == says == "busy":
        return True
    shelf, after = _marks(documents), Mark(says, now)
    try:
        documents.commit(shelf.create(ID, after) if mark is None else shelf.replace(mark, after))
    except (AlreadyExists, Conflict):
        return False
    return True
