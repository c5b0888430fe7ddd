"""What happened to one call: which target answered, after how many attempts, how long was waited, what was counted."""

import time
from collections.abc import Mapping

import msgspec

from tuneway.prediction.hub.answer import Usage
from tuneway.routing.fragments import Asleep
from tuneway.routing.routes import Route, Target

PATIENCE = 600.0  # no further attempt begins later than this, in seconds, where the route sets no total


class Journey(msgspec.Struct, eq=False):
    """The record of one call. ``waited`` is the time in which it was others' turn: hosts and pauses, in seconds.

    ``dropped`` names the parameters that were left out, ``hints`` those among them that no dialect could say. ``along``
    is the route whose targets are asked: the call's own, or a fallback's. ``family`` is that of the prompt that was
    used, where the route keeps prompts. ``spent`` is what answers cost that were counted and not given. ``blamed`` are
    targets whose hosts failed, each with the number of the attempt. ``asleep`` are the places where nothing answers for
    now, ``slept`` the targets there that were passed over.
    """

    route: Route
    stream: bool = False
    began: float = msgspec.field(default_factory=time.monotonic)
    attempts: int = 0
    target: Target | None = None
    waited: float = 0.0
    ends_at: float | None = None
    dropped: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    usage: Usage | None = None
    along: Route | None = None
    family: str | None = None
    spent: tuple[tuple[Usage, Target], ...] = ()
    waiting_since: float | None = None
    blamed: tuple[tuple[int, Target], ...] = ()
    asleep: Mapping[str, Asleep] = {}
    slept: tuple[Target, ...] = ()

    @property
    def patience(self) -> float:
        """Seconds from the beginning within which another attempt may begin."""
        return self.route.timeouts.total or PATIENCE

    def asks(self, target: Target) -> None:
        """Another attempt begins."""
        self.attempts += 1
        self.target = target
        self.dropped = self.hints = ()
        self.usage = None

    def blames(self) -> None:
        """The target that was asked has not answered: its host failed, or the call cannot be said to it."""
        if self.target is not None:
            self.blamed = (*self.blamed, (self.attempts, self.target))

    @property
    def failed(self) -> tuple[Target, ...]:
        """The targets that failed before the last one was asked; of that one the answer tells."""
        return tuple(target for number, target in self.blamed if number < self.attempts)

    @property
    def counted(self) -> list[tuple[Usage, Target]]:
        """The tokens of every answer there was, each with the target that gave it."""
        if self.usage is None or self.target is None:
            return [*self.spent]
        return [*self.spent, (self.usage, self.target)]

    def waits(self) -> None:
        """It is somebody else's turn from here on."""
        self.waiting_since = time.perf_counter()

    def goes_on(self) -> None:
        """It is our turn again, if it was not already."""
        if self.waiting_since is not None:
            self.waited += time.perf_counter() - self.waiting_since
            self.waiting_since = None

    def part(self) -> "Journey":
        """The record of one of several calls that are made at once for this one."""
        return Journey(self.route, stream=self.stream, began=self.began, ends_at=self.ends_at)
