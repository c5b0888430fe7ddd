"""Rows of Parquet as JSONL: whoever opens the table stands outside of this room."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from tuneway.tuning.datasets.headers import Header, header
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.ledger import Ledger, Unreadable
from tuneway.tuning.datasets.report import Finding


class UnreadableTable(ValueError):
    """The table cannot be read, or not further; the text is the fact, for people."""


class Table(Protocol):
    """An open table."""

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        ...

    def lines(self, names: Sequence[str]) -> Iterator[bytes]:
        """Its rows as blocks of JSONL, with these columns as keys; a null is no key. Raises UnreadableTable."""
        ...


Tables = Callable[[Iterator[bytes]], AbstractContextManager[Table]]
"""Opens the table in the bytes of a Parquet file. Raises UnreadableTable."""

_decode = msgspec.json.Decoder(dict[str, object]).decode


def rows(
    blocks: Iterator[bytes], ledger: Ledger, *, columns: Columns | None = None, tables: Tables | None = None
) -> Iterator[bytes]:
    """The rows as JSONL. Raises Unreadable."""
    if tables is None:
        raise Unreadable(Finding("parquet_unavailable", "$", "The file is Parquet, which is not read here."))
    try:
        with tables(blocks) as table:
            head = header(table.names, columns, ledger, line=None)
            for block in table.lines([table.names[place] for place in head.used]):
                lines = block if _as_is(head, table.names) else _made(head, table.names, block)
                yield lines
    except UnreadableTable as broken:
        raise Unreadable(Finding("broken_parquet", "$", f"{broken}")) from broken


def _as_is(head: Header, names: Sequence[str]) -> bool:
    """Whether the columns are named like the keys of the row."""
    told = tuple(names[place] for place in head.used)
    return told == (head.names if head.keys is None else head.keys) and not head.system


def _made(head: Header, names: Sequence[str], block: bytes) -> bytes:
    told = [names[place] for place in head.used]
    made = [head.line([row.get(name) for name in told]) for row in map(_decode, block.splitlines())]
    return b"".join(line + b"\n" for line in made)
