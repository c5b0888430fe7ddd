"""Tables in Parquet, read batch by batch with arro3 (Apache Arrow in Rust).

Parquet is read from its end, so the file is first written to a temporary one. docs/decisions/2026-11-21-parquet.md says
why this library.
"""

import io
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_ndjson

from tuneway.tuning.datasets.kinds import PARQUET
from tuneway.tuning.datasets.table_rows import UnreadableTable

BATCH_ROWS = 1024
MOST_BYTES = 1_000_000_000
_TEXT = DataType.string()
_BYTES = (DataType.is_binary, DataType.is_large_binary, DataType.is_binary_view, DataType.is_fixed_size_binary)


class _Editable(Protocol):
    """A batch without the names of types that its library does not bring along."""

    def set_column(self, i: int, field: Field, column: Array) -> RecordBatch:
        """The batch with another column in this place."""
        ...


@contextmanager
def opened(blocks: Iterator[bytes]) -> Generator["ParquetTable"]:
    """The table in a Parquet file's bytes. Raises UnreadableTable."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        size = 0
        for block in blocks:
            size += len(block)
            if size > MOST_BYTES:
                raise UnreadableTable(f"The Parquet file has more than {MOST_BYTES:,} bytes.")
            file.write(block)
        file.flush()
        _check_end(file)
        with _mapped():
            table = ParquetTable(read_parquet(Path(file.name), batch_size=BATCH_ROWS))
        yield table


class ParquetTable:
    """``tuning.datasets.table_rows.Table`` over a reader of batches; its rows are read once."""

    def __init__(self, reader: RecordBatchReader) -> None:
        self._reader = reader
        self.names: Sequence[str] = reader.schema.names

    def lines(self, names: Sequence[str]) -> Iterator[bytes]:
        """Its rows as blocks of JSONL, with these columns as keys; a null is no key. Raises UnreadableTable."""
        wanted = [self.names.index(name) for name in names]
        while True:
            with _mapped():
                batch = next(self._reader, None)
                if batch is None:
                    return
                block = io.BytesIO()
                write_ndjson(_texts(batch.select(wanted)), block)
            yield block.getvalue()


def _check_end(file: IO[bytes]) -> None:
    """A file that was cut off is told of here, before the library panics over it."""
    file.seek(max(0, file.tell() - len(PARQUET)))
    if file.read() != PARQUET:
        raise UnreadableTable("The Parquet file is cut off: its end is missing.")


def _texts(batch: RecordBatch) -> RecordBatch:
    """The batch with columns of bytes as text, which writers of old do not mark as such. What is no UTF-8 is null."""
    for place in range(batch.num_columns):
        column = batch.column(place)
        if any(is_kind(column.type) for is_kind in _BYTES):
            batch = cast("_Editable", batch).set_column(place, batch.field(place).with_type(_TEXT), column.cast(_TEXT))
    return batch


@contextmanager
def _mapped() -> Generator[None]:
    """Whatever the library raises is about the file: it panics over some that are damaged, and names no class."""
    try:
        yield
    except BaseException as fault:
        if isinstance(fault, Exception) or type(fault).__name__ == "PanicException":
            said = str(fault).partition("\n")[0]
            raise UnreadableTable(f"The Parquet file cannot be read: {said[:200]}") from fault
        raise
