"""The route snapshot from the local stack's SQLite file, read-only."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tuneway.errors import NotFound, TryLater
from tuneway.ports import SnapshotPart
from tuneway.routing.snapshot import PARTS, SNAPSHOT, part_key

BUSY_SECONDS = 0.2
READ = """SELECT json_extract(fields, '$.version') IS :version,
    CASE WHEN json_extract(fields, '$.version') IS NOT :version THEN json_extract(fields, '$.body') END
    FROM documents WHERE collection = :collection AND id = :id"""
READ_PARTS = """SELECT id, json_extract(fields, '$.version'), json_extract(fields, '$.body')
    FROM documents WHERE collection = :collection AND id IN (SELECT value FROM json_each(:ids))"""


class SqliteSnapshots:
    """``ports.Snapshots``: 20 µs a look, so it is done on the event loop itself; a thread would cost more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def read(self, version: int | None) -> bytes | None:
        """The snapshot's JSON when its version is not ``version``. Raises NotFound, TryLater."""
        place = {"collection": SNAPSHOT.collection, "id": SNAPSHOT.id, "version": version}
        try:
            row = self._connected().execute(READ, place).fetchone()
        except sqlite3.Error as exc:
            self.close()
            raise self._fault(exc) from exc
        if row is None:
            raise NotFound("There are no routes yet.")
        return None if row[0] else str(row[1]).encode()

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        """These parts as they are now, all read at one moment. Raises TryLater."""
        ids = [part_key(number).id for number in numbers]
        place = {"collection": PARTS, "ids": json.dumps(ids)}
        try:
            rows = self._connected().execute(READ_PARTS, place).fetchall()
        except sqlite3.Error as exc:
            self.close()
            raise TryLater(f"The routes in {self._path} cannot be read now: {exc}.") from exc
        found = {str(id_): SnapshotPart(int(version), str(body).encode()) for id_, version, body in rows}
        return [found.get(id_) for id_ in ids]

    def close(self) -> None:
        """Let go of the file; the next look opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None
            )
        return self._connection

    def _fault(self, exc: sqlite3.Error) -> NotFound | TryLater:
        if not self._path.exists() or "no such table" in str(exc):
            return NotFound("There are no routes yet.")
        return TryLater(f"The routes in {self._path} cannot be read now: {exc}.")
