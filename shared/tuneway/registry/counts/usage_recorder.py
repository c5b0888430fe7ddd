"""Count requests. Those that arrive while others are written are written together: writes follow time, not traffic.

Every document is written by itself, guarded by its version. A request that was counted in one document and not in the
next, because the process died, is delivered again, and counted where it was not.
"""

import secrets
import threading
import time
from collections.abc import Iterable, Sequence

import msgspec

from tuneway.errors import Conflict, TryLater, TunewayError
from tuneway.ports import Create, Documents, Key, Replace
from tuneway.registry.counts.tallies import Request, total
from tuneway.registry.counts.usage import Counted, Entry, Usage, added, entries, has_seen
from tuneway.state import fields_of

ATTEMPTS = 15
LONGEST_PAUSE_MS = 400


class _Waiting:
    """A request on its way into the state."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.done = False
        self.fault: TunewayError | None = None


class Recorder:
    """Counts each request once, however often it comes; for many threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._changed = threading.Condition()
        self._writing = False
        self._waiting: list[_Waiting] = []

    def __call__(self, request: Request) -> None:
        """Count it; once this returns it is written. Raises TryLater: it is counted when it comes again."""
        mine = _Waiting(request)
        batch = self._taken(mine)
        if batch:
            try:
                self._write(batch)
            finally:
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        if mine.fault is not None:
            raise mine.fault

    def _taken(self, mine: _Waiting) -> list[_Waiting]:
        """All that wait, for this thread to write; none when another has written this one meanwhile.

        Who is written need not wait for the next to be: only those who are not compete for the turn.
        """
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: mine.done or not self._writing)
            if mine.done:
                return []
            # One that was taken along by a thread that died of something is in the queue no longer.
            batch, self._waiting = list(dict.fromkeys([mine, *self._waiting])), []
            self._writing = True
            return batch

    def _write(self, batch: Iterable[_Waiting]) -> None:
        by_document: dict[Key, list[tuple[_Waiting, Entry]]] = {}
        for waiting in batch:
            for entry in entries(waiting.request):
                by_document.setdefault(entry.key, []).append((waiting, entry))
        for key, mine in by_document.items():
            fault = self._fault_of(key, [entry for _, entry in mine])
            for waiting, _ in mine:
                waiting.fault = waiting.fault or fault
        for waiting in batch:
            waiting.done = True

    def _fault_of(self, key: Key, mine: Sequence[Entry]) -> TunewayError | None:
        """What went wrong with one document is told to those alone whose requests go there."""
        try:
            self._add(key, mine)
        except TunewayError as fault:
            return fault
        return None

    def _add(self, key: Key, mine: Sequence[Entry]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                if (write := self._written(key, mine)) is not None:
                    self._documents.commit(write)
            except Conflict:
                _pause(attempt)
                continue
            return
        raise TryLater("Usage keeps changing. The request is counted when it comes again.")

    def _written(self, key: Key, mine: Sequence[Entry]) -> Create | Replace | None:
        """The write that adds what is new; None when nothing is."""
        found = self._documents.get(key)
        kept = mine[0].fresh if found is None else msgspec.convert(found.fields, type(mine[0].fresh))
        after = _with(kept, mine)
        if after == kept:
            return None
        fields = fields_of(after)
        return Create(key, fields) if found is None else Replace(key, fields, found.version)


def _pause(attempt: int) -> None:
    """A moment by luck, so that instances that met at a document do not meet again."""
    time.sleep((1 + secrets.randbelow(min(4 * 2**attempt, LONGEST_PAUSE_MS))) / 1000)


def _with(kept: Usage | Counted, mine: Iterable[Entry]) -> Usage | Counted:
    for entry in mine:
        if not has_seen(kept, entry.mark):
            kept = added(kept, entry, total([kept.tally, entry.tally]))
    return kept
