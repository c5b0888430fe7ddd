"""A file over HTTP as a stream of bytes, as it was when it was opened: a connection that breaks is taken up again."""

import io
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

from tuneway.errors import TunewayError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Connections that break one after the other without a byte between them.
MOST_BREAKS = 5


class ResumedReader(io.RawIOBase):
    """What every kind of such a file does; ``tag`` is what the server knows this state of the file by, if it does."""

    def __init__(self, answer: httpx.Response, *, tag: str | None, length: int | None = None) -> None:
        """``answer`` is the whole file's, with nothing read of it yet; closing this closes it."""
        super().__init__()
        self._answer = answer
        self._tag = tag
        self._length = length
        self._pieces: Iterator[bytes] = answer.iter_raw()
        self._position = self._breaks = 0
        self._rest = memoryview(b"")

    @abstractmethod
    def _again(self, fault: httpx.HTTPError) -> httpx.Response:
        """The file from ``_position`` on. Raises TunewayError when it is another one by now."""

    @abstractmethod
    def _told(self, fault: httpx.HTTPError) -> TunewayError:
        """What a connection that broke once too often is to the caller."""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Up to so many bytes; none at the end. Raises TryLater, NotAllowed, and what the kind of file adds."""
        if not self._rest:
            self._rest = memoryview(self._piece())
        room = memoryview(buffer).cast("B")
        size = min(len(room), len(self._rest))
        room[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    @override
    def close(self) -> None:
        self._answer.close()
        super().close()

    def _piece(self) -> bytes:
        while True:
            try:
                piece = next(self._pieces, b"")
            except httpx.HTTPError as fault:
                if self._position == self._length:
                    return b""
                self._resume(fault)
            else:
                self._position += len(piece)
                self._breaks = 0 if piece else self._breaks
                self._check(self._position)
                return piece

    def _check(self, size: int) -> None:
        """Raise BadInput for a file that is longer than this kind may be."""

    def _resume(self, fault: httpx.HTTPError) -> None:
        self._answer.close()
        self._breaks += 1
        # Without a tag, what is read after the first byte may be another file's.
        if self._breaks > MOST_BREAKS or not (self._tag or self._position == 0):
            raise self._told(fault) from fault
        self._answer = self._again(fault)
        self._pieces = self._answer.iter_raw()
