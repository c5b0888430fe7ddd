"""Bytes in any chunks to numbered lines, in memory bounded by the longest line allowed."""

from collections.abc import Iterator

import msgspec


class Overlong(msgspec.Struct, frozen=True):
    """A line above the bound: its content was skipped, its beginning kept; ``size`` is its length in bytes."""

    start: bytes
    size: int


Line = bytes | Overlong
START = 200
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

    def decode(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end in this chunk."""
        pieces = chunk.split(b"\n")
        rest = pieces.pop()
        if pieces and len(chunk) <= self._bound:
            # No piece of such a chunk is too long but the first, which may be the end of a longer line.
            yield self._line(pieces.pop(0))
            yield from pieces
        else:
            yield from map(self._line, pieces)
        self._keep(rest)

    def flush(self) -> Iterator[Line]:
        """The last line, when the bytes did not end with a line feed."""
        if self._size:
            yield self._line(b"")

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
