"""The bus: topics and messages."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Topic(StrEnum):
    """The topics, as functions/manifest.yaml and Terraform name them."""

    JOB_REQUESTED = "job-requested"
    POLL_DUE = "poll-due"
    JOB_FINISHED = "job-finished"
    DEPLOY_REQUESTED = "deploy-requested"
    SWEEP_DUE = "sweep-due"
    TUNING_EVENTS = "tuning-events"
    USAGE_RECORDED = "usage-recorded"
    DEAD_LETTERS = "dead-letters"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What travels on a topic: ``data`` is a small JSON object of ids, ``attributes`` are strings to filter by."""

    topic: Topic
    data: bytes
    attributes: dict[str, str] = {}


class Events(Protocol):
    """The bus: at-least-once, unordered."""

    def publish(self, *messages: Message) -> None:
        """Durable on every subscription once this returns. Raises TryLater when the bus is away."""
        ...
