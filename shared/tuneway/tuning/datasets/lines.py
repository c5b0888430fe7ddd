"""Bytes in any chunks to numbered lines, in memory bounded by the longest line allowed."""

from collections.abc import Callable
from io import BytesIO
from operator import itemgetter

import msgspec


class Overlong(msgspec.Struct, frozen=True):
    """A line above the bound: its content was skipped, its beginning kept; ``size`` is its length in bytes."""

    start: bytes
    size: int

    def __len__(self) -> int:
        return self.size


Line = bytes | Overlong
START = 200
_without_feed: Callable[[bytes], bytes] = itemgetter(slice(-1))
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineDecoder:
    """A stream decoder: ``decode`` gives the lines that a chunk completes, ``flush`` the unfinished last one.

    Lines come without their line feed. Any split of the same bytes gives the same lines.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._start = min(START, bound)
        self._kept: list[bytes] = []
        self._size = 0

    def decode(self, chunk: bytes) -> list[Line]:
        """The lines that end in this chunk."""
        pieces = list(BytesIO(chunk))  # several times as fast as to split them
        rest = b"" if chunk.endswith(b"\n") or not pieces else pieces.pop()
        # No piece of a short chunk is too long but the first, which may be the end of a longer line.
        doubtful = 1 if len(chunk) <= self._bound else len(pieces)
        lines = [*map(self._line, map(_without_feed, pieces[:doubtful])), *map(_without_feed, pieces[doubtful:])]
        self._keep(rest)
        return lines

    def flush(self) -> list[Line]:
        """The last line, when the bytes did not end with a line feed."""
        return [self._line(b"")] if self._size else []

    def _keep(self, piece: bytes) -> None:
        if self._size <= self._bound:
            self._kept.append(piece)
        self._size += len(piece)

    def _line(self, piece: bytes) -> Line:
        if self._size:
            self._keep(piece)
            piece = b"".join(self._kept)
        size, self._size, self._kept = self._size or len(piece), 0, []
        return Overlong(piece[: self._start], size) if size > self._bound else piece
