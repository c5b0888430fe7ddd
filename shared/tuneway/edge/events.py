"""Events in: what a CloudEvent of Pub/Sub or of Cloud Storage carries."""

import base64
from typing import TypeVar

import msgspec
from cloudevents.http import CloudEvent

from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.models.mirror import ModelRef
from tuneway.tuning.beats import PlaceRef
from tuneway.tuning.lifecycle import JobRef, SweepRef
from tuneway.tuning.notify import Told
from tuneway.tuning.watched import StoredObject

T = TypeVar("T")


class PubsubMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The message as Pub/Sub wraps it; ``data`` is base64."""

    data: str = ""
    attributes: dict[str, str] = {}
    message_id: str = ""

    def content(self) -> bytes:
        """The data itself. Raises ValueError when it is not base64."""
        return base64.b64decode(self.data, validate=True)


class _Envelope(msgspec.Struct, frozen=True):
    message: PubsubMessage


class Undecodable(ValueError):
    """A message that no retry can mend; left to fail, it reaches the dead letters, where it can be seen."""


def message(event: CloudEvent) -> PubsubMessage:
    """The Pub/Sub message in a CloudEvent. Raises Undecodable."""
    try:
        return msgspec.convert(event.get_data(), _Envelope).message
    except msgspec.ValidationError as fault:
        raise Undecodable(f"Not a Pub/Sub event: {fault}") from fault


def job_ref(event: CloudEvent) -> JobRef:
    """The job a message is about. Raises Undecodable."""
    return _ref(event, JobRef, "a job")


def poll_ref(event: CloudEvent) -> JobRef | PlaceRef:
    """The job, or the place whose jobs, a message is about. Raises Undecodable."""
    return _ref(event, PlaceRef, "a place") if "place" in message(event).attributes else job_ref(event)


def deploy_ref(event: CloudEvent) -> DeployRef:
    """The deployment a message is about. Raises Undecodable."""
    return _ref(event, DeployRef, "a deployment")


def deploy_or_model_ref(event: CloudEvent) -> DeployRef | ModelRef:
    """The deployment, or the registered model, that a message is about. Raises Undecodable."""
    return _ref(event, ModelRef, "a model") if "model_id" in message(event).attributes else deploy_ref(event)


def sweep_ref(event: CloudEvent) -> SweepRef:
    """The sweep a message is about. Raises Undecodable."""
    return _ref(event, SweepRef, "a sweep")


def _ref(event: CloudEvent, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(message(event).content(), type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Undecodable(f"Not a reference to {what}: {fault}") from fault


def told(event: CloudEvent) -> Told | None:
    """What a message on ``tuning-events`` tells; None for one that is about no job. Raises Undecodable."""
    attributes = message(event).attributes
    if not attributes.get("ce-type", "").startswith("tuneway.job."):
        return None
    try:
        return msgspec.convert({name: attributes.get(f"ce-{name}") for name in Told.__struct_fields__}, Told)
    except msgspec.ValidationError as fault:
        raise Undecodable(f"Not an event of a job: {fault}") from fault


def stored_object(event: CloudEvent) -> StoredObject:
    """The object a storage event is about. Raises Undecodable."""
    try:
        return msgspec.convert(event.get_data(), StoredObject, strict=False)
    except msgspec.ValidationError as fault:
        raise Undecodable(f"Not an event of Cloud Storage: {fault}") from fault
