"""Tables in Parquet, read batch by batch with arro3 (Apache Arrow in Rust).

Parquet is read from its end, so the file is first written to a temporary one. docs/decisions/2026-11-21-parquet.md says
why this library.
"""

import io
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from arro3.core import RecordBatchReader
from arro3.io import read_parquet, write_ndjson

from tuneway.tuning.datasets.table_rows import UnreadableTable

BATCH_ROWS = 1024
MOST_BYTES = 1_000_000_000


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
                write_ndjson(batch.select(wanted), block)
            yield block.getvalue()


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
