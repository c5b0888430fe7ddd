"""The rows of a file as lines, for those who write them elsewhere: what cannot be read ends it, and names its place."""

from collections import Counter
from collections.abc import Collection, Iterator

from tuneway.errors import BadInput
from tuneway.tuning.datasets.faults import shown
from tuneway.tuning.datasets.ledger import Placed
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.losses import NAMES
from tuneway.tuning.datasets.reading import Reading
from tuneway.tuning.datasets.report import Finding, issue
from tuneway.tuning.datasets.rules import RULES

Numbered = tuple[int, bytes]
"""A row with its number among the lines of ``Reading.blocks``, from 1."""

# What a reader leaves out of a file is lost as well.
_UNREAD = {"column_ignored": "columns", "keys_ignored": "columns"}


class RowLines:
    """The lines of ``source`` that hold rows; ``drop`` names what may be lost, ``lost`` counts what was."""

    def __init__(self, source: Reading, *, drop: Collection[str] = ()) -> None:
        """Raises BadInput: a name in ``drop`` is not known."""
        for name in drop:
            if name not in NAMES:
                raise BadInput(f"Nothing named '{name}' can be lost. Use {', '.join(sorted(NAMES))}.", param="drop")
        self._source = source
        self.drop = frozenset(drop)
        self.lost: Counter[str] = Counter()

    def blocks(self) -> Iterator[list[Numbered]]:
        """The rows, as many as come at once. Raises BadInput that names line, place, rule and remedy."""
        decoder = LineDecoder(DatasetLimits().line_bytes)
        number = 0
        for block in self._source.blocks:
            self._judge(self._source.faults())
            lines = list(decoder.decode(block))
            yield list(self._rows(lines, number))
            number += len(lines)
        yield list(self._rows(list(decoder.flush()), number))
        self._judge(self._source.faults())

    def refused(self, finding: Finding, number: int) -> BadInput:
        """The error for what was found in a row."""
        return BadInput(issue(finding, self._source.line_of(number)).text, param="file", code=finding.rule)

    def _rows(self, lines: list[Line], before: int) -> Iterator[Numbered]:
        for number, line in enumerate(lines, start=before + 1):
            if isinstance(line, Overlong):
                raise self.refused(Finding("line_too_long", "$", "The line is too long.", shown(line.start)), number)
            text = (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line).strip()
            if text:
                yield number, text

    def _judge(self, faults: list[Placed]) -> None:
        """What could not be read ends it, unless it is no loss or may be lost."""
        for finding, line in faults:
            name = _UNREAD.get(finding.rule)
            if name in self.drop:
                self.lost[name] += 1
            elif name or RULES[finding.rule].severity == "error":
                hint = f" Allow it as '{name}'." if name else ""
                raise BadInput(f"{issue(finding, line).text}{hint}", param="file", code=finding.rule)
