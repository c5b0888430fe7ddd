"""The bus of the local stack: messages kept in SQLite until every function that takes them has said yes."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tuneway.adapters.portable import check_message
from tuneway.adapters.sqlite_file import SqliteFile
from tuneway.ports import Message, Topic

# AUTOINCREMENT: the id of a message that is gone is never given to another one.
SCHEMA = """
CREATE TABLE IF NOT EXISTS bus_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL,
    published_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS bus_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL, function TEXT NOT NULL, failures INTEGER NOT NULL,
    due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS bus_due ON bus_deliveries (function, due_at);
CREATE INDEX IF NOT EXISTS bus_left ON bus_deliveries (message);
"""
PUBLISH = "INSERT INTO bus_messages (topic, data, attributes, published_at) VALUES (?, ?, ?, ?)"
SUBSCRIBE = "INSERT INTO bus_deliveries (message, function, failures, due_at) VALUES (?, ?, 0, ?)"
DUE = """SELECT d.id, m.id, topic, function, data, attributes, published_at, failures
    FROM bus_deliveries d JOIN bus_messages m ON m.id = d.message
    WHERE function = ? AND due_at <= ? ORDER BY due_at, d.id LIMIT ?"""
POSTPONE = "UPDATE bus_deliveries SET failures = ?, due_at = ? WHERE id = ?"
SETTLE = "DELETE FROM bus_deliveries WHERE id = ?"
FORGET = "DELETE FROM bus_messages WHERE id = ? AND NOT EXISTS (SELECT 1 FROM bus_deliveries WHERE message = ?)"

# Set when something may be due: one for each file in the whole process, whichever object there publishes to it.
NEWS: dict[Path, threading.Event] = {}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way to one function; ``failures`` counts the attempts that were refused."""

    id: int
    message_id: int
    message: Message
    function: str
    published_at: float
    failures: int


class LocalBus:
    """``ports.Events`` in the file at ``path``, and what a relay needs to deliver from it.

    ``subscriptions`` names the functions that take each topic's messages; a topic nobody takes keeps nothing.
    """

    def __init__(
        self,
        path: Path,
        subscriptions: Mapping[Topic, Sequence[str]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._file = SqliteFile(path, SCHEMA)
        self._subscriptions = subscriptions
        self._now = now
        self.path = path
        self.news = NEWS.setdefault(path.absolute(), threading.Event())

    def publish(self, *messages: Message) -> None:
        """All messages or none, durable once this returns. Raises BadInput, TryLater."""
        self._write(messages)
        self.news.set()

    def due(self, functions: Iterable[str], limit: int) -> list[Delivery]:
        """What should be delivered now: at most ``limit`` for each function, the longest due first. Raises TryLater."""
        now = self._now()
        with self._file.reading() as connection:
            return [
                _delivery(row)
                for function in functions
                for row in connection.execute(DUE, (function, now, limit)).fetchall()
            ]

    def acknowledge(self, delivery: Delivery) -> None:
        """It was taken: never deliver it again. Raises TryLater."""
        self._write((), settled=delivery)

    def postpone(self, delivery: Delivery, *, failures: int, seconds: float) -> None:
        """Deliver it again later. Raises TryLater."""
        with self._file.writing() as connection:
            connection.execute(POSTPONE, (failures, self._now() + seconds, delivery.id))

    def bury(self, delivery: Delivery, letter: Message) -> None:
        """Publish ``letter`` in its place. Raises TryLater."""
        self._write((letter,), settled=delivery)
        self.news.set()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._file.close()

    def _write(self, messages: Iterable[Message], *, settled: Delivery | None = None) -> None:
        for message in messages:
            check_message(message)
        now = self._now()
        with self._file.writing() as connection:
            for message in messages:
                functions = self._subscriptions.get(message.topic, ())
                if functions:
                    id_ = connection.execute(PUBLISH, _row(message, now)).lastrowid
                    connection.executemany(SUBSCRIBE, [(id_, function, now) for function in functions])
            if settled:
                connection.execute(SETTLE, (settled.id,))
                connection.execute(FORGET, (settled.message_id, settled.message_id))


def _row(message: Message, now: float) -> tuple[str, bytes, str, float]:
    return (message.topic.value, message.data, msgspec.json.encode(message.attributes).decode(), now)


def _delivery(row: tuple[int, int, str, str, bytes, str, float, int]) -> Delivery:
    id_, message_id, topic, function, data, attributes, published_at, failures = row
    return Delivery(
        id=id_,
        message_id=message_id,
        message=Message(topic=Topic(topic), data=data, attributes=msgspec.json.decode(attributes, type=dict[str, str])),
        function=function,
        published_at=published_at,
        failures=failures,
    )
