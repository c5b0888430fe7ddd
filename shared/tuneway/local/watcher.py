"""Cloud Storage's part in the local stack: an event for every object that appears, or changes, under a prefix.

It looks at the folder instead of being told, so it sees what any program puts there. After a start every object is
told once more; who is told knows the generations it has seen.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from tuneway.local.rounds import Rounds

logger = logging.getLogger(__name__)

FINALIZED = "google.cloud.storage.object.v1.finalized"


class Seen(msgspec.Struct, frozen=True):
    """An object as it lies in the folder."""

    bucket: str
    name: str
    generation: int
    size: int


class Watcher(Rounds):
    """POSTs a CloudEvent to ``url`` for what is under ``prefix`` (``gs://bucket/path/``) in the folder of objects.

    An object is told of when it was the same at two looks, ``interval`` seconds apart: what is still being copied is
    not whole yet. One whose event is not answered with a 2xx is told of again.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        interval: float = 1.0,
        timeout: float = 600.0,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._url = url
        self._client = httpx.Client(timeout=timeout, headers=dict(headers or {}), trust_env=False)
        self._told: frozenset[Seen] = frozenset()
        self._before: frozenset[Seen] = frozenset()
        super().__init__(self._look, interval, name="watcher", close=self._client.close)

    def look(self) -> None:
        """Tell of what was not told yet."""
        now = frozenset(self._seen())
        for found in sorted(now & self._before - self._told, key=lambda each: each.name):
            if self.stopping:
                return
            if self._tell(found):
                self._told |= {found}
        # What is gone is forgotten, so that the memory is that of the folder.
        self._told &= now
        self._before = now

    def _look(self) -> None:
        try:
            self.look()
        except OSError as exc:
            logger.warning("The folder of objects cannot be read now: %s", exc)

    def _seen(self) -> Iterator[Seen]:
        bucket, _, path = self._prefix.removeprefix("gs://").partition("/")
        root = self._folder / bucket
        for file in root.rglob("*"):
            name = file.relative_to(root).as_posix()
            if name.startswith(path) and file.is_file():
                found = file.stat()
                yield Seen(bucket, name, found.st_mtime_ns, found.st_size)

    def _tell(self, found: Seen) -> bool:
        try:
            answer = self._client.post(self._url, content=_body(found), headers=_headers(found))
        except httpx.HTTPError as exc:
            # What the stack's own end cut off is told of after the next start.
            if not self.stopping:
                logger.warning("The event about %s was not answered: %r", found.name, exc)
            return False
        if not answer.is_success:
            logger.warning("The event about %s was answered %d.", found.name, answer.status_code)
        return answer.is_success


def _headers(found: Seen) -> dict[str, str]:
    """A CloudEvent in binary mode: https://github.com/googleapis/google-cloudevents (storage/v1)."""
    return {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": f"{found.generation}",
        "ce-type": FINALIZED,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{found.bucket}",
        "ce-subject": f"objects/{found.name}".encode("ascii", "backslashreplace").decode(),
        "ce-time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _body(found: Seen) -> bytes:
    return msgspec.json.encode(
        {
            "kind": "storage#object",
            "bucket": found.bucket,
            "name": found.name,
            # Cloud Storage writes 64-bit numbers as texts.
            "generation": str(found.generation),
            "metageneration": "1",
            "size": str(found.size),
        }
    )
