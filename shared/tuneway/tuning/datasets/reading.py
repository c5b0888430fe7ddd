"""Read a dataset from any kind of file: JSONL in the hub's forms comes out, with the lines that the user sees."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

from tuneway.tuning.datasets import csv_rows, json_rows, record_rows, table_rows
from tuneway.tuning.datasets.gzip_blocks import refused_twice, unpacked
from tuneway.tuning.datasets.json_columns import is_columns
from tuneway.tuning.datasets.kinds import FIRST_BYTES, GZIP, PARQUET, Columns, Kind, kind_of
from tuneway.tuning.datasets.ledger import Ledger, Placed, Unreadable
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK
from tuneway.tuning.datasets.strangers import stranger
from tuneway.tuning.datasets.table_rows import Tables

MOST_UNPACKED = 4_000_000_000
"""Bytes that a packed file may have unpacked: four times what any provider takes, so that a bomb ends early."""

Rows = Callable[[Iterator[bytes], Ledger], Iterator[bytes]]


class Reading:
    """A file being read.

    ``blocks`` is JSONL, each block whole lines (but for ``untouched`` files, whose bytes pass as they are).
    What cannot be read is no exception but a fault, with its line where there is one: rows at fault are left out of
    ``blocks``, and where a file breaks, ``blocks`` ends and ``broken`` says why. Errors of the source itself pass
    through.
    """

    def __init__(self, kind: Kind, blocks: Iterator[bytes], ledger: Ledger, *, untouched: bool) -> None:
        self.kind = kind
        self.untouched = untouched
        self.broken: Placed | None = None
        self._ledger = ledger
        self.blocks = self._read(blocks)

    def line_of(self, row: int) -> int:
        """The line of the file on which the ``row``-th line of ``blocks`` stands, both from 1.

        A row of several lines is where it begins; in Parquet a line is a row.
        """
        return row if self.untouched else self._ledger.line_of(row)

    def faults(self) -> list[Placed]:
        """What could not be read, since the last call; ask after each block and once more at the end."""
        return self._ledger.taken()

    def _read(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from blocks
        except Unreadable as broken:
            self.broken = (broken.finding, broken.line)
            self._ledger.fault(*self.broken)


def reading(
    blocks: Iterable[bytes],
    *,
    kind: Kind | None = None,
    columns: Columns | None = None,
    name: str = "",
    tables: Tables | None = None,
    most: int = MOST_UNPACKED,
) -> Reading:
    """Begin to read a file from its bytes in blocks of any size.

    ``kind`` orders how to read text; None finds out by the first bytes, then by ``name``. ``columns`` names those of a
    table whose header does not say, or the keys of rows in JSON: where rows have none such, ``blocks`` raises BadInput.
    ``tables`` opens Parquet. Reads as far as it must to know the kind.
    """
    ledger = Ledger()
    start, rest = _begun(iter(blocks))
    packed = start.startswith(GZIP)
    if packed:
        start, rest = _begun(unpacked(rest, most=most))
        rest = chain(refused_twice(start), rest)
    if (strange := stranger(start)) is not None:
        return Reading(kind or Kind.JSONL, _breaking(Unreadable(strange)), ledger, untouched=False)
    found = Kind.PARQUET if start.startswith(PARQUET) else kind or kind_of(start, name, tabular=columns is not None)
    named = columns if found in RECORDS and not is_columns(_plain(start)) else None
    rows = _readers(columns, tables)[found] if named is None else partial(RECORDS[found], columns=named, name=name)
    return Reading(found, rows(rest, ledger), ledger, untouched=rows is _as_it_is and not packed)


def _as_it_is(blocks: Iterator[bytes], _: Ledger) -> Iterator[bytes]:
    return blocks


RECORDS = {Kind.JSONL: record_rows.of_lines, Kind.JSON: record_rows.of_document}
"""Rows that are objects, by keys that somebody named."""


def _readers(columns: Columns | None, tables: Tables | None) -> dict[Kind, Rows]:
    return {
        Kind.JSONL: _as_it_is,
        Kind.JSON: partial(json_rows.rows, columns=columns),
        Kind.CSV: partial(csv_rows.rows, columns=columns, delimiters=csv_rows.COMMAS),
        Kind.TSV: partial(csv_rows.rows, columns=columns, delimiters=csv_rows.TABS),
        Kind.PARQUET: partial(table_rows.rows, columns=columns, tables=tables),
    }


def _plain(start: bytes) -> bytes:
    return start.removeprefix(BYTE_ORDER_MARK).lstrip()


def _begun(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all of them once more from the start; where they break, the rest does, not this."""
    first: list[bytes] = []
    size = 0
    try:
        while size < FIRST_BYTES and (block := next(blocks, None)) is not None:
            first.append(block)
            size += len(block)
    except Unreadable as broken:
        blocks = _breaking(broken)
    return b"".join(first)[:FIRST_BYTES], chain(first, blocks)


def _breaking(broken: Unreadable) -> Iterator[bytes]:
    yield from ()
    raise broken
