"""Objects in the folder with what Cloud Storage says about them: generation, checksums, content type."""

import base64
import hashlib
import importlib
import mimetypes
import threading
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import quote

import msgspec

from tuneway.local.vertex.instants import rfc3339
from tuneway.local.vertex.objects import bucket_folder, object_file
from tuneway.local.vertex.refusals import Refusal
from tuneway.local.vertex.store import Store

READ_AT_ONCE = 1 << 20


class PreconditionFailed(Exception):
    """The object's generation is not the one the caller asked for (412)."""


class Words(msgspec.Struct, frozen=True):
    """What an upload says about an object besides its bytes."""

    content_type: str | None = None
    metadata: dict[str, str] = {}


class BlobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an object's bytes, good as long as the file keeps this generation and size."""

    generation: int
    size: int
    md5: str
    crc32c: str
    words: Words = Words()


class _Checksum(Protocol):
    """google_crc32c.Checksum, which is not typed."""

    def update(self, chunk: bytes) -> None:
        """Add bytes."""
        ...

    def digest(self) -> bytes:
        """The checksum, big-endian."""
        ...


class Blobs:
    """The objects of all buckets."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._writing = threading.Lock()
        self.parts = root / ".uploads"

    def bucket(self, name: str) -> Path:
        """A bucket's folder. Raises Refusal (404)."""
        folder = bucket_folder(self._root, name)
        if not folder.is_dir():
            raise Refusal("NOT_FOUND", "The specified bucket does not exist.")
        return folder

    def make_bucket(self, name: str) -> None:
        """Raises Refusal when it is there."""
        folder = bucket_folder(self._root, name)
        if folder.exists():
            raise Refusal("ALREADY_EXISTS", f"Your previous request to create the named bucket '{name}' succeeded.")
        folder.mkdir(parents=True)

    def buckets(self) -> list[str]:
        """All buckets by name."""
        found = self._root.iterdir() if self._root.is_dir() else ()
        return sorted(each.name for each in found if each.is_dir() and not each.name.startswith("."))

    def file(self, bucket: str, name: str) -> Path:
        """An object's file. Raises Refusal (404)."""
        self.bucket(bucket)
        path = object_file(self._root, bucket, name)
        if not path.is_file():
            raise Refusal("NOT_FOUND", f"No such object: {bucket}/{name}")
        return path

    def names(self, bucket: str) -> list[str]:
        """A bucket's objects in Cloud Storage's order (by their bytes)."""
        folder = self.bucket(bucket)
        found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return sorted(found, key=str.encode)

    def record(self, bucket: str, name: str) -> BlobRecord:
        """What is known of an object; worked out anew when somebody else wrote the file. Raises Refusal (404)."""
        path = self.file(bucket, name)
        known = self._store.get(BlobRecord, _key(bucket, name))
        status = path.stat()
        if known and (known.generation, known.size) == (_generation(status.st_mtime_ns), status.st_size):
            return known
        return self._remember(bucket, name, Words())

    def place(self, part: Path, bucket: str, name: str, *, words: Words, match: int | None) -> BlobRecord:
        """Move an uploaded file into place: it appears whole. Raises Refusal or PreconditionFailed."""
        self.bucket(bucket)
        path = object_file(self._root, bucket, name)
        with self._writing:
            self.check_generation(bucket, name, match=match)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                part.replace(path)
            except OSError as exc:
                raise Refusal("INVALID_ARGUMENT", f"A folder cannot hold '{name}' beside what is there.") from exc
            return self._remember(bucket, name, words)

    def remove(self, bucket: str, name: str, *, match: int | None) -> None:
        """Delete an object and the folders it leaves empty. Raises Refusal or PreconditionFailed."""
        with self._writing:
            path = self.file(bucket, name)
            self.check_generation(bucket, name, match=match)
            path.unlink()
            self._store.delete(BlobRecord, _key(bucket, name))
            folder = self.bucket(bucket)
            for parent in path.parents:
                if parent == folder or any(parent.iterdir()):
                    break
                parent.rmdir()

    def check_generation(self, bucket: str, name: str, *, match: int | None) -> None:
        """Raises PreconditionFailed unless the object has the generation ``match`` (0: is not there)."""
        if match is None:
            return
        path = object_file(self._root, bucket, name)
        now = _generation(path.stat().st_mtime_ns) if path.is_file() else 0
        if now != match:
            raise PreconditionFailed

    def _remember(self, bucket: str, name: str, words: Words) -> BlobRecord:
        path = self.file(bucket, name)
        status = path.stat()
        md5, crc32c = checksums(path)
        record = BlobRecord(
            generation=_generation(status.st_mtime_ns), size=status.st_size, md5=md5, crc32c=crc32c, words=words
        )
        self._store.put(_key(bucket, name), record)
        return record


def checksums(path: Path) -> tuple[str, str]:
    """MD5 and CRC32C of a file, in base64 as Cloud Storage writes them."""
    # MD5 here is Cloud Storage's published object checksum, not a safeguard.
    md5 = hashlib.md5(usedforsecurity=False)
    make = vars(importlib.import_module("google_crc32c"))["Checksum"]
    crc = cast("_Checksum", make())
    with path.open("rb") as file:
        while chunk := file.read(READ_AT_ONCE):
            md5.update(chunk)
            crc.update(chunk)
    return base64.b64encode(md5.digest()).decode(), base64.b64encode(crc.digest()).decode()


def blob_body(bucket: str, name: str, record: BlobRecord, *, base_url: str) -> dict[str, object]:
    """The object's JSON."""
    when = rfc3339(record.generation / 1_000_000)
    place = f"storage/v1/b/{bucket}/o/{quote(name, safe='')}"
    body: dict[str, object] = {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{record.generation}",
        "name": name,
        "bucket": bucket,
        "generation": str(record.generation),
        "metageneration": "1",
        "contentType": content_type(name, record),
        "storageClass": "STANDARD",
        "size": str(record.size),
        "md5Hash": record.md5,
        "crc32c": record.crc32c,
        "etag": record.md5,
        "timeCreated": when,
        "updated": when,
        "selfLink": f"{base_url}{place}",
        "mediaLink": f"{base_url}download/{place}?generation={record.generation}&alt=media",
    }
    return {**body, "metadata": record.words.metadata} if record.words.metadata else body


def content_type(name: str, record: BlobRecord) -> str:
    """What the upload said, else a guess by the name."""
    return record.words.content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _key(bucket: str, name: str) -> str:
    return f"b/{bucket}/o/{name}"


def _generation(mtime_ns: int) -> int:
    """Cloud Storage's generations are microseconds too, so a file's own time is a good one."""
    return mtime_ns // 1000
