"""Files: objects named by URIs."""

from contextlib import AbstractContextManager
from typing import IO, Protocol


class Files(Protocol):
    """Objects named by ``gs://bucket/path`` URIs, read and written as streams in constant memory."""

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for reading. Raises NotFound, NotAllowed, BadInput (not a gs:// URI), TryLater."""
        ...

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for writing; the object appears whole when the block ends well, and not at all when it raises."""
        ...

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        ...

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        ...
