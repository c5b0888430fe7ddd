"""What happened to one call: which target answered, after how many attempts, how long was waited, what was counted."""

import time

from tuneway.prediction.hub.answer import Usage
from tuneway.routing.routes import Route, Target

PATIENCE = 600.0  # no further attempt begins later than this, in seconds, where the route sets no total


class Journey:
    """The record of one call. ``waited`` is the time in which it was others' turn: hosts and pauses, in seconds."""

    __slots__ = (
        "_waiting_since",
        "attempts",
        "began",
        "dropped",
        "ends_at",
        "route",
        "stream",
        "target",
        "usage",
        "waited",
    )

    def __init__(self, route: Route, *, stream: bool = False, began: float | None = None) -> None:
        self.route = route
        self.stream = stream
        self.began = time.monotonic() if began is None else began
        self.attempts = 0
        self.target: Target | None = None
        self.waited = 0.0
        self.ends_at: float | None = None
        self.dropped: tuple[str, ...] = ()
        self.usage: Usage | None = None
        self._waiting_since: float | None = None

    @property
    def patience(self) -> float:
        """Seconds from the beginning within which another attempt may begin."""
        return self.route.timeouts.total or PATIENCE

    def asks(self, target: Target) -> None:
        """Another attempt begins."""
        self.attempts += 1
        self.target = target
        self.dropped = ()

    def waits(self) -> None:
        """It is somebody else's turn from here on."""
        self._waiting_since = time.perf_counter()

    def goes_on(self) -> None:
        """It is our turn again, if it was not already."""
        if self._waiting_since is not None:
            self.waited += time.perf_counter() - self._waiting_since
            self._waiting_since = None

    def part(self) -> "Journey":
        """The record of one of several calls that are made at once for this one."""
        part = Journey(self.route, stream=self.stream, began=self.began)
        part.ends_at = self.ends_at
        return part
