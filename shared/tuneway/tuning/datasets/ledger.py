"""What a reader notes beside the rows: on which line of the file each row stands, and what could not be read."""

from array import array
from bisect import bisect_right

from tuneway.tuning.datasets.report import Finding

Placed = tuple[Finding, int | None]
"""A finding and the line of the file it is on, None for the whole file."""


class Unreadable(ValueError):
    """Nothing more can be read from here on; ``finding`` says why, ``line`` where, if that is known."""

    def __init__(self, finding: Finding, line: int | None = None) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.line = line


class Ledger:
    """The lines of rows, kept only where one does not follow the other, and the faults not yet asked for."""

    def __init__(self) -> None:
        self._rows = array("Q", [1])
        self._lines = array("Q", [1])
        self._next_row = 1
        self._next_line = 1
        self._faults: list[Placed] = []

    def row(self, line: int) -> None:
        """The next row stands on ``line``."""
        if line != self._next_line:
            self._rows.append(self._next_row)
            self._lines.append(line)
        self._next_row += 1
        self._next_line = line + 1

    def line_of(self, row: int) -> int:
        """The line of the ``row``-th row, both from 1."""
        at = bisect_right(self._rows, row) - 1
        return self._lines[at] + row - self._rows[at]

    def fault(self, finding: Finding, line: int | None) -> None:
        """Note what could not be read."""
        self._faults.append((finding, line))

    def taken(self) -> list[Placed]:
        """The faults since the last call."""
        faults, self._faults = self._faults, []
        return faults
