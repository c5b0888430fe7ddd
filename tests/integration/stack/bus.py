"""The bus of a running stack, as another process sees it: what was published, and a way to publish more."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from tuneway.adapters.local_bus import LocalBus
from tuneway.local import manifest
from tuneway.ports import Message, Topic


def bus_of(data: Path) -> LocalBus:
    return LocalBus(data / "bus.sqlite", manifest.load().subscriptions())


class Recorder:
    """Keeps a copy of every message the bus ever holds: a trigger in the database misses none."""

    def __init__(self, data: Path) -> None:
        self._path = data / "bus.sqlite"
        with closing(sqlite3.connect(self._path, timeout=120)) as connection, connection:
            connection.executescript(
                "CREATE TABLE IF NOT EXISTS recorded AS SELECT * FROM bus_messages WHERE 0;"
                "CREATE TRIGGER IF NOT EXISTS record AFTER INSERT ON bus_messages"
                " BEGIN INSERT INTO recorded VALUES (NEW.id, NEW.topic, NEW.data, NEW.attributes, NEW.published_at);"
                " END;"
            )

    def messages(self) -> list[Message]:
        with closing(sqlite3.connect(self._path, timeout=120)) as connection:
            rows = connection.execute("SELECT topic, data, attributes FROM recorded ORDER BY id").fetchall()
        return [
            Message(topic=Topic(topic), data=data, attributes=msgspec.json.decode(attributes, type=dict[str, str]))
            for topic, data, attributes in rows
        ]

    def quiet(self) -> bool:
        """Whether every message was taken."""
        with closing(sqlite3.connect(self._path, timeout=120)) as connection:
            return bool(connection.execute("SELECT COUNT(*) = 0 FROM bus_deliveries").fetchone()[0])
