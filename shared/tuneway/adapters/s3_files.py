"""Objects in Amazon S3, streamed in constant memory: ``s3://bucket/key``.

An upload whose process is killed leaves parts that are billed: give the bucket a lifecycle rule that aborts incomplete
uploads after a day (``AbortIncompleteMultipartUpload``).
"""

import io
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO, cast

from tuneway.adapters.s3_objects import S3Objects, place
from tuneway.adapters.s3_streams import ObjectReader, ObjectWriter
from tuneway.errors import NotFound

LINE_BUFFER_BYTES = 1024 * 1024


class S3Files:
    """``ports.Files`` in S3."""

    def __init__(self, objects: S3Objects) -> None:
        self._objects = objects

    @contextmanager
    def read(self, uri: str) -> Generator[IO[bytes]]:
        """Open for reading, always the object as it was then. Raises NotFound, NotAllowed, BadInput, TryLater."""
        where = place(uri)
        pieces = ObjectReader(self._objects, where, self._objects.open(where))
        with io.BufferedReader(pieces, LINE_BUFFER_BYTES) as file:
            yield file

    @contextmanager
    def write(self, uri: str) -> Generator[IO[bytes]]:
        """Open for writing; the object appears whole when the block ends well, and not at all when it raises."""
        writer = ObjectWriter(self._objects, place(uri))
        try:
            yield cast("IO[bytes]", writer)
            writer.finish()
        finally:
            if not writer.closed:
                writer.discard()

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        return self._objects.size(place(uri))

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        with suppress(NotFound):
            self._objects.delete(place(uri))
