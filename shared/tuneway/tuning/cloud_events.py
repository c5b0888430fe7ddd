"""What is told on ``tuning-events``, as CloudEvents 1.0 in the Pub/Sub binding's binary form: attributes and data.

https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md (read 2026-11). Delivered again, an event
has the same id, so that whoever takes it can tell.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from tuneway.ports import Message, Topic

PREFIX = "ce-"
TYPES = "tuneway."


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event: ``type`` without its prefix, ``subject`` what it is about, ``time`` in Unix seconds."""

    id: str
    type: str
    source: str
    subject: str
    time: float
    data: Mapping[str, object]


def announced(event: Event, **attributes: str) -> Message:
    """The message that carries it; ``attributes`` are further ones to filter by."""
    told = {
        "specversion": "1.0",
        "id": event.id,
        "type": TYPES + event.type,
        "source": event.source,
        "subject": event.subject,
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return Message(
        topic=Topic.TUNING_EVENTS,
        data=msgspec.json.encode(event.data),
        attributes={
            **{PREFIX + name: value for name, value in told.items()},
            "content-type": "application/json",
            **attributes,
        },
    )
