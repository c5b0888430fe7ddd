"""The route snapshot from the local stack's SQLite file, read-only."""

import sqlite3
from pathlib import Path

from tuneway.errors import NotFound, TryLater
from tuneway.routing.snapshot import SNAPSHOT

BUSY_SECONDS = 0.2
READ = """SELECT json_extract(fields, '$.version') IS :version,
    CASE WHEN json_extract(fields, '$.version') IS NOT :version THEN json_extract(fields, '$.body') END
    FROM documents WHERE collection = :collection AND id = :id"""


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
