"""A tuning job on Vertex AI, to and from its wire form."""

from datetime import datetime
from typing import Protocol, cast

import msgspec
from google.cloud import aiplatform_v1beta1 as vertex

from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, ProviderJob, ProviderState, TunedModel, TuningRequest

TOKEN_LABEL = "tuneway-job"  # noqa: S105 - the name of a label, not a secret
STATES = {
    "JOB_STATE_UNSPECIFIED": ProviderState.QUEUED,
    "JOB_STATE_QUEUED": ProviderState.QUEUED,
    "JOB_STATE_PENDING": ProviderState.QUEUED,
    "JOB_STATE_RUNNING": ProviderState.RUNNING,
    "JOB_STATE_SUCCEEDED": ProviderState.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": ProviderState.SUCCEEDED,
    "JOB_STATE_FAILED": ProviderState.FAILED,
    "JOB_STATE_EXPIRED": ProviderState.FAILED,
    "JOB_STATE_CANCELLED": ProviderState.CANCELLED,
}
# The proto's numbers, which are not in order of size.
ADAPTER_SIZES = {1: 1, 2: 6, 4: 2, 8: 3, 16: 4, 32: 5}


class _Checkpoint(msgspec.Struct, frozen=True, rename="camel"):
    checkpoint_id: str = ""
    epoch: int = 0
    step: int = 0
    endpoint: str = ""


class _Tuned(msgspec.Struct, frozen=True, rename="camel"):
    model: str = ""
    endpoint: str = ""
    checkpoints: list[_Checkpoint] = []


class _Figures(msgspec.Struct, frozen=True, rename="camel"):
    total_billable_token_count: int | None = None
    tuning_step_count: int | None = None


class _Stats(msgspec.Struct, frozen=True, rename="camel"):
    supervised_tuning_data_stats: _Figures = _Figures()


class _Progress(msgspec.Struct, frozen=True, rename="camel"):
    completed_epoch_count: int | None = None
    completed_step_count: int | None = None


class _Fault(msgspec.Struct, frozen=True):
    message: str = ""


class _Job(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a TuningJob that are read here, in the API's spelling."""

    name: str
    state: str = "JOB_STATE_UNSPECIFIED"
    tuning_job_state: str | None = None
    tuning_job_metadata: _Progress = _Progress()
    tuning_data_stats: _Stats = _Stats()
    tuned_model: _Tuned | None = None
    error: _Fault | None = None
    update_time: datetime | None = None
    end_time: datetime | None = None
    labels: dict[str, str] = {}


class _Messages(Protocol):
    """The message class, whose own annotations are incomplete."""

    def to_json(
        self,
        instance: object,
        *,
        use_integers_for_enums: bool,
        preserving_proto_field_name: bool,
        always_print_fields_with_no_presence: bool,
    ) -> str:
        """The message as JSON."""
        ...


def to_message(request: TuningRequest) -> object:
    """The TuningJob that starts this request's work. Raises BadInput."""
    spec = vertex.SupervisedTuningSpec(
        training_dataset_uri=request.training_uri,
        validation_dataset_uri=request.validation_uri or "",
        hyper_parameters=vertex.SupervisedHyperParameters(
            epoch_count=request.epochs,
            learning_rate_multiplier=request.learning_rate_multiplier,
            adapter_size=_adapter_size(request.adapter_size),
        ),
    )
    return vertex.TuningJob(
        base_model=request.base_model,
        supervised_tuning_spec=spec,
        tuned_model_display_name=request.display_name,
        labels={TOKEN_LABEL: request.token},
    )


def _adapter_size(size: int | None) -> int | None:
    """The enum's number. Raises BadInput for a size that Vertex AI has no name for."""
    if size is not None and size not in ADAPTER_SIZES:
        sizes = ", ".join(map(str, ADAPTER_SIZES))
        raise BadInput(f"There is no adapter size {size} on Vertex AI. Use one of {sizes}.", param="adapter_size")
    return None if size is None else ADAPTER_SIZES[size]


def from_message(message: object) -> ProviderJob:
    """The job in a TuningJob of Google's client."""
    body = cast("_Messages", vertex.TuningJob).to_json(
        message,
        use_integers_for_enums=False,
        preserving_proto_field_name=False,
        always_print_fields_with_no_presence=False,
    )
    return from_json(body)


def from_json(body: bytes | str) -> ProviderJob:
    """The job in a TuningJob's JSON. Raises msgspec.MsgspecError."""
    # Google writes 64-bit integers as strings, hence the lax decoding.
    job = msgspec.json.decode(body, type=_Job, strict=False)
    figures = job.tuning_data_stats.supervised_tuning_data_stats
    phase = job.tuning_job_state
    return ProviderJob(
        name=job.name,
        # A state that Google adds later is neither good nor bad news: the job goes on.
        state=STATES.get(job.state, ProviderState.RUNNING),
        token=job.labels.get(TOKEN_LABEL),
        phase=phase.removeprefix("TUNING_JOB_STATE_").lower() if phase else None,
        steps_done=job.tuning_job_metadata.completed_step_count,
        epochs_done=job.tuning_job_metadata.completed_epoch_count,
        steps_total=figures.tuning_step_count,
        billable_tokens=figures.total_billable_token_count,
        tuned=_tuned(job.tuned_model) if job.tuned_model else None,
        error=job.error.message if job.error else None,
        changed_at=job.update_time,
        finished_at=job.end_time,
    )


def _tuned(tuned: _Tuned) -> TunedModel:
    checkpoints = tuple(
        Checkpoint(id=each.checkpoint_id, epoch=each.epoch, step=each.step, endpoint=each.endpoint or None)
        for each in tuned.checkpoints
    )
    return TunedModel(model=tuned.model, endpoint=tuned.endpoint or None, checkpoints=checkpoints)
