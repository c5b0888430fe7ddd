"""Files of the web, read only: ``https://host/path``, streamed in constant memory, taken up again where they break."""

import io
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import IO, TYPE_CHECKING

import httpx
from typing_extensions import override

from tuneway.adapters.https_calls import OK, PARTIAL, HttpsCalls, Reach, checked, shown, told
from tuneway.errors import BadInput, TryLater

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES = 4_000_000_000
# Connections that break one after the other without a byte between them.
MOST_BREAKS = 5
BUFFER_BYTES = 1024 * 1024
_FROM = re.compile(r"bytes (\d+)-")


class HttpsFiles:
    """``ports.Files`` for ``https://``, which can only be read; ``most`` bounds a file in bytes."""

    def __init__(self, reach: Reach | None = None, *, most: int = MOST_BYTES) -> None:
        self._calls = HttpsCalls(reach or Reach())
        self._most = most

    @contextmanager
    def read(self, uri: str) -> Generator[IO[bytes]]:
        """Open for reading. Raises NotFound, NotAllowed, BadInput, TryLater; the last also when the file changes."""
        url = checked(uri)
        pieces = HttpsReader(self._calls, url, self._calls.open(url), most=self._most)
        with io.BufferedReader(pieces, BUFFER_BYTES) as file:
            yield file

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Raises BadInput."""
        raise BadInput(f"{shown(checked(uri))} cannot be written to. Use gs://bucket/path.")

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``, and BadInput when the server does not tell."""
        url = checked(uri)
        with closing(self._calls.open(url)) as answer:
            told_size = _length(answer)
        if told_size is None:
            raise BadInput(f"{shown(url)} does not tell its size. Copy the file to gs://bucket/path.")
        return told_size

    def delete(self, uri: str) -> None:
        """Raises BadInput."""
        raise BadInput(f"{shown(checked(uri))} cannot be removed.")


class HttpsReader(io.RawIOBase):
    """A file as it was when it was opened."""

    def __init__(self, calls: HttpsCalls, url: httpx.URL, answer: httpx.Response, *, most: int) -> None:
        """``answer`` is the whole file's, with nothing read of it yet; closing this closes it."""
        super().__init__()
        self._calls = calls
        self._url = url
        self._most = most
        self._answer = answer
        self._pieces: Iterator[bytes] = answer.iter_raw()
        self._length = _length(answer)
        self._tag = _tag(answer)
        self._position = self._breaks = 0
        self._rest = memoryview(b"")
        self._check(self._length or 0)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Up to so many bytes; none at the end. Raises BadInput (too large), TryLater."""
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
                continue
            self._position += len(piece)
            self._breaks = 0 if piece else self._breaks
            self._check(self._position)
            return piece

    def _check(self, size: int) -> None:
        if size > self._most:
            self._answer.close()
            raise BadInput(f"{shown(self._url)} has more than {self._most:,} bytes. Split the file.")

    def _resume(self, fault: httpx.HTTPError) -> None:
        self._answer.close()
        self._breaks += 1
        if self._breaks > MOST_BREAKS or not (self._tag or self._position == 0):
            raise told(fault, self._url) from fault
        self._answer = self._calls.open(self._url, start=self._position, tag=self._tag)
        if not self._goes_on():
            self._answer.close()
            raise TryLater(f"{shown(self._url)} was replaced while it was read, or cannot be read in parts.") from fault
        self._pieces = self._answer.iter_raw()

    def _goes_on(self) -> bool:
        """Whether the new answer is the rest of the same file."""
        same = self._tag is None or _tag(self._answer) in {self._tag, None}
        if self._answer.status_code == PARTIAL:
            begins = _FROM.match(self._answer.headers.get("content-range", ""))
            return same and begins is not None and int(begins[1]) == self._position
        return self._answer.status_code == OK and same and self._position == 0


def _length(answer: httpx.Response) -> int | None:
    told_length = answer.headers.get("content-length", "")
    return int(told_length) if told_length.isascii() and told_length.isdigit() else None


def _tag(answer: httpx.Response) -> str | None:
    """What a part may be asked for by: a weak tag says only that the file means the same."""
    tag = answer.headers.get("etag", "")
    return (tag if not tag.startswith("W/") else "") or answer.headers.get("last-modified", "") or None
