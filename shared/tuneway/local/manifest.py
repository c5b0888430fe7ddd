"""``functions/manifest.yaml`` as values: every function once."""

from pathlib import Path
from typing import Literal

import msgspec
import yaml

from tuneway.ports import Topic

# The checkout that this package is part of.
ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"


class HttpTrigger(msgspec.Struct, frozen=True, tag="http", forbid_unknown_fields=True):
    """Called under these path prefixes."""

    paths: tuple[str, ...]


class ScheduleTrigger(msgspec.Struct, frozen=True, tag="schedule", forbid_unknown_fields=True):
    """Called at ``path`` by Cloud Scheduler."""

    path: str
    cron: str


class PubsubTrigger(msgspec.Struct, frozen=True, tag="pubsub", forbid_unknown_fields=True):
    """Called with every message of a topic."""

    topic: Topic


class Function(msgspec.Struct, frozen=True, kw_only=True, rename={"is_async": "async"}, forbid_unknown_fields=True):
    """One function; ``timeout`` in seconds, ``concurrency`` in requests an instance."""

    trigger: HttpTrigger | ScheduleTrigger | PubsubTrigger
    memory: str
    cpu: int
    timeout: int
    concurrency: int
    callers: Literal["public", "platform"]
    is_async: bool = False


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a message is delivered again: backoff in seconds, then dead letters."""

    min_backoff: float
    max_backoff: float
    max_attempts: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    functions: dict[str, Function]
    topics: tuple[Topic, ...]
    retry: Retry

    def subscriptions(self) -> dict[Topic, list[str]]:
        """Every topic with the functions that take its messages."""
        table: dict[Topic, list[str]] = {topic: [] for topic in self.topics}
        for name, function in self.functions.items():
            if isinstance(function.trigger, PubsubTrigger):
                table.setdefault(function.trigger.topic, []).append(name)
        return table


def load(folder: Path = FUNCTIONS) -> Manifest:
    """Read ``manifest.yaml`` in ``folder``. Raises msgspec.ValidationError naming what is wrong."""
    return msgspec.convert(yaml.safe_load((folder / "manifest.yaml").read_bytes()), Manifest)
