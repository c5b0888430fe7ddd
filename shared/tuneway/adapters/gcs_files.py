"""Objects in Cloud Storage, streamed in constant memory."""

import io
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Protocol, cast

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.fileio import BlobWriter
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import RequestException

from tuneway.adapters.portable import bucket_and_path
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError

CALL_SECONDS = 60.0
RETRY_SECONDS = 45.0
# Held in memory for each open object; Google advises 8 MiB or more: https://cloud.google.com/storage/docs/resumable-uploads
CHUNK_BYTES = 8 * 1024 * 1024
LINE_BUFFER_BYTES = 1024 * 1024

FAULTS = (GoogleAPICallError, RetryError, InvalidResponse, DataCorruption, GoogleAuthError, RequestException)
# By HTTP status; what is not named here may pass.
OPENING: Mapping[int, type[TunewayError]] = {400: BadInput, 403: NotAllowed, 404: NotFound}
# An object that is gone while it is read was there a moment ago: it is being replaced.
UNDER_WAY: Mapping[int, type[TunewayError]] = {400: BadInput, 403: NotAllowed}


class _Blob(Protocol):
    """What is used of the client's untyped ``Blob``."""

    @property
    def size(self) -> int: ...
    @property
    def content_encoding(self) -> str | None: ...
    def open(self, mode: str, *, chunk_size: int, timeout: float, retry: Retry) -> io.RawIOBase: ...
    def delete(self, *, timeout: float, retry: Retry) -> None: ...


class _Bucket(Protocol):
    """What is used of the client's untyped ``Bucket``."""

    def blob(self, blob_name: str) -> _Blob: ...
    def get_blob(self, blob_name: str, *, timeout: float, retry: Retry) -> _Blob | None: ...


class _Client(Protocol):
    """What is used of the untyped client."""

    def bucket(self, bucket_name: str) -> _Bucket: ...


class _Answer(Protocol):
    @property
    def status_code(self) -> int: ...


class _Refusal(Protocol):
    """What is read of the client's untyped ``InvalidResponse``."""

    @property
    def response(self) -> _Answer: ...


class _Upload(Protocol):
    """What is read of the client's untyped ``ResumableUpload``: the URL of the session, once there is one."""

    @property
    def resumable_url(self) -> str | None: ...


class _Transport(Protocol):
    def delete(self, url: str, *, timeout: float) -> object: ...


class _Closable(Protocol):
    def close(self) -> None: ...


class _Writer(BlobWriter):
    """The client's writer, but given up for good: its own ``terminate`` calls another URL than the upload's.

    A writer that is merely dropped would finish the object when it is collected.
    """

    def finish(self) -> None:
        """Make the object appear."""
        cast("_Closable", self).close()

    def discard(self) -> None:
        """Leave nothing, now or later. Raises what the transport raises."""
        try:
            begun = cast("tuple[_Upload, _Transport] | None", vars(self)["_upload_and_transport"])
            if begun and begun[0].resumable_url:
                begun[1].delete(begun[0].resumable_url, timeout=CALL_SECONDS)
        finally:
            cast("_Closable", self._buffer).close()


class _Open(Protocol):
    """Makes a ``_Writer``."""

    def __call__(self, blob: _Blob, *, chunk_size: int, timeout: float, retry: Retry) -> _Writer: ...


class GcsFiles:
    """``ports.Files`` in Cloud Storage, with the client's own credentials."""

    def __init__(self, client: Client, *, patience: float = RETRY_SECONDS) -> None:
        self._client = cast("_Client", client)
        self._patience = DEFAULT_RETRY.with_timeout(patience)

    @contextmanager
    def read(self, uri: str) -> Generator[IO[bytes]]:
        """Open for reading, always the object as it was then. Raises NotFound, NotAllowed, BadInput, TryLater."""
        blob = self._found(uri)
        if blob.content_encoding == "gzip":
            # Cloud Storage ignores ranges on these: https://cloud.google.com/storage/docs/transcoding
            raise BadInput(f"{uri} is stored with gzip encoding and cannot be streamed. Upload it without.")
        pieces = blob.open("rb", chunk_size=CHUNK_BYTES, timeout=CALL_SECONDS, retry=self._patience)
        with _mapped(uri, UNDER_WAY), io.BufferedReader(pieces, LINE_BUFFER_BYTES) as file:
            yield file

    @contextmanager
    def write(self, uri: str) -> Generator[IO[bytes]]:
        """Open for writing; the object appears whole when the block ends well, and not at all when it raises."""
        bucket, path = bucket_and_path(uri)
        blob = self._client.bucket(bucket).blob(path)
        writer = cast("_Open", _Writer)(blob, chunk_size=CHUNK_BYTES, retry=self._patience, timeout=CALL_SECONDS)
        with _mapped(uri, OPENING):
            try:
                yield cast("IO[bytes]", writer)
                writer.finish()
            finally:
                if not writer.closed:
                    with suppress(*FAULTS):
                        writer.discard()

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        return self._found(uri).size

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        bucket, path = bucket_and_path(uri)
        with suppress(NotFound), _mapped(uri, OPENING):
            self._client.bucket(bucket).blob(path).delete(timeout=CALL_SECONDS, retry=self._patience)

    def _found(self, uri: str) -> _Blob:
        """The object with its generation, which pins everything read from it."""
        bucket, path = bucket_and_path(uri)
        with _mapped(uri, OPENING):
            blob = self._client.bucket(bucket).get_blob(path, timeout=CALL_SECONDS, retry=self._patience)
        if blob is None:
            raise NotFound(f"{uri}: there is no such object. Correct its name, or upload the file.")
        return blob


@contextmanager
def _mapped(uri: str, errors: Mapping[int, type[TunewayError]]) -> Generator[None]:
    try:
        yield
    except FAULTS as exc:
        raise errors.get(_status(exc), TryLater)(f"{uri}: {exc}") from exc


def _status(fault: Exception) -> int:
    match fault:
        case RetryError(cause=GoogleAPICallError(code=int(code))) | GoogleAPICallError(code=int(code)):
            return code
        case InvalidResponse():
            return cast("_Refusal", fault).response.status_code
        case _:
            return 0
