"""Objects as files: ``gs://bucket/path`` is ``<folder>/bucket/path``."""

import errno
import os
import secrets
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from tuneway.adapters.portable import bucket_and_path
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError

# No bucket's name begins with a dot, so what is being written can never be taken for an object.
UNFINISHED = ".unfinished"
# A writer that was killed leaves its file behind; none that lives takes a day.
ABANDONED_SECONDS = 86_400

READING: dict[int, type[TunewayError]] = {
    errno.ENOENT: NotFound,
    errno.ENOTDIR: NotFound,
    errno.EISDIR: NotFound,
    errno.ENAMETOOLONG: NotFound,
    errno.EACCES: NotAllowed,
    errno.EPERM: NotAllowed,
}
WRITING: dict[int, type[TunewayError]] = {
    errno.EEXIST: BadInput,  # an object lies where a folder is needed
    errno.ENOTDIR: BadInput,
    errno.EISDIR: BadInput,
    errno.ENOTEMPTY: BadInput,
    errno.ENAMETOOLONG: BadInput,
    errno.EACCES: NotAllowed,
    errno.EPERM: NotAllowed,
    errno.EROFS: NotAllowed,
}
# What a full disk says, however the fullness is measured; a block that writes may meet it at any write.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalFiles:
    """``ports.Files`` under ``folder``; names are taken literally and can never lead out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfinished = folder / UNFINISHED

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for reading. Raises NotFound, NotAllowed, BadInput (no gs:// URI), TryLater."""
        with _mapped(uri, READING):
            return self._path(uri).open("rb")

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for writing; the object appears whole when the block ends well, and not at all when it raises."""
        return self._written(uri, self._path(uri))

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        path = self._path(uri)
        with _mapped(uri, READING):
            if path.is_dir():
                raise NotFound(f"There is no object {uri}.")
            return path.stat().st_size

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        with suppress(NotFound), _mapped(uri, READING):
            self._path(uri).unlink()

    @contextmanager
    def _written(self, uri: str, path: Path) -> Generator[IO[bytes]]:
        with _mapped(uri, WRITING):
            self._unfinished.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
            draft = self._unfinished / secrets.token_hex(16)
            file = draft.open("xb")
        try:
            with _full_disk(uri), file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            with _mapped(uri, WRITING):
                path.parent.mkdir(parents=True, exist_ok=True)
                draft.replace(path)
                _sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def _remove_abandoned(self) -> None:
        oldest = time.time() - ABANDONED_SECONDS
        for draft in self._unfinished.iterdir():
            with suppress(OSError):
                if draft.stat().st_mtime < oldest:
                    draft.unlink()

    def _path(self, uri: str) -> Path:
        bucket, path = bucket_and_path(uri)
        segments = path.split("/")
        if any(segment in {"", ".", ".."} or not _is_plain(segment) for segment in segments):
            raise BadInput(f"{uri!r} cannot be kept as a file. Use names between the slashes, not '.' or '..'.")
        return self._folder.joinpath(bucket, *segments)


def _is_plain(segment: str) -> bool:
    """One name on this system: on Windows a backslash or a drive would lead elsewhere."""
    return Path(segment).name == segment and not Path(segment).drive


def _sync(folder: Path) -> None:
    """Make a renaming survive a power cut, where a folder can be synced at all."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _full_disk(uri: str) -> Generator[None]:
    """Inside a caller's block only a full disk is ours to name; its own errors pass."""
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            raise TryLater(f"{uri} was not written: {exc.strerror}. Make room on the disk.") from exc
        raise


@contextmanager
def _mapped(uri: str, errors: dict[int, type[TunewayError]]) -> Generator[None]:
    try:
        yield
    except OSError as exc:
        kind = errors.get(exc.errno or 0, TryLater)
        missing = "there is no such object. Correct its name, or upload the file"
        raise kind(f"{uri}: {missing if kind is NotFound else exc.strerror}.") from exc
