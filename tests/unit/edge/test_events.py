"""Pub/Sub's CloudEvents: a reference to a job comes out, or Undecodable."""

import base64
from typing import Any

import pytest
from cloudevents.http import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from tuneway.edge.events import (
    Undecodable,
    deploy_or_model_ref,
    deploy_ref,
    job_ref,
    message,
    poll_ref,
    sweep_ref,
    told,
)
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.models.mirror import ModelRef
from tuneway.tuning.beats import Beat, Place, PlaceRef, look
from tuneway.tuning.cloud_events import Event, announced
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


def test_a_reference_to_a_deployment_is_read() -> None:
    assert deploy_ref(carrying(b'{"deployment_id": "ft-1-1"}')) == DeployRef("ft-1-1")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"deployment_id": 5}', b'{"job_id": "a"}', b"\xff{", b"[" * 99_999])
def test_what_is_no_reference_to_a_deployment_is_undecodable(content: bytes) -> None:
    with pytest.raises(Undecodable):
        deploy_ref(carrying(content))


def test_a_sweeps_message_names_it_and_a_broken_one_is_undecodable() -> None:
    assert sweep_ref(carrying(b'{"sweep_id": "ftsweep-1"}')).sweep_id == "ftsweep-1"
    for content in (b"", b"{}", b"[]", b'{"sweep_id": 1}'):
        with pytest.raises(Undecodable):
            sweep_ref(carrying(content))


def test_a_message_about_a_place_and_one_about_a_job_are_told_apart() -> None:
    place = Place("vertex_ai", "us-central1")
    sent = look(Beat(place=place, due=7.0, pace=5.0))
    assert poll_ref(carrying(sent.data, attributes=dict(sent.attributes))) == PlaceRef(place, 7.0)
    assert poll_ref(carrying(b'{"job_id": "ftjob-1"}', attributes={"job_id": "ftjob-1"})) == JobRef(JobId("ftjob-1"))


@pytest.mark.parametrize("content", [b"", b"{}", b'{"place": 1, "at": 2}'])
def test_a_message_that_names_no_place_is_undecodable(content: bytes) -> None:
    with pytest.raises(Undecodable, match="place"):
        poll_ref(carrying(content, attributes={"place": "x"}))


def test_what_happened_to_a_job_is_read_from_its_cloud_events_attributes() -> None:
    happened = Event(id="e-1", type="job.failed", source="/s", subject="ftjob-1", time=1_795_000_000.5, data={"a": 1})
    sent = announced(happened, status="failed")
    assert sent.attributes["ce-specversion"] == "1.0"
    assert sent.attributes["content-type"] == "application/json"
    read = told(carrying(sent.data, attributes=dict(sent.attributes)))
    assert read is not None
    assert (read.id, read.type, read.subject) == ("e-1", "tuneway.job.failed", "ftjob-1")
    assert read.time.timestamp() == 1_795_000_000.5


def test_what_is_about_no_job_is_nobodys_end() -> None:
    assert told(carrying(b"{}", attributes={"ce-type": "tuneway.dataset.linted"})) is None
    assert told(carrying(b"{}")) is None


def test_an_event_of_a_job_without_its_attributes_is_undecodable() -> None:
    with pytest.raises(Undecodable):
        told(carrying(b"{}", attributes={"ce-type": "tuneway.job.failed"}))


def test_a_message_is_about_a_deployment_or_a_registered_model() -> None:
    assert deploy_or_model_ref(carrying(b'{"deployment_id": "ft-1-1"}')) == DeployRef("ft-1-1")
    attributes = {"model_id": "101"}
    assert deploy_or_model_ref(carrying(b'{"model_id": "101"}', attributes=attributes)) == ModelRef("101")
    with pytest.raises(Undecodable, match="a model"):
        deploy_or_model_ref(carrying(b"{}", attributes=attributes))
