"""The events of a running stack, as a customer who subscribes to ``tuning-events`` hears them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.pubsub_v1 import SubscriberClient

from tests.integration.stack.bus import Recorder
from tests.integration.stack.running import PROC, Stack, family_of
from tuneway.local import emulators
from tuneway.ports import Topic

PROJECT = "projects/local-project"
SUBSCRIPTION = f"{PROJECT}/subscriptions/customer"
MOST = 1000
SECONDS = 3.0


class Event(NamedTuple):
    """One event: its type without ``tuneway.``, whom it is about, and its data."""

    type: str
    subject: str
    data: dict[str, Any]


class Ears(Protocol):
    """What was heard."""

    def heard(self) -> list[Event]:
        """Every event since the subscription began, in the order of their times, each once."""
        ...


@contextmanager
def listening(stack: Stack) -> Iterator[Ears]:
    """A subscription of the stack's own bus, or of the emulator that it has for one."""
    address = _pubsub_of(stack)
    if address is None:
        yield _Recorded(stack.data)
        return
    publisher, subscriber = emulators.pubsub_clients(address)
    subscriber.create_subscription(name=SUBSCRIPTION, topic=f"{PROJECT}/topics/{Topic.TUNING_EVENTS}")
    try:
        yield _Subscribed(subscriber)
    finally:
        publisher.stop()
        subscriber.close()


class _Recorded:
    def __init__(self, data: Path) -> None:
        self._recorder = Recorder(data)

    def heard(self) -> list[Event]:
        messages = [each for each in self._recorder.messages() if each.topic is Topic.TUNING_EVENTS]
        return _in_order([(each.attributes, each.data) for each in messages])


class _Subscribed:
    def __init__(self, subscriber: SubscriberClient) -> None:
        self._subscriber = subscriber
        self._messages: list[tuple[dict[str, str], bytes]] = []

    def heard(self) -> list[Event]:
        while pulled := self._pulled():
            self._messages += pulled
        return _in_order(self._messages)

    def _pulled(self) -> list[tuple[dict[str, str], bytes]]:
        try:
            found = self._subscriber.pull(subscription=SUBSCRIPTION, max_messages=MOST, timeout=SECONDS)
        except DeadlineExceeded:
            return []
        ids = [each.ack_id for each in found.received_messages]
        if ids:
            self._subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=ids)
        return [(dict(each.message.attributes), each.message.data) for each in found.received_messages]


def _in_order(messages: Sequence[tuple[dict[str, str], bytes]]) -> list[Event]:
    """Delivery is at least once and in no order: an id that was seen is dropped."""
    first = {each["ce-id"]: (each, data) for each, data in reversed(messages)}
    ordered = sorted(first.values(), key=lambda each: each[0]["ce-time"])
    return [
        Event(each["ce-type"].removeprefix("tuneway."), each["ce-subject"], msgspec.json.decode(data))
        for each, data in ordered
    ]


def _pubsub_of(stack: Stack) -> str | None:
    """Where the stack's Pub/Sub emulator listens, if it has one: its own command line says so."""
    for pid in family_of(stack.process.pid):
        words = (PROC / str(pid) / "cmdline").read_bytes().decode().split("\0")
        if any("cloud-pubsub-emulator" in word for word in words) and "-jar" in words:
            ports = [word.removeprefix("--port=") for word in words if word.startswith("--port=")]
            return f"127.0.0.1:{ports[0]}"
    return None
