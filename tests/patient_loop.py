"""An event loop whose clock stands still while the machine lets the process wait: its timers keep their distances."""

import asyncio
import selectors
import time
from selectors import SelectorKey

from typing_extensions import override


class Waits(selectors.DefaultSelector):
    """Counts the seconds that were waited: never more than were asked for, however late the process is woken."""

    seconds = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        began = time.monotonic()
        found = super().select(timeout)
        waited = time.monotonic() - began
        self.seconds += waited if timeout is None else min(waited, max(timeout, 0.0))
        return found


class PatientLoop(asyncio.SelectorEventLoop):
    """Time is what was waited for and what the thread has worked; what a busy machine gave to others does not count.

    A host that pauses for 0.1 s is in time for a caller who waits for 0.4 s, even if both are not let on for a second.
    """

    def __init__(self) -> None:
        self._waits = Waits()
        super().__init__(self._waits)

    @override
    def time(self) -> float:
        return self._waits.seconds + time.thread_time()
