"""How the rows of a table in text are written: delimiters, line breaks and quotes, as RFC 4180 says."""

import re
from collections.abc import Sequence


class Grammar:
    """The rows of tables with one delimiter."""

    def __init__(self, delimiter: str) -> None:
        mark = re.escape(delimiter)
        quoted = r'"[^"]*+(?:""[^"]*+)*+"'
        # A carriage return that nothing follows yet may be half of a line break.
        end = r"(?:\r\n|\n|\r(?=[^\n]))"
        cell = rf'(?:{quoted}|[^"{mark}\r\n][^{mark}\r\n]*+|)'
        before = rf"(?:{cell}{mark})*+"
        self.delimiter = delimiter
        self._cell = cell
        self._mark = mark
        self._end = end
        self._blank = re.compile(rf" *{end}")
        self._whole = re.compile(rf"{before}{cell}({end})")
        self._each = re.compile(rf"(?:\A|{mark})({cell})")
        # Behind a closing quote stands what may not stand there: the line it is on cannot be read.
        self._odd = re.compile(rf'{before}{quoted}[^"{mark}\r\n][^\r\n]*+{end}')

    def blank(self, text: str, at: int) -> int:
        """Where a blank line at ``at`` ends, or 0."""
        found = self._blank.match(text, at)
        return found.end() if found else 0

    def cells(self, text: str, at: int) -> tuple[list[str], int]:
        """All cells of the row at ``at`` and where it ends, which is 0 when it is not a whole row."""
        found = self._whole.match(text, at)
        if found is None:
            return [], 0
        return [plain(cell) for cell in self._each.findall(text[at : found.start(1)])], found.end()

    def odd(self, text: str, at: int) -> int:
        """Where the line ends that misuses quotes, or 0 when the row at ``at`` does not."""
        found = self._odd.match(text, at)
        return found.end() if found else 0

    def shape(self, count: int, used: Sequence[int]) -> "Shape":
        """Rows of ``count`` cells, of which those at the places ``used`` are wanted."""
        cells = [f"({self._cell})" if place in used else self._cell for place in range(count)]
        return Shape(self.delimiter, re.compile(f"{self._mark.join(cells)}{self._end}"), count=count, used=used)


class Shape:
    """Rows of one table: so many cells, of which some are wanted."""

    def __init__(self, delimiter: str, row: re.Pattern[str], *, count: int, used: Sequence[int]) -> None:
        self._delimiter = delimiter
        self._match = row.match
        self._count = count
        self._used = used
        # Groups come in the order of the places; the same place may be wanted twice.
        self._groups = [sorted(set(used)).index(place) for place in used]

    def read(self, text: str, at: int) -> tuple[list[str], int]:
        """The wanted cells of the row at ``at`` and where it ends, which is 0 when there is no such row there."""
        end = text.find("\n", at)
        line = text[at : end - 1] if end > at and text[end - 1] == "\r" else text[at : max(end, at)]
        if end >= 0 and '"' not in line and "\r" not in line:
            # The usual row of a table without quotes; to search it by hand costs thrice as much.
            cells = line.split(self._delimiter)
            return ([cells[place] for place in self._used], end + 1) if len(cells) == self._count else ([], 0)
        found = self._match(text, at)
        if found is None:
            return [], 0
        wanted = [plain(cell) for cell in found.groups()]
        return [wanted[group] for group in self._groups], found.end()

    def wanted(self, cells: Sequence[str]) -> list[str] | None:
        """The wanted ones among all cells of a row, or None when there are too few or too many.

        Empty cells behind the last column are no fault: spreadsheets leave them.
        """
        if len(cells) < self._count or any(cells[self._count :]):
            return None
        return [cells[place] for place in self._used]

    def __len__(self) -> int:
        return self._count


def plain(cell: str) -> str:
    """The cell's text, without the quotes it is in."""
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
