"""Messages take the current trace along."""

from collections.abc import Iterator
from contextlib import contextmanager

from tuneway.ports import Message, Topic
from tuneway.ports.traces import CURRENT, Trace, carrying

TRACE = Trace(id="a" * 32, span="b" * 16, sampled=True)
HEADER = f"00-{'a' * 32}-{'b' * 16}-01"
PLAIN = Message(topic=Topic.POLL_DUE, data=b"{}", attributes={"job_id": "ftjob-1"})


@contextmanager
def within(trace: Trace | None) -> Iterator[None]:
    before = CURRENT.set(trace)
    yield
    CURRENT.reset(before)


def test_a_message_bears_the_trace_it_is_sent_in() -> None:
    with within(TRACE):
        assert carrying(PLAIN).attributes == {"job_id": "ftjob-1", "traceparent": HEADER}
    assert PLAIN.attributes == {"job_id": "ftjob-1"}


def test_without_a_trace_a_message_stays_as_it_is() -> None:
    assert carrying(PLAIN) is PLAIN
    with within(Trace(id="a" * 32)):  # the caller named no span to be a child of
        assert carrying(PLAIN) is PLAIN


def test_a_cloud_event_bears_it_under_its_own_name_too() -> None:
    event = Message(topic=Topic.TUNING_EVENTS, data=b"{}", attributes={"ce-specversion": "1.0"})
    with within(TRACE):
        told = carrying(event).attributes
    assert told == {"ce-specversion": "1.0", "traceparent": HEADER, "ce-traceparent": HEADER}


def test_a_letter_that_is_sent_again_keeps_its_trace() -> None:
    letter = Message(topic=Topic.POLL_DUE, data=b"{}", attributes={"traceparent": "as it was"})
    with within(TRACE):
        assert carrying(letter) is letter
