"""The simulation's state: one SQLite file that survives ``kill -9``."""

import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import msgspec

T = TypeVar("T")
SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL,
    due REAL, body BLOB NOT NULL, UNIQUE (kind, name));
CREATE INDEX IF NOT EXISTS resources_listed ON resources (kind, parent, seq);
CREATE INDEX IF NOT EXISTS resources_due ON resources (kind, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS examples (source TEXT NOT NULL, prompt TEXT NOT NULL, answer BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS examples_source ON examples (source);
CREATE TABLE IF NOT EXISTS calls (kind TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


class Example(msgspec.Struct, frozen=True):
    """What a tuned model has learned: a prompt and the answer's parts as JSON."""

    prompt: str
    answer: bytes


class Store:
    """Resources as JSON by kind and name; the kind is the name of their Struct."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing with NORMAL; only a power cut could lose the last writes.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Reads and writes inside happen together or not at all; blocks may be nested."""
        with self._lock:
            outermost = self._depth == 0
            self._depth += 1
            try:
                if outermost:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, kind: type[T], name: str) -> T | None:
        """The resource, or None."""
        rows = self._rows("SELECT body FROM resources WHERE kind = ? AND name = ?", (kind.__name__, name))
        return msgspec.json.decode(cast("bytes", rows[0][0]), type=kind) if rows else None

    def put(self, name: str, value: object, *, due: float | None = None) -> None:
        """Write the resource; ``due`` is when it next changes by itself (Unix seconds)."""
        parent = name.rpartition("@")[0] or name.rpartition("/")[0].rpartition("/")[0]
        sql = (
            "INSERT INTO resources (kind, parent, name, due, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, name) DO UPDATE SET due = excluded.due, body = excluded.body"
        )
        self._rows(sql, (type(value).__name__, parent, name, due, msgspec.json.encode(value)))

    def delete(self, kind: type[T], name: str) -> None:
        """Remove the resource; one that is not there is no error."""
        self._rows("DELETE FROM resources WHERE kind = ? AND name = ?", (kind.__name__, name))

    def newest_first(self, kind: type[T], parent: str, *, before: int | None = None) -> list[tuple[int, T]]:
        """A parent's resources with their ``seq``, the newest first, from below ``before`` on."""
        sql = "SELECT seq, body FROM resources WHERE kind = ? AND parent = ? AND seq < ? ORDER BY seq DESC"
        rows = self._rows(sql, (kind.__name__, parent, 2**62 if before is None else before))
        return [(cast("int", seq), msgspec.json.decode(cast("bytes", body), type=kind)) for seq, body in rows]

    def every(self, kind: type[T]) -> list[T]:
        """All resources of this kind, the oldest first."""
        rows = self._rows("SELECT body FROM resources WHERE kind = ? ORDER BY seq", (kind.__name__,))
        return [msgspec.json.decode(cast("bytes", row[0]), type=kind) for row in rows]

    def due(self, kind: type[T], now: float) -> list[T]:
        """The resources whose moment has come."""
        sql = "SELECT body FROM resources WHERE kind = ? AND due <= ? ORDER BY due"
        return [msgspec.json.decode(cast("bytes", row[0]), type=kind) for row in self._rows(sql, (kind.__name__, now))]

    def count(self, kind: type[T]) -> int:
        """How many resources of this kind there are."""
        return cast("int", self._rows("SELECT COUNT(*) FROM resources WHERE kind = ?", (kind.__name__,))[0][0])

    def learn(self, source: str, examples: Sequence[Example]) -> None:
        """Remember what a job was trained on."""
        with self._lock:
            self._connection.executemany(
                "INSERT INTO examples VALUES (?, ?, ?)", [(source, each.prompt, each.answer) for each in examples]
            )

    def learned(self, source: str) -> list[Example]:
        """What a job was trained on, in the order of its file."""
        rows = self._rows("SELECT prompt, answer FROM examples WHERE source = ? ORDER BY rowid", (source,))
        return [Example(cast("str", prompt), cast("bytes", answer)) for prompt, answer in rows]

    def tally(self, kind: str) -> None:
        """Count one call."""
        self._rows("INSERT INTO calls VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET count = count + 1", (kind,))

    def tallies(self) -> dict[str, int]:
        """How often each kind of call was made since the store began."""
        return {cast("str", kind): cast("int", count) for kind, count in self._rows("SELECT * FROM calls", ())}

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with self._lock:
            return cast("list[tuple[object, ...]]", self._connection.execute(sql, values).fetchall())
