"""Unpack gzip block by block: members one after another, and never more than a bound, whatever a bomb holds."""

import zlib
from collections.abc import Iterable, Iterator

from tuneway.tuning.datasets.kinds import GZIP
from tuneway.tuning.datasets.ledger import Unreadable
from tuneway.tuning.datasets.report import Finding

PIECE = 1 << 20
"""Bytes unpacked at a time: a small block may hold gigabytes."""

_GZIP_WINDOW = 31  # zlib's word for a gzip member with its header and checksum


def unpacked(blocks: Iterable[bytes], *, most: int) -> Iterator[bytes]:
    """The bytes in the file. Raises Unreadable: it is cut, damaged, or holds more than ``most`` bytes."""
    decoder = GzipDecoder(most)
    for block in blocks:
        yield from decoder.decode(block)
    decoder.end()


class GzipDecoder:
    """A stream decoder; zeros after the last member are padding, as gzip itself takes them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = most
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._begun = False

    def decode(self, block: bytes) -> Iterator[bytes]:
        """What this block holds, a piece at a time. Raises Unreadable."""
        waiting = block
        while waiting := self._opened(waiting):
            piece = self._piece(waiting)
            waiting = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece

    def end(self) -> None:
        """The bytes are over. Raises Unreadable when the last member is not."""
        if self._begun and not self._member.eof:
            raise _broken("The gzip file ends too early.")

    def _opened(self, waiting: bytes) -> bytes:
        """The bytes, with a member open that takes them: a new one behind one that has ended."""
        if self._member.eof:
            self._member = zlib.decompressobj(_GZIP_WINDOW)
            self._begun = False
        if not self._begun:
            # Between members there may be padding, never inside of one.
            waiting = waiting.lstrip(b"\0")
        self._begun = self._begun or bool(waiting)
        return waiting

    def _piece(self, waiting: bytes) -> bytes:
        try:
            piece = self._member.decompress(waiting, PIECE)
        except zlib.error as error:
            raise _broken(f"The gzip file is damaged: {error}.") from error
        self._room -= len(piece)
        if self._room < 0:
            said = f"The file has more than {self._most:,} bytes unpacked."
            raise Unreadable(Finding("unpacked_too_large", "$", said))
        return piece


def refused_twice(start: bytes) -> Iterator[bytes]:
    """Nothing, unless what was packed is packed itself. Raises Unreadable."""
    if start.startswith(GZIP):
        raise _broken("The gzip file holds another gzip file.")
    yield from ()


def _broken(said: str) -> Unreadable:
    return Unreadable(Finding("broken_gzip", "$", said))
