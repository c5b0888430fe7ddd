"""Pub/Sub events in: what a CloudEvent's message carries."""

import base64

import msgspec
from cloudevents.http import CloudEvent

from tuneway.tuning.lifecycle import JobRef


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
    try:
        return msgspec.json.decode(message(event).content(), type=JobRef)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Undecodable(f"Not a reference to a job: {fault}") from fault
