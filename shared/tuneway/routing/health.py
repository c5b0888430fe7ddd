"""Which targets one instance leaves alone for a while, because they failed or asked for it."""

from collections.abc import Callable

from tuneway.routing.routes import Target

FAILURES = 3  # so many in a row, and a target rests
LONGEST_REST = 600.0  # a host may ask for more; then one call finds out whether it still means it
REMEMBERED = 1024


class _Record:
    """What is known of a target that failed."""

    __slots__ = ("failures", "rests_until")

    def __init__(self) -> None:
        self.failures = 0
        self.rests_until = float("-inf")


class Health:
    """Targets by their names. Only those that failed are remembered. For one event loop."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._records: dict[Target, _Record] = {}

    def cooling(self, target: Target) -> bool:
        """Whether the target is to be left alone now."""
        if not self._records:
            return False
        record = self._records.get(target)
        return record is not None and self._clock() < record.rests_until

    def answered(self, target: Target) -> None:
        """It works: whatever went wrong before is forgotten."""
        if self._records:
            self._records.pop(target, None)

    def failed(self, target: Target, *, cooldown: float, retry_after: float | None = None) -> None:
        """It failed: it rests for as long as its host asked, or for ``cooldown`` seconds after some in a row."""
        record = self._records.pop(target, None) or _Record()
        self._records[target] = record
        record.failures += 1
        if record.failures >= FAILURES:
            record.rests_until = self._clock() + cooldown
        if retry_after is not None:
            record.rests_until = max(record.rests_until, self._clock() + min(retry_after, LONGEST_REST))
        while len(self._records) > REMEMBERED:
            del self._records[next(iter(self._records))]
