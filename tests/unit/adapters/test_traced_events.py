"""Events that take the current trace along, whatever bus is behind them."""

import contextvars

import pytest

from tuneway.adapters.portable import check_message
from tuneway.adapters.traced_events import TracedEvents
from tuneway.errors import TryLater
from tuneway.ports import Message, Topic
from tuneway.ports.traces import CURRENT, Trace

ONE = Message(topic=Topic.POLL_DUE, data=b"1")
TWO = Message(topic=Topic.TUNING_EVENTS, data=b"2", attributes={"ce-specversion": "1.0"})


class Outbox:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    def publish(self, *messages: Message) -> None:
        self.sent += messages


class Away:
    def publish(self, *_: Message) -> None:
        raise TryLater("The bus is away.")


def _published(*messages: Message) -> list[Message]:
    outbox = Outbox()
    CURRENT.set(Trace(id="a" * 32, span="b" * 16))
    TracedEvents(outbox).publish(*messages)
    return outbox.sent


def test_every_message_of_a_publication_bears_the_trace_and_the_bus_takes_it() -> None:
    sent = contextvars.copy_context().run(_published, ONE, TWO)
    assert [message.attributes["traceparent"] for message in sent] == [f"00-{'a' * 32}-{'b' * 16}-00"] * 2
    for message in sent:
        check_message(message)


def test_what_the_bus_says_comes_through() -> None:
    with pytest.raises(TryLater):
        TracedEvents(Away()).publish(ONE)
