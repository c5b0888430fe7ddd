"""Cut a JSON document into rows without reading it whole: an array, a container of one, columns, or objects in turn."""

import re
from collections.abc import Callable, Iterator

import msgspec

from tuneway.tuning.datasets.json_columns import column_rows, is_columns
from tuneway.tuning.datasets.json_values import GAP, blank_end, one_line, value_end
from tuneway.tuning.datasets.kinds import CONTAINER, FIRST_BYTES, Columns
from tuneway.tuning.datasets.ledger import Ledger, Unreadable
from tuneway.tuning.datasets.limits import MEBIBYTE
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK
from tuneway.tuning.datasets.report import Finding

MOST_ROW = 8 * MEBIBYTE
MOST_COLUMNS = 64 * MEBIBYTE

_FIRST_KEY = re.compile(rb'\{\s*"[^"\\]*"')
_many: Callable[[bytes], list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw]).decode
_object: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def rows(blocks: Iterator[bytes], ledger: Ledger, *, columns: Columns | None = None) -> Iterator[bytes]:
    """The rows as JSONL. Raises Unreadable where the document breaks."""
    decoder = JsonDecoder(ledger, columns)
    for block in blocks:
        yield from decoder.decode(block)
    yield from decoder.flush()


class JsonDecoder:
    """A stream decoder: blocks of any size in, JSONL out. Any split of the same bytes gives the same rows."""

    def __init__(self, ledger: Ledger, columns: Columns | None = None, *, bound: int = MOST_ROW) -> None:
        self._ledger = ledger
        self._columns = columns
        self._bound = bound
        self._text = b""
        self._at = 0
        self._line = 1
        self._waiting: list[bytes] = []
        self._room = FIRST_BYTES
        self._first_key = b""
        self._guessing = True
        self._contained = False
        self._ended = False
        self._step: Callable[[], list[bytes]] = self._open

    def decode(self, block: bytes) -> Iterator[bytes]:
        """The rows that end in this block, or in one before."""
        self._waiting.append(block)
        self._room -= len(block)
        if self._room > 0:
            return
        yield from self._advanced()
        if len(self._text) > self._bound:
            raise self._too_large()
        # What a row has so far is not gone through again before there is as much of it once more.
        self._room = max(1, len(self._text))

    def flush(self) -> Iterator[bytes]:
        """The last rows. Raises Unreadable when the document is not whole."""
        self._ended = True
        yield from self._advanced()
        if self._step == self._tail:
            self._close(self._text)
        elif self._step != self._documents or self._text:
            raise self._broken("The file ends before what was opened here is closed.")

    def _advanced(self) -> Iterator[bytes]:
        """One block of all rows that are whole by now; those before a break come before the complaint."""
        self._text = b"".join((self._text, *self._waiting))
        self._waiting = []
        self._guessing = True
        found: list[bytes] = []
        before = None
        try:
            while before != (self._step, self._at):
                before = (self._step, self._at)
                found += self._step()
        except Unreadable as broken:
            yield _block(found)
            raise broken from None
        yield _block(found)
        self._text, self._at = self._text[self._at :], 0

    def _open(self) -> list[bytes]:
        """Find out which document this is, by its first bytes."""
        self._text = self._text.removeprefix(BYTE_ORDER_MARK)
        self._skip()
        container = CONTAINER.match(self._text, self._at)
        if self._text[self._at : self._at + 1] == b"[":
            self._move(self._at + 1)
            self._step = self._first_row
        elif container:
            self._ignore(self._text[self._at : container.start(1)].rstrip().rstrip(b",") + b"}")
            self._move(container.end())
            self._contained = True
            self._step = self._first_row
        else:
            self._bound = MOST_COLUMNS if is_columns(self._text[self._at :]) else self._bound
            self._step = self._documents
        return []

    def _first_row(self) -> list[bytes]:
        """Between the opening bracket and the first row."""
        self._skip()
        found = self._text[self._at : self._at + 1]
        if found == b"]":
            self._move(self._at + 1)
        if found:
            self._step = self._tail if found == b"]" else self._row
        return []

    def _row(self) -> list[bytes]:
        """At the beginning of a row of the array."""
        self._skip()
        if not self._first_key and (key := _FIRST_KEY.match(self._text, self._at)):
            self._first_key = key[0]
        return self._guessed() or self._counted()

    def _guessed(self) -> list[bytes]:
        """Many rows at a stroke: up to where the last one seems to begin, if a decoder finds whole rows until there."""
        guess = self._text.rfind(self._first_key, self._at + 1) if self._first_key and self._guessing else -1
        cut = self._text.rfind(b",", self._at, max(guess, self._at))
        self._guessing = False
        if cut < 0:
            return []
        try:
            found = _many(b"[" + self._text[self._at : cut] + b"]")
        except (ValueError, RecursionError):
            return []
        return self._placed(found) if found else []

    def _placed(self, found: list[msgspec.Raw]) -> list[bytes]:
        """The rows with their lines noted; stands behind them afterwards."""
        made: list[bytes] = []
        for raw in found:
            row = bytes(raw)
            if len(row) > self._bound:
                raise self._too_large()
            self._ledger.row(self._line)
            made.append(one_line(row))
            gap = GAP.match(self._text, self._at + len(row))
            self._move(gap.end() if gap else self._at + len(row))
        return made

    def _counted(self) -> list[bytes]:
        """One row, bracket by bracket; what stands behind it is the next step's."""
        if self._text[self._at : self._at + 1] in {b",", b"]", b"}", b":"}:
            raise self._broken("There is no row here.")
        end = value_end(self._text, self._at, ended=False)
        if not end:
            return []
        if end - self._at > self._bound:
            raise self._too_large()
        row = one_line(self._text[self._at : end])
        self._ledger.row(self._line)
        self._move(end)
        self._step = self._separator
        return [row]

    def _separator(self) -> list[bytes]:
        """Behind a row."""
        self._skip()
        gap = GAP.match(self._text, self._at)
        if gap:
            self._move(gap.end())
            self._step = self._tail if gap[1] == b"]" else self._row
        elif self._at < len(self._text):
            raise self._broken("There is neither a comma nor the end of the array behind the row.")
        return []

    def _documents(self) -> list[bytes]:
        """At the beginning of a document among several, one behind another."""
        self._skip()
        if self._text[self._at : self._at + 1] in {b",", b"]", b"}", b":"}:
            raise self._broken("There is no row here.")
        end = value_end(self._text, self._at, ended=self._ended)
        if not end:
            return []
        value = self._text[self._at : end]
        made = column_rows(value, self._columns, ledger=self._ledger, line=self._line) if is_columns(value) else None
        made = [one_line(value)] if made is None else made
        for _ in made:
            self._ledger.row(self._line)
        self._move(end)
        return made

    def _tail(self) -> list[bytes]:
        """Behind the array: kept, to be looked at in the end."""
        return []

    def _close(self, tail: bytes) -> None:
        if self._contained:
            self._ignore(b'{"":0' + tail)
        elif tail.strip():
            raise self._broken("There is more behind the end of the array.")

    def _ignore(self, keys: bytes) -> None:
        """Note what stands beside the array in its container."""
        try:
            found = _object(keys)
        except (ValueError, RecursionError):
            raise self._broken("There is something that belongs to no row beside the array.") from None
        for key in filter(None, found):
            self._ledger.fault(Finding("keys_ignored", f"$.{key}", "The key stands beside the rows."), None)

    def _skip(self) -> None:
        self._move(blank_end(self._text, self._at))

    def _move(self, to: int) -> None:
        self._line += self._text.count(b"\n", self._at, to)
        self._at = to

    def _too_large(self) -> Unreadable:
        return self._broken(f"What begins here has more than {self._bound:,} bytes, or is not closed.")

    def _broken(self, said: str) -> Unreadable:
        return Unreadable(Finding("broken_json", "$", said), self._line)


def _block(found: list[bytes]) -> bytes:
    return b"\n".join(found) + b"\n" if found else b""
