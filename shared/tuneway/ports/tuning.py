"""Where models are trained, and what comes of it."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class ProviderState(StrEnum):
    """Where a provider's job stands, in tuneway's words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One saved point of a tuning job, callable at its own endpoint."""

    id: str
    epoch: int
    step: int
    endpoint: str


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a tuning job made: resource names as the provider gives them."""

    model: str
    endpoint: str
    checkpoints: tuple[Checkpoint, ...] = ()


class TuningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One tuning job for a provider: ``token`` makes it findable again, URIs are gs://."""

    token: str
    location: str
    base_model: str
    training_uri: str
    validation_uri: str | None = None
    display_name: str
    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: int | None = None


class ProviderJob(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's job as last seen."""

    name: str
    state: ProviderState
    progress: str | None = None
    steps_done: int | None = None
    epochs_done: int | None = None
    steps_total: int | None = None
    billable_tokens: int | None = None
    tuned: TunedModel | None = None
    error: str | None = None
    finished_at: datetime | None = None


class TuningBackend(Protocol):
    """Where models are trained. Raises BadInput or NotAllowed (permanent) and TryLater (passing or unknown outcome)."""

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """The job started earlier with this token, wherever its answer was lost."""
        ...

    def create(self, request: TuningRequest) -> ProviderJob:
        """Start the job. After TryLater the job may exist: ``find`` it before calling again."""
        ...

    def get(self, name: str) -> ProviderJob:
        """The job now. Raises NotFound."""
        ...

    def cancel(self, name: str) -> None:
        """Ask for the end; the state follows later. Asking again, or after the end, changes nothing."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job, as the registry needs it."""

    job: str
    owner: str
    alias: str
    base_model: str
    tuned: TunedModel
    dataset_sha256: str
    finished_at: float


class Outcomes(Protocol):
    """The registry's view of finished jobs, so that neither room knows the other."""

    def of(self, job: str) -> Outcome | None:
        """What the job made, or None when there is nothing to register (any more)."""
        ...

    def settle(self, job: str, *, alias: str, since: int) -> None:
        """Tell the job that its model answers under ``alias``. Repeating the call changes nothing."""
        ...
