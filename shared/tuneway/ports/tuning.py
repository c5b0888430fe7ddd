"""Where models are trained, and what comes of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import msgspec


class ProviderState(StrEnum):
    """Where a provider's job stands, in tuneway's words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Method(StrEnum):
    """How a model is tuned, in OpenAI's words where it has them."""

    SUPERVISED = "supervised"
    PREFERENCE = "dpo"
    DISTILLATION = "distillation"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One saved point of a tuning job: callable at ``endpoint``, or lying as weights under ``weights``."""

    id: str
    epoch: int
    step: int
    endpoint: str | None = None
    weights: str | None = None


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a tuning job made: resource names as the provider gives them.

    ``endpoint`` is None until somebody deploys it; ``weights`` is the folder (gs://, s3://) of a model that has to be
    uploaded first, and ``model`` then the provider's name of the job that made it. ``location`` is where such a model
    belongs, as far as the provider tells it: a job of location ``global`` ran in a region.
    """

    model: str
    endpoint: str | None = None
    weights: str | None = None
    location: str | None = None
    checkpoints: tuple[Checkpoint, ...] = ()


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """The loss at one step, as far as the provider tells it."""

    step: int
    epoch: int | None = None
    training: float | None = None
    validation: float | None = None


class PreTuned(msgspec.Struct, frozen=True, kw_only=True):
    """The tuned model that a job goes on from, by the provider's name."""

    model: str
    checkpoint: str | None = None


class TrainingContainer(msgspec.Struct, frozen=True, kw_only=True):
    """The image that trains where no managed service does. In ``arguments``, ``{name}`` is a field of the request."""

    image: str
    arguments: tuple[str, ...]
    machine_type: str
    accelerator_type: str | None = None
    accelerator_count: int = 0


class TuningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One tuning job for a provider: ``token`` makes it findable again, URIs are those of the provider's own store.

    None leaves a hyperparameter to the provider. ``output_uri`` is the folder for what the provider keeps no place for.
    """

    token: str
    location: str
    base_model: str
    training_uri: str
    validation_uri: str | None = None
    display_name: str
    method: Method = Method.SUPERVISED
    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    learning_rate: float | None = None
    adapter_size: int | None = None
    batch_size: int | None = None
    warmup_steps: int | None = None
    weight_decay: float | None = None
    beta: float | None = None
    tuning_mode: Literal["adapter", "full"] | None = None
    output_uri: str | None = None
    pre_tuned: PreTuned | None = None
    teacher: str | None = None
    container: TrainingContainer | None = None


class ProviderJob(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's job as last seen.

    ``phase`` is one of ``waiting_for_quota``, ``processing_dataset``, ``waiting_for_capacity``, ``tuning`` and
    ``post_processing``, or the provider's own later word. ``token`` is the request's. ``changed_at`` is when the
    provider last touched the job. ``cause`` is the provider's own code for ``error``.
    """

    name: str
    state: ProviderState
    token: str | None = None
    phase: str | None = None
    steps_done: int | None = None
    epochs_done: int | None = None
    steps_total: int | None = None
    losses: tuple[Loss, ...] = ()
    billable_tokens: int | None = None
    tuned: TunedModel | None = None
    error: str | None = None
    cause: str | None = None
    changed_at: datetime | None = None
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

    def unfinished(self, location: str, *, waiting: bool = True) -> Iterable[ProviderJob]:
        """The jobs of the location that have not ended, and perhaps some that have, in no order; 100 for each call.

        Only those that were started through this port, by whichever installation. What a listing does not tell of a
        job (losses, figures) is left out. Without ``waiting`` those that have not begun are spared as far as may be.
        """
        ...

    def named(self, tokens: Sequence[str], *, location: str) -> Sequence[ProviderJob] | None:
        """These jobs as a listing tells them, ended ones too, many for each call; None when no listing can be asked so.

        One that is missing may be there all the same: ``get`` tells. As for the rest: as ``unfinished``.
        """
        ...

    def cancel(self, name: str) -> None:
        """Ask for the end; the state follows later. Asking again, or after the end, changes nothing."""
        ...


class TuningBackends(Protocol):
    """The backends by the names that the catalogue gives them."""

    def of(self, name: str) -> TuningBackend:
        """The backend called ``name``. Raises BadInput when this installation has none of that name."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job, as the registry needs it; ``continues`` is the job whose model this one went on from.

    ``promote_to`` is the alias that its model shall answer under as well, until the job was told of it.
    ``cancel_asked`` says that somebody wanted the job to end before it succeeded.
    """

    job: str
    owner: str
    alias: str
    base_model: str
    tuned: TunedModel
    dataset_sha256: str
    finished_at: float
    backend: str = "vertex_ai"
    method: Method = Method.SUPERVISED
    location: str | None = None
    continues: str | None = None
    promote_to: str | None = None
    cancel_asked: bool = False


class Outcomes(Protocol):
    """The registry's view of finished jobs, so that neither room knows the other."""

    def of(self, job: str) -> Outcome | None:
        """What the job made, or None when there is nothing to register (any more)."""
        ...

    def settle(self, job: str, *, alias: str, since: int | None = None) -> None:
        """Tell the job that its model answers under ``alias``. Repeating the call changes nothing.

        ``since`` is how many of the job's events the caller knows to be announced, if it was told.
        """
        ...

    def tell(self, job: str, *, message: str) -> None:
        """Add a line to the history of a job that is not settled yet. Repeating the call changes nothing."""
        ...

    def promoted(self, job: str, *, since: int | None = None, refusal: str | None = None) -> None:
        """Tell the job that its model answers under the alias it was promoted to, or why it does not. As ``settle``."""
        ...

    def close(self, job: str, *, message: str) -> None:
        """Tell a job why its model does not answer; ``settle`` may follow all the same. Repeating changes nothing."""
        ...
