"""One object in S3 as a stream of bytes: read with resumption, written in parts."""

import io
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

from tuneway.adapters.aws_refusals import told
from tuneway.adapters.resumed import ResumedReader
from tuneway.adapters.s3_objects import S3Objects, S3Place
from tuneway.errors import BadInput, NotFound, TryLater, TunewayError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# S3 takes no part below 5 MiB but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 8 * 2**20
MOST_PARTS = 10_000


class ObjectReader(ResumedReader):
    """An object."""

    def __init__(self, objects: S3Objects, where: S3Place, answer: httpx.Response) -> None:
        super().__init__(answer, tag=answer.headers.get("etag"))
        self._objects = objects
        self._where = where

    @override
    def _told(self, fault: httpx.HTTPError) -> TunewayError:
        return told(fault, who=self._where.uri)

    @override
    def _again(self, fault: httpx.HTTPError) -> httpx.Response:
        try:
            return self._objects.open(self._where, start=self._position, etag=self._tag)
        except (NotFound, BadInput) as gone:
            # It was there a moment ago, and as long as it said.
            raise TryLater(f"{self._where.uri} was replaced or removed while it was read.") from gone


class ObjectWriter(io.RawIOBase):
    """An object that appears whole with ``finish``, and never when it is discarded. Holds one part in memory."""

    def __init__(self, objects: S3Objects, where: S3Place) -> None:
        super().__init__()
        self._objects = objects
        self._where = where
        self._buffer = bytearray()
        self._upload: str | None = None
        self._tags = list[str]()
        self._fault: TunewayError | None = None

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: "ReadableBuffer", /) -> int:
        """All of it. Raises NotFound, NotAllowed, BadInput, TryLater when S3 does not take a part."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), PART_BYTES):
            self._buffer += view[start : start + PART_BYTES]
            if len(self._buffer) >= PART_BYTES:
                self._send(bytes(self._buffer[:PART_BYTES]))
                del self._buffer[:PART_BYTES]
        return len(view)

    def finish(self) -> None:
        """Make the object appear. Raises as ``write``."""
        if self._fault is not None:
            raise self._fault
        if self._upload is None:
            self._objects.put(self._where, bytes(self._buffer))
        else:
            if self._buffer:
                self._send(bytes(self._buffer))
            self._objects.complete(self._where, self._upload, self._tags)
        self._upload = None
        self.close()

    def discard(self) -> None:
        """Leave nothing: parts that stay would be billed."""
        self._buffer.clear()
        upload, self._upload = self._upload, None
        if upload is not None:
            with suppress(TunewayError):
                self._objects.abort(self._where, upload)
        self.close()

    def _send(self, body: bytes) -> None:
        number = len(self._tags) + 1
        try:
            if number > MOST_PARTS:
                raise BadInput(f"{self._where.uri}: more than {MOST_PARTS * PART_BYTES:,} bytes. Split the file.")
            if self._upload is None:
                self._upload = self._objects.begin(self._where)
            self._tags.append(self._objects.part(self._where, self._upload, number=number, body=body))
        except TunewayError as fault:
            # A block that goes on all the same must not end with an object that lacks a part.
            self._fault = fault
            raise
