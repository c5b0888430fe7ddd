"""One object in S3 as a stream of bytes: read with resumption, written in parts."""

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

from tuneway.adapters.aws_refusals import told
from tuneway.adapters.s3_objects import S3Objects, S3Place
from tuneway.errors import BadInput, NotFound, TryLater, TunewayError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# S3 takes no part below 5 MiB but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 8 * 2**20
MOST_PARTS = 10_000
# Connections that break one after the other without a byte between them.
MOST_BREAKS = 5


class ObjectReader(io.RawIOBase):
    """An object as it was when it was opened; a connection that breaks is taken up again where it broke."""

    def __init__(self, objects: S3Objects, where: S3Place, answer: httpx.Response) -> None:
        """``answer`` is the object's, with nothing read of it yet; closing this closes it."""
        super().__init__()
        self._objects = objects
        self._where = where
        self._answer = answer
        self._etag = answer.headers.get("etag")
        self._pieces: Iterator[bytes] = answer.iter_raw()
        self._position = self._breaks = 0
        self._rest = memoryview(b"")

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Up to so many bytes; none at the end. Raises TryLater and NotAllowed."""
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
                self._resume(fault)
            else:
                self._position += len(piece)
                self._breaks = 0 if piece else self._breaks
                return piece

    def _resume(self, fault: httpx.HTTPError) -> None:
        self._answer.close()
        self._breaks += 1
        if self._breaks > MOST_BREAKS or not self._etag:
            raise told(fault, who=self._where.uri) from fault
        try:
            self._answer = self._objects.open(self._where, start=self._position, etag=self._etag)
        except (NotFound, BadInput) as gone:
            # It was there a moment ago, and as long as it said.
            raise TryLater(f"{self._where.uri} was replaced or removed while it was read.") from gone
        self._pieces = self._answer.iter_raw()


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
