"""Cloud Logging's sink in the local stack: what the functions log of requests, as log entries on ``usage-recorded``.

It reads the log file from where it stopped, also after a restart; what was published and not yet noted is published
again, as a sink may do, too.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuneway.errors import TryLater
from tuneway.local.rounds import Rounds
from tuneway.ports import Events, Message, Topic

INTERVAL = 0.2
AT_ONCE = 200  # messages of one publication
MOST = 4 * 1024 * 1024  # bytes of one look
# What Cloud Run takes out of a line, and puts into the entry: https://cloud.google.com/run/docs/logging.
TAKEN = ("severity", "time")

logger = logging.getLogger(__name__)


class LogSink(Rounds):
    """Follows ``file`` and publishes on ``events``; ``place`` keeps how far it has come."""

    def __init__(self, file: Path, place: Path, events: Events, *, project: str, interval: float = INTERVAL) -> None:
        self._file = file
        self._place = place
        self._events = events
        self._project = project
        super().__init__(self._look, interval, name="log sink")

    def look(self) -> int:
        """Publish what was logged since; how many messages. Raises TryLater, OSError."""
        start = self._begun()
        with self._file.open("rb") as file:
            file.seek(start)
            lines = file.read(MOST)
        whole = lines[: lines.rfind(b"\n") + 1]
        messages = [self._message(entry) for entry in _requests(whole, start)]
        for first in range(0, len(messages), AT_ONCE):
            self._events.publish(*messages[first : first + AT_ONCE])
        self._note(start + len(whole))
        return len(messages)

    def _look(self) -> None:
        try:
            self.look()
        except (TryLater, OSError) as exc:
            logger.warning("The log cannot be followed now: %s", exc)

    def _begun(self) -> int:
        """Where to go on; a file that is shorter than that is a new one."""
        try:
            place = int(self._place.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return place if place <= self._file.stat().st_size else 0

    def _note(self, place: int) -> None:
        draft = self._place.with_suffix(".new")
        draft.write_text(str(place))
        draft.replace(self._place)

    def _message(self, entry: dict[str, object]) -> Message:
        whole = {**entry, "logName": f"projects/{self._project}/logs/run.googleapis.com%2Fstderr"}
        attributes = {"logging.googleapis.com/timestamp": str(entry["timestamp"])}
        return Message(topic=Topic.USAGE_RECORDED, data=msgspec.json.encode(whole), attributes=attributes)


def _requests(lines: bytes, start: int) -> Iterator[dict[str, object]]:
    """The entries of lines that the sink's filter lets through, each with an id that is its place in the file."""
    for line in lines.splitlines(keepends=True):
        fields = _fields(line)
        if fields.get("message") == "request" and "key" in fields:
            yield {
                "insertId": f"{start:016x}",
                "timestamp": fields.get("time"),
                "receiveTimestamp": fields.get("time"),
                "severity": fields.get("severity"),
                "resource": {"type": "cloud_run_revision", "labels": {"service_name": "tuneway-predict"}},
                "jsonPayload": {name: value for name, value in fields.items() if name not in TAKEN},
            }
        start += len(line)


def _fields(line: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError):  # not ours: a library's own words
        return {}
