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


class StorageTrigger(msgspec.Struct, frozen=True, tag="storage", forbid_unknown_fields=True):
    """Called with every object of the watched bucket; which of them are meant, ``TUNEWAY_WATCH_PREFIX`` says."""

    event: Literal["google.cloud.storage.object.v1.finalized"]


Use = Literal["routes", "state", "files", "datasets", "vertex", "models", "media", "secrets"]


class Function(msgspec.Struct, frozen=True, kw_only=True, rename={"is_async": "async"}, forbid_unknown_fields=True):
    """One function; ``timeout`` in seconds, ``concurrency`` in requests an instance.

    ``uses``, ``publishes`` and ``settings`` are what its code comes to: its roles, its topics and its environment.
    """

    trigger: HttpTrigger | ScheduleTrigger | PubsubTrigger | StorageTrigger
    memory: str
    cpu: int
    timeout: int
    concurrency: int
    callers: Literal["public", "platform"]
    uses: tuple[Use, ...] = ()
    publishes: tuple[Topic, ...] = ()
    settings: tuple[str, ...] = ()
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
