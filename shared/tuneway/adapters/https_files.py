"""Files of the web, read only: ``https://host/path``, streamed in constant memory, taken up again where they break."""

import io
import re
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import IO

import httpx
from typing_extensions import override

from tuneway.adapters.https_calls import OK, PARTIAL, HttpsCalls, Reach, checked, shown, told
from tuneway.adapters.resumed import ResumedReader
from tuneway.errors import BadInput, TryLater, TunewayError

MOST_BYTES = 4_000_000_000
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


class HttpsReader(ResumedReader):
    """A file of the web."""

    def __init__(self, calls: HttpsCalls, url: httpx.URL, answer: httpx.Response, *, most: int) -> None:
        super().__init__(answer, tag=_tag(answer), length=_length(answer))
        self._calls = calls
        self._url = url
        self._most = most
        self._check(self._length or 0)

    @override
    def _check(self, size: int) -> None:
        if size > self._most:
            self._answer.close()
            raise BadInput(f"{shown(self._url)} has more than {self._most:,} bytes. Split the file.")

    @override
    def _told(self, fault: httpx.HTTPError) -> TunewayError:
        return told(fault, self._url)

    @override
    def _again(self, fault: httpx.HTTPError) -> httpx.Response:
        answer = self._calls.open(self._url, start=self._position, tag=self._tag)
        if not self._goes_on(answer):
            answer.close()
            raise TryLater(f"{shown(self._url)} was replaced while it was read, or cannot be read in parts.") from fault
        return answer

    def _goes_on(self, answer: httpx.Response) -> bool:
        """Whether the new answer is the rest of the same file."""
        same = self._tag is None or _tag(answer) in {self._tag, None}
        if answer.status_code == PARTIAL:
            begins = _FROM.match(answer.headers.get("content-range", ""))
            return same and begins is not None and int(begins[1]) == self._position
        return answer.status_code == OK and same and self._position == 0


def _length(answer: httpx.Response) -> int | None:
    told_length = answer.headers.get("content-length", "")
    return int(told_length) if told_length.isascii() and told_length.isdigit() else None


def _tag(answer: httpx.Response) -> str | None:
    """What a part may be asked for by: a weak tag says only that the file means the same."""
    tag = answer.headers.get("etag", "")
    return (tag if not tag.startswith("W/") else "") or answer.headers.get("last-modified", "") or None
