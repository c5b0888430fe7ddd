"""Lint a file of any kind as its user knows it: its own lines, its own bytes and hash, whatever it is read through."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from tuneway.tuning.datasets.kinds import Columns, Kind
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import ANY, Sink, Source, chunks, lint
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.reading import Reading, reading
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.datasets.table_rows import Tables


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a file: by its kind or its name, the columns that its user named, and what opens Parquet."""

    name: str = ""
    kind: Kind | None = None
    columns: Columns | None = None
    tables: Tables | None = None


PLAINLY = Manner()


def survey(
    source: Source,
    *,
    limits: DatasetLimits,
    sink: Sink | None = None,
    keep: int = 20,
    purpose: Purpose = ANY,
    manner: Manner = PLAINLY,
) -> DatasetReport:
    """What ``lint`` says of the file; ``bytes`` and ``sha256`` are those of the file as it is stored.

    JSONL is read as it is, at no further cost. A file of another kind always differs from its copy.
    """
    original = _Original(chunks(source))
    read = opened(original, manner)
    original.decide(counts=not read.untouched)
    placing = None if read.untouched else read
    report = lint(read.blocks, limits=limits, sink=sink, keep=keep, purpose=purpose, placing=placing)
    if read.untouched:
        return report
    original.drain()
    return msgspec.structs.replace(report, bytes=original.size, sha256=original.sha256, differs=True)


def opened(blocks: Iterable[bytes], manner: Manner) -> Reading:
    """The file, being read."""
    return reading(blocks, kind=manner.kind, name=manner.name, columns=manner.columns, tables=manner.tables)


class _Original:
    """The stored bytes on their way to the reader, hashed when the lint sees others."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._first: list[bytes] = []
        self._decided = self._counts = False
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            if not self._decided:
                self._first.append(block)
            elif self._counts:
                self._count(block)
            yield block

    def decide(self, *, counts: bool) -> None:
        """Say whether the bytes have to be hashed; until then they are kept."""
        self._decided, self._counts = True, counts
        for block in self._first if counts else ():
            self._count(block)
        self._first = []

    def drain(self) -> None:
        """Read what the reader had no need of, so that the hash is of all."""
        for block in self._blocks:
            self._count(block)

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)

    @property
    def sha256(self) -> str:
        """The hash of what was read."""
        return self._hash.hexdigest()
