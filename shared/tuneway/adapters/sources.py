"""Objects by the scheme of their URI: each scheme has its own ``Files``, made when the first such object is named."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import IO

from tuneway.errors import BadInput
from tuneway.ports import Files


class Sources:
    """``ports.Files`` over all schemes of ``makers``, such as ``{"gs": …, "s3": …, "https": …}``."""

    def __init__(self, makers: Mapping[str, Callable[[], Files]]) -> None:
        self._makers = {scheme: cache(make) for scheme, make in makers.items()}

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for reading. Raises what the scheme's files raise, and BadInput for a scheme that is not known."""
        return self._files(uri).read(uri)

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for writing, where the scheme can be written to."""
        return self._files(uri).write(uri)

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        return self._files(uri).size(uri)

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        self._files(uri).delete(uri)

    def _files(self, uri: str) -> Files:
        scheme, found, _ = uri.partition("://")
        make = self._makers.get(scheme) if found else None
        if make is None:
            known = ", ".join(f"{name}://" for name in self._makers)
            raise BadInput(f"{uri[:80]!r} names no object. Use one of {known}.", code="invalid_uri")
        return make()
