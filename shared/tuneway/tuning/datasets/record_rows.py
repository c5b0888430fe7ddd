"""Rows of JSON by the keys that their user named as columns: a pair of each, with the lines that the user sees."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.datasets import json_rows
from tuneway.tuning.datasets.faults import fault, shown
from tuneway.tuning.datasets.headers import Header, check_two, folded, known
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.ledger import Ledger
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.report import Finding, excerpt

MOST_NAMES = 1_000
"""So many different keys that make no part of a row are told."""

REMEDY = (
    "Name keys that the rows have, or leave 'columns' out (on the command line --prompt-column, --completion-column "
    "and --system-column): rows of a known form need none."
)

_decode = msgspec.json.Decoder(dict[str, object]).decode


def of_lines(blocks: Iterator[bytes], ledger: Ledger, *, columns: Columns, name: str) -> Iterator[bytes]:
    """The rows of JSONL. Raises BadInput (``columns``) when the first row has not the keys that are named."""
    yield from _Pairs(columns, ledger, name=name, line_of=int).blocks(blocks)


def of_document(blocks: Iterator[bytes], ledger: Ledger, *, columns: Columns, name: str) -> Iterator[bytes]:
    """The rows of a JSON document. Raises as ``of_lines``, and Unreadable where the document breaks."""
    read = Ledger()
    try:
        for block in _Pairs(columns, ledger, name=name, line_of=read.line_of).blocks(json_rows.rows(blocks, read)):
            yield block
            _pass_on(read, ledger)
    finally:
        _pass_on(read, ledger)


def _pass_on(read: Ledger, ledger: Ledger) -> None:
    for finding, line in read.taken():
        ledger.fault(finding, line)


class _Pairs:
    """``line_of`` tells the file's line of a row by its number, from 1; ``name`` is the file's own."""

    def __init__(self, columns: Columns, ledger: Ledger, *, name: str, line_of: Callable[[int], int]) -> None:
        self._columns = columns
        self._ledger = ledger
        self._line_of = line_of
        # What stands behind a question mark may be a signature.
        self._name = f"'{name.partition('?')[0][:200]}'" if name else "the file"
        self._number = 0
        self._keys: tuple[str, ...] | None = None
        self._head: Header | None = None
        self._ignored: set[str] = set()
        self._instructed = columns.system is None

    def blocks(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The pairs as JSONL. Raises BadInput."""
        check_two(self._columns, None)
        decoder = LineDecoder(DatasetLimits().line_bytes)
        for block in blocks:
            yield self._block(decoder.decode(block))
        yield self._block(decoder.flush())
        if self._keys is not None and not self._instructed:
            said = f"No row has the key '{excerpt(self._columns.system or '')}', which 'columns' names."
            self._ledger.fault(Finding("missing_column", "$", said), None)

    def _block(self, lines: Sequence[Line]) -> bytes:
        made: list[bytes] = []
        for line in lines:
            self._number += 1
            place = self._line_of(self._number)
            match self._pair(line, place):
                case bytes(pair):
                    made.append(pair + b"\n")
                    self._ledger.row(place)
                case Finding() as finding:
                    self._ledger.fault(finding, place)
        return b"".join(made)

    def _pair(self, line: Line, place: int) -> bytes | Finding:
        if isinstance(line, Overlong):
            return Finding("line_too_long", "$", "The line is too long.", shown(line.start))
        text = (line.removeprefix(BYTE_ORDER_MARK) if self._number == 1 else line).strip()
        if not text:
            return Finding("blank_line", "$", "The line is blank.")
        try:
            row = _decode(text)
        except (ValueError, RecursionError) as error:
            return fault(error, text)
        whole = self._whole(row)
        head = self._header(whole, row, place)
        if head is None:
            said = f"The row has no {self._missing(row)}, which 'columns' names."
            return Finding("missing_key", "$", said, shown(text))
        values = list(whole.values())
        return head.line([values[used] for used in head.used])

    def _whole(self, row: dict[str, object]) -> dict[str, object]:
        """Instructions may be missing in some of the rows, which are written like the others all the same."""
        system = self._columns.system
        if system is None:
            return row
        if folded(system) in map(folded, row):
            self._instructed = True
            return row
        return {**row, system: None}

    def _header(self, whole: dict[str, object], row: dict[str, object], place: int) -> Header | None:
        """How the row is made; the first one has to have the keys. Raises BadInput."""
        keys = tuple(whole)
        if keys != self._keys:
            head = known(keys, self._columns)
            if head is None and self._keys is None:
                raise self._refused(row, place)
            self._note(keys, head, place)
            self._keys, self._head = keys, head
        return self._head

    def _note(self, keys: Sequence[str], head: Header | None, place: int) -> None:
        used = {keys[at] for at in head.used} if head else set(keys)
        for key in keys:
            if key not in used and key not in self._ignored and len(self._ignored) < MOST_NAMES:
                self._ignored.add(key)
                said = f"The key '{excerpt(key)}' makes no part of the rows."
                self._ledger.fault(Finding("column_ignored", "$", said), place)

    def _refused(self, row: dict[str, object], place: int) -> BadInput:
        has = ", ".join(f"'{key}'" for key in row) or "none"
        said = f"Line {place} of {self._name} has no {self._missing(row)}, which 'columns' names; its keys: "
        return BadInput(f"{said}{excerpt(has)}. {REMEDY}", param="columns", code="columns_not_found")

    def _missing(self, row: dict[str, object]) -> str:
        keys = set(map(folded, row))
        wanted = (self._columns.prompt, self._columns.completion)
        return " and no ".join(f"'{excerpt(name)}'" for name in wanted if folded(name) not in keys)
