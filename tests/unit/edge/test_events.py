"""Pub/Sub's CloudEvents: a reference to a job comes out, or Undecodable."""

import base64
from typing import Any

import pytest
from cloudevents.http import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from tuneway.edge.events import Undecodable, job_ref, message
from tuneway.tuning.jobs import JobId
from tuneway.tuning.lifecycle import JobRef

HEAD = {
    "type": "google.cloud.pubsub.topic.v1.messagePublished",
    "source": "//pubsub.googleapis.com/projects/p/topics/t",
}


def event(data: Any) -> CloudEvent:
    return CloudEvent(HEAD, data)


def carrying(content: bytes, **fields: object) -> CloudEvent:
    return event({"message": {"data": base64.b64encode(content).decode(), "messageId": "7", **fields}})


def test_a_reference_to_a_job_is_read() -> None:
    assert job_ref(carrying(b'{"job_id": "ftjob-1", "since": 3}')) == JobRef(JobId("ftjob-1"), 3)
    assert job_ref(carrying(b'{"job_id": "ftjob-1"}')).since == 0


def test_a_later_versions_fields_do_no_harm() -> None:
    assert job_ref(carrying(b'{"job_id": "ftjob-1", "colour": 1}', orderingKey="x")).job_id == "ftjob-1"


def test_id_and_attributes_come_along() -> None:
    found = message(carrying(b"x", attributes={"a": "b"}))
    assert (found.message_id, found.attributes, found.content()) == ("7", {"a": "b"}, b"x")


@pytest.mark.parametrize("data", [None, "text", {}, {"message": 1}, {"message": {"data": 5}}, [], b"raw"])
def test_what_is_no_pubsub_event_is_undecodable(data: object) -> None:
    with pytest.raises(Undecodable):
        message(event(data))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"job_id": 5}', b'{"job_id": "a", "since": "x"}', b"\xff{", b"[" * 99_999]
)
def test_what_is_no_reference_is_undecodable(content: bytes) -> None:
    with pytest.raises(Undecodable):
        job_ref(carrying(content))


@pytest.mark.parametrize("data", ["%%%", "abc", "ä", "e30=\n"])
def test_what_is_not_base64_is_undecodable(data: str) -> None:
    with pytest.raises(Undecodable):
        job_ref(event({"message": {"data": data}}))


@given(st.binary(max_size=80))
def test_any_content_is_a_reference_or_undecodable(content: bytes) -> None:
    assert isinstance(_made_of(content), JobRef | Undecodable)


def _made_of(content: bytes) -> object:
    try:
        return job_ref(carrying(content))
    except Undecodable as fault:
        return fault
