"""Rows of a table in text as JSONL, however its bytes are cut: CSV with any usual delimiter, and TSV."""

import codecs
import re
from collections.abc import Iterator

import msgspec

from tuneway.tuning.datasets.csv_lines import Grammar, Shape
from tuneway.tuning.datasets.headers import Header, header, known
from tuneway.tuning.datasets.json_values import one_line
from tuneway.tuning.datasets.kinds import FIRST_BYTES, Columns
from tuneway.tuning.datasets.ledger import Ledger, Unreadable
from tuneway.tuning.datasets.limits import MEBIBYTE
from tuneway.tuning.datasets.report import Finding, excerpt

COMMAS = ",;\t|"
TABS = "\t"
MOST_ROW = 8 * MEBIBYTE
"""Characters of one row: a quote that is never closed would take the rest of the file into it."""

MOST_COLUMNS = 1_000
_BYTE_ORDER_MARK = "\ufeff"
_TURNS = re.compile(r'\[\s*\{\s*"(?:role|content)"\s*:')


def rows(
    blocks: Iterator[bytes], ledger: Ledger, *, columns: Columns | None = None, delimiters: str = COMMAS
) -> Iterator[bytes]:
    """The rows as JSONL. ``delimiters`` are those it may be; the header tells which. Raises Unreadable."""
    decoder = CsvDecoder(ledger, columns, delimiters=delimiters)
    for block in blocks:
        yield from decoder.decode(block)
    yield from decoder.flush()


class CsvDecoder:
    """A stream decoder: blocks of any size in, JSONL out. Any split of the same bytes gives the same rows."""

    def __init__(
        self, ledger: Ledger, columns: Columns | None = None, *, delimiters: str = COMMAS, bound: int = MOST_ROW
    ) -> None:
        self._ledger = ledger
        self._columns = columns
        self._grammars = [Grammar(delimiter) for delimiter in delimiters]
        self._bound = bound
        # What is no UTF-8 comes through as lone surrogates, which no JSON may hold: so the row at fault is known.
        self._characters = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._waiting: list[str] = []
        self._room = FIRST_BYTES
        self._text = ""
        self._at = 0
        self._line = 1
        self._end = "\n"
        self._table: _Table | None = None

    def decode(self, block: bytes) -> Iterator[bytes]:
        """The rows that end in this block, or in one before. Raises Unreadable."""
        self._waiting.append(self._characters(block))
        self._room -= len(block)
        if self._room > 0:
            return
        yield from self._advanced()
        if len(self._text) > self._bound:
            raise self._unclosed()
        # A row that is not all there yet is not gone through again before there is as much of it once more.
        self._room = max(1, len(self._text))

    def flush(self) -> Iterator[bytes]:
        """The last rows. Raises Unreadable."""
        text = self._text + "".join(self._waiting) + self._characters(b"", final=True)
        # The last row ends with the file.
        self._text, self._waiting = text, [] if not text or text.endswith("\n") else ["\n"]
        yield from self._advanced()
        if self._text:
            raise self._unclosed()
        if self._table is None:
            raise Unreadable(Finding("missing_column", "$", "The file has no header."))

    def _advanced(self) -> Iterator[bytes]:
        """One block of all rows that are whole by now; those before a break come before the complaint."""
        self._text = "".join((self._text, *self._waiting))
        self._waiting = []
        if self._table is None:
            self._table = self._begun()
        made = [] if self._table is None else self._rows(self._table)
        self._text, self._at = self._text[self._at :], 0
        if made:
            yield b"\n".join(made) + b"\n"

    def _begun(self) -> "_Table | None":
        """What the header says, once it is whole: the delimiter is the one that gives columns of known names."""
        self._text = self._text.removeprefix(_BYTE_ORDER_MARK)
        while end := self._grammars[0].blank(self._text, self._at):
            self._move(end)
        read = [(grammar, *grammar.cells(self._text, self._at)) for grammar in self._grammars]
        whole = [found for found in read if found[2]]
        if not whole:
            return None
        fitting = [found for found in whole if known(found[1], self._columns)]
        grammar, names, end = (fitting or sorted(whole, key=lambda found: -len(found[1])))[0]
        if len(names) > MOST_COLUMNS:
            said = f"The header has {len(names):,} columns of {MOST_COLUMNS:,} allowed."
            raise Unreadable(Finding("missing_column", "$", said), self._line)
        self._check_utf8(names)
        head = header(names, self._columns, self._ledger, line=self._line)
        # Files of old systems have carriage returns alone.
        self._end = "\r" if self._text[end - 1] == "\r" else "\n"
        self._move(end)
        return _Table(grammar, grammar.shape(len(names), head.used), head)

    def _check_utf8(self, names: list[str]) -> None:
        try:
            "".join(names).encode()
        except UnicodeEncodeError as fault:
            raise Unreadable(Finding("not_utf8", "$", "The header is not UTF-8.", self._start()), self._line) from fault

    def _rows(self, table: "_Table") -> list[bytes]:
        made: list[bytes] = []
        while self._at < len(self._text):
            cells, end = table.shape.read(self._text, self._at)
            if not end or not any(cells):
                cells, end = self._unusual(table)
            if not end:
                break
            if cells:
                self._add(made, table.head, cells)
            self._move(end)
        return made

    def _unusual(self, table: "_Table") -> tuple[list[str], int]:
        """What is no usual row: it is blank, at fault, or not all here yet. Its wanted cells and its end."""
        if blank := table.grammar.blank(self._text, self._at):
            return self._blank(), blank
        found, end = table.grammar.cells(self._text, self._at)
        if not end:
            return self._odd(table.grammar)
        if not any(found):
            return self._blank(), end
        wanted = table.shape.wanted(found)
        if wanted is None:
            self._fault("ragged_row", f"The row has {len(found):,} cells, the header {len(table.shape):,}.")
        return wanted or [], end

    def _blank(self) -> list[str]:
        self._fault("blank_line", "The line is blank.")
        return []

    def _odd(self, grammar: Grammar) -> tuple[list[str], int]:
        end = grammar.odd(self._text, self._at)
        if end:
            self._fault("misplaced_quote", "Text stands behind a closing quote.")
        return [], end

    def _add(self, made: list[bytes], head: Header, cells: list[str]) -> None:
        try:
            made.append(head.line(cells if head.keys else [_value(cell, text=head.texts) for cell in cells]))
        except UnicodeEncodeError:
            self._fault("not_utf8", "The row is not UTF-8.")
        else:
            self._ledger.row(self._line)

    def _fault(self, rule: str, said: str) -> None:
        self._ledger.fault(Finding(rule, "$", said, self._start()), self._line)

    def _start(self) -> str:
        """The beginning of the line at hand, whatever its bytes."""
        shown = self._text[self._at : self._at + 200].splitlines()[0] if self._at < len(self._text) else ""
        return excerpt(shown.encode(errors="surrogateescape").decode(errors="replace"))

    def _move(self, to: int) -> None:
        self._line += self._text.count(self._end, self._at, to)
        self._at = to

    def _unclosed(self) -> Unreadable:
        said = "A quote that opens in this row is not closed."
        return Unreadable(Finding("unclosed_quote", "$", said, self._start()), self._line)


class _Table(msgspec.Struct, frozen=True):
    """What the header told."""

    grammar: Grammar
    shape: Shape
    head: Header


def _value(cell: str, *, text: bool) -> msgspec.Raw | str | None:
    """A cell that holds JSON, taken as it is: what is wrong with it is found with the row.

    Where cells hold ``text``, those that hold the turns of a conversation are JSON all the same.
    """
    if text and not _TURNS.match(cell):
        return cell
    return msgspec.Raw(one_line(cell.encode())) if cell else None
