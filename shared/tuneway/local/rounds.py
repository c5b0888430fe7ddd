"""A thread that does the same thing again and again, until it is told to stop."""

import threading
from collections.abc import Callable


class Rounds:
    """Calls ``turn`` every ``interval`` seconds, counted from its end; the first time ``at_once``, or only then.

    ``close`` is called when it has stopped; not while a turn that outlasted the grace may still need what it closes.
    """

    def __init__(
        self,
        turn: Callable[[], None],
        interval: float,
        *,
        name: str,
        at_once: bool = False,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._turn = turn
        self._interval = interval
        self._close = close
        self._first = 0.0 if at_once else interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether no turn will follow the one under way."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin with the rounds."""
        self._thread.start()

    def stop(self, *, grace: float = 10.0) -> None:
        """No more turns; wait ``grace`` seconds for the one under way."""
        self._stopping.set()
        self._thread.join(grace)
        if not self._thread.is_alive():
            self._close()

    def _run(self) -> None:
        wait = self._first
        while not self._stopping.wait(wait):
            self._turn()
            wait = self._interval
