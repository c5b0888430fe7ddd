"""Uploaded files: a record each, and the bytes in object storage."""

import shutil
from collections.abc import Callable, Iterator
from typing import IO, Literal

import msgspec

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents, Files
from tuneway.state import Collection, Stored

CHUNK = 1 << 20
PURPOSE = "fine-tune"
OURS = ("files", "jobs")  # folders of uploads, and of what jobs made of them


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded file; ``created_at`` in Unix seconds, ``uri`` is gs://."""

    id: str
    owner: str
    filename: str
    purpose: Literal["fine-tune"]
    bytes: int
    created_at: float
    uri: str


class FileRecords:
    """What is known of uploaded files; every call is for one owner and never shows another's."""

    def __init__(self, documents: Documents, *, bucket: str, copies: str | None = None) -> None:
        """``copies`` is another place of tuneway's own, such as ``s3://bucket``, where jobs keep their folders."""
        self._records = Collection(documents, "files", FileRecord)
        self._places = (f"gs://{bucket}", *([copies] if copies else []))

    def keeps(self, uri: str) -> bool:
        """Whether the object is one that tuneway keeps for a tenant: such are named by their id, which has an owner."""
        return uri.startswith(tuple(f"{place}/{folder}/" for place in self._places for folder in OURS))

    def get(self, id_: str, *, owner: str) -> FileRecord:
        """The record. Raises NotFound."""
        return self._mine(id_, owner).value

    def _mine(self, id_: str, owner: str) -> Stored[FileRecord]:
        stored = self._records.known(id_)
        if stored is None or stored.value.owner != owner:
            raise NotFound(f"There is no file '{id_}'. Upload it with POST /v1/files.", param="file_id")
        return stored


class FileShelf(FileRecords):
    """The use cases of ``/v1/files``."""

    def __init__(
        self,
        documents: Documents,
        files: Files,
        *,
        bucket: str,
        now: Callable[[], float],
        new_id: Callable[[], str],
        copies: str | None = None,
    ) -> None:
        super().__init__(documents, bucket=bucket, copies=copies)
        self._documents = documents
        self._files = files
        self._bucket = bucket
        self._now = now
        self._new_id = new_id

    def upload(self, content: IO[bytes], *, filename: str, purpose: str, owner: str) -> FileRecord:
        """Keep the bytes, then the record: a crash between leaves bytes nobody sees, never a record without bytes."""
        if purpose != PURPOSE:
            raise BadInput(
                f"Files are kept for tuning only: send purpose '{PURPOSE}', not '{purpose}'.", param="purpose"
            )
        id_ = f"file-{self._new_id()}"
        uri = f"gs://{self._bucket}/files/{id_}"
        with self._files.write(uri) as target:
            shutil.copyfileobj(content, target, CHUNK)
        record = FileRecord(
            id=id_,
            owner=owner,
            filename=filename,
            purpose="fine-tune",
            bytes=self._files.size(uri),
            created_at=self._now(),
            uri=uri,
        )
        self._documents.commit(self._records.create(id_, record))
        return record

    def list(
        self, *, owner: str, purpose: str | None, after: str | None, limit: int, descending: bool
    ) -> list[FileRecord]:
        """The owner's files by age. Raises NotFound when ``after`` is gone."""
        if purpose not in {None, PURPOSE}:
            return []
        if after is not None:
            self._mine(after, owner)
        found = self._records.find(
            ("owner", "==", owner), order_by="created_at", descending=descending, after=after, limit=limit
        )
        return [stored.value for stored in found]

    def content(self, id_: str, *, owner: str) -> Iterator[bytes]:
        """The bytes, a megabyte at a time. Raises NotFound before the first one."""
        record = self.get(id_, owner=owner)
        self._files.size(record.uri)
        return self._chunks(record.uri)

    def delete(self, id_: str, *, owner: str) -> None:
        """Remove the record, then the bytes. Raises NotFound."""
        record = self.get(id_, owner=owner)
        self._documents.commit(self._records.delete(id_))
        self._files.delete(record.uri)

    def _chunks(self, uri: str) -> Iterator[bytes]:
        with self._files.read(uri) as source:
            while chunk := source.read(CHUNK):
                yield chunk
