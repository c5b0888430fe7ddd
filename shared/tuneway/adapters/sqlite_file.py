"""One SQLite file for many threads and processes at once, with everything that returned kept through ``kill -9``."""

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue

from tuneway.errors import TryLater

BUSY_SECONDS = 15.0
PAUSE_SECONDS = 0.02

# synchronous=NORMAL: in WAL mode a commit has left the process when it returns, so a killed process loses nothing and
# the file cannot be corrupted. Only a power cut can take the last moments, and FULL would pay an fsync a commit for it.
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA wal_autocheckpoint=1000")


class SqliteFile:
    """Connections to one file, lent to one thread at a time."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._process = os.getpid()
        self._inherited: list[LifoQueue[sqlite3.Connection]] = []

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """One consistent view of the file. Raises TryLater."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """The only writer until the block ends: all of it is kept, or, when it raises, none. Raises TryLater."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the idle connections; the next use opens new ones."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection]:
        connection = self._borrow()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as exc:
            raise _away(self._path, exc) from exc
        finally:
            # Never leave a lent connection inside a transaction: whatever ended the block, the next user starts clean.
            if connection.in_transaction:
                connection.rollback()
            self._idle.put(connection)

    def _borrow(self) -> sqlite3.Connection:
        self._forget_inherited()
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._open()

    def _forget_inherited(self) -> None:
        """After a fork the parent's connections may be neither used nor closed: https://sqlite.org/howtocorrupt.html."""
        if self._process != os.getpid():
            self._inherited.append(self._idle)
            self._idle = LifoQueue()
            self._process = os.getpid()

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare(connection)
        except (OSError, sqlite3.Error) as exc:
            raise _away(self._path, exc) from exc
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Set up, again while locked: SQLite's busy timeout does not cover the change to WAL mode."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.executescript(";".join((*PRAGMAS, self._schema)))
            except sqlite3.OperationalError as exc:
                if "locked" not in str(exc) or time.monotonic() > deadline:
                    connection.close()
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return


def _away(path: Path, exc: Exception) -> TryLater:
    return TryLater(f"The state in {path} cannot be used now: {exc}. Check the disk and that nothing holds the file.")
