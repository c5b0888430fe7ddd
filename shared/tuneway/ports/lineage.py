"""Where models came from, and who is about to use them: the registry's view of jobs and sweeps."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tuneway.ports.tuning import Checkpoint, Loss


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A job as lineage tells it: what it was asked, what was found, what it cost. Times are Unix seconds.

    ``dataset``, ``estimate`` and the like are the job's own documents of them.
    """

    job: str
    owner: str
    status: str
    alias: str
    base_model: str
    backend: str
    location: str
    method: str
    created_at: float
    training_file: str
    hyperparameters: dict[str, object]
    finished_at: float | None = None
    tuning_mode: str | None = None
    teacher: str | None = None
    continues: str | None = None
    sweep: str | None = None
    training_uri: str | None = None
    validation_file: str | None = None
    dataset: dict[str, object] | None = None
    validation_dataset: dict[str, object] | None = None
    estimate: dict[str, object] | None = None
    actual_cost: dict[str, object] | None = None
    trained_tokens: int | None = None
    final_loss: Loss | None = None
    checkpoint_losses: tuple[Loss, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    provider_job: str | None = None


class Origins(Protocol):
    """The jobs and sweeps behind models."""

    def of(self, job: str) -> Origin | None:
        """The job, or None when it is unknown (any more)."""
        ...

    def going_on_from(self, job: str) -> Sequence[str]:
        """The jobs that go on from the model of ``job`` and have not ended."""
        ...

    def sweeps_with(self, job: str, *names: str) -> Sequence[str]:
        """The sweeps that are not over and have ``job`` among their jobs, or are to tune a model of these names."""
        ...
