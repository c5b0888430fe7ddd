"""A JSON object that holds a table by its columns, as pandas writes it, taken apart into rows."""

from collections.abc import Sequence

import msgspec

from tuneway.tuning.datasets.headers import header
from tuneway.tuning.datasets.kinds import COLUMNAR, Columns
from tuneway.tuning.datasets.ledger import Ledger, Unreadable
from tuneway.tuning.datasets.report import Finding

_Cells = list[object] | dict[str, object]
_decode = msgspec.json.Decoder(dict[str, _Cells]).decode


def is_columns(text: bytes) -> bool:
    """Whether the object that begins here holds columns."""
    return COLUMNAR.match(text) is not None


def column_rows(value: bytes, columns: Columns | None, *, ledger: Ledger, line: int) -> list[bytes] | None:
    """The rows as JSON, or None when the object is no table after all. Raises Unreadable: its columns do not fit."""
    try:
        table = _decode(value)
    except (ValueError, RecursionError):
        return None
    cells = [_in_order(column) for column in table.values()]
    if len({tuple(column) for column in table.values() if isinstance(column, dict)}) > 1:
        said = "The columns do not number their cells alike."
        raise Unreadable(Finding("ragged_row", "$", said), line)
    if len({len(column) for column in cells}) > 1:
        lengths = ", ".join(f"'{name}' {len(column):,}" for name, column in zip(table, cells, strict=True))
        raise Unreadable(Finding("ragged_row", "$", f"The columns have different numbers of cells: {lengths}."), line)
    made = header(list(table), columns, ledger, line=line)
    return [made.line(row) for row in zip(*(cells[place] for place in made.used), strict=True)]


def _in_order(column: _Cells) -> Sequence[object]:
    """The cells; those that go by number stand in the order they were written in."""
    return column if isinstance(column, list) else list(column.values())
