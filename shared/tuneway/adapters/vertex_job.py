"""A tuning job of Vertex AI in tuneway's words."""

from datetime import datetime

import msgspec

from tuneway.adapters.vertex_jobs import TOKEN_LABEL
from tuneway.ports import Checkpoint, ProviderJob, ProviderState, TunedModel

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
# The names of google.rpc.Code: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
CODES = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}
EXPIRED = "JOB_STATE_EXPIRED"
# Below the job's outputUri. Source: Google Cloud documentation on tuning open models, 2026-09-25.
SAVED = "/postprocess/node-0/checkpoints/"
FINAL = "final/"


class Fault(msgspec.Struct, frozen=True):
    """A google.rpc.Status."""

    code: int = 0
    message: str = ""


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


class _OfTraining(msgspec.Struct, frozen=True, rename="camel"):
    training_dataset_stats: _Figures = _Figures()


class _Stats(msgspec.Struct, frozen=True, rename="camel"):
    """One of these is there, by the method."""

    supervised_tuning_data_stats: _Figures | None = None
    preference_optimization_data_stats: _Figures | None = None
    distillation_data_stats: _OfTraining = _OfTraining()

    @property
    def figures(self) -> _Figures:
        """Those of whichever method it was."""
        found = self.supervised_tuning_data_stats or self.preference_optimization_data_stats
        return found or self.distillation_data_stats.training_dataset_stats


class _Progress(msgspec.Struct, frozen=True, rename="camel"):
    completed_epoch_count: int | None = None
    completed_step_count: int | None = None


class _Job(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a TuningJob that are read here, in the API's spelling."""

    name: str
    state: str = "JOB_STATE_UNSPECIFIED"
    tuning_job_state: str | None = None
    tuning_job_metadata: _Progress = _Progress()
    tuning_data_stats: _Stats = _Stats()
    tuned_model: _Tuned | None = None
    output_uri: str = ""
    error: Fault | None = None
    update_time: datetime | None = None
    end_time: datetime | None = None
    labels: dict[str, str] = {}


def from_json(body: bytes | str) -> ProviderJob:
    """The job in a TuningJob's JSON. Raises msgspec.MsgspecError."""
    # Google writes 64-bit integers as strings, hence the lax decoding.
    job = msgspec.json.decode(body, type=_Job, strict=False)
    figures = job.tuning_data_stats.figures
    phase = job.tuning_job_state
    message, cause = told(job.error, job.state)
    return ProviderJob(
        name=job.name,
        state=state_of(job.state),
        token=job.labels.get(TOKEN_LABEL),
        phase=phase.removeprefix("TUNING_JOB_STATE_").lower() if phase else None,
        steps_done=job.tuning_job_metadata.completed_step_count,
        epochs_done=job.tuning_job_metadata.completed_epoch_count,
        steps_total=figures.tuning_step_count,
        # The losses lie behind gcsMetricsUri, in a form that Google describes nowhere (read 2026-11).
        billable_tokens=figures.total_billable_token_count,
        tuned=_result(job),
        error=message,
        cause=cause,
        changed_at=job.update_time,
        finished_at=job.end_time,
    )


def state_of(state: str) -> ProviderState:
    """A JobState in tuneway's words."""
    # A state that Google adds later is neither good nor bad news: the job goes on.
    return STATES.get(state, ProviderState.RUNNING)


def told(error: Fault | None, state: str) -> tuple[str | None, str | None]:
    """What the provider says went wrong, and its code for it."""
    if error is None or not (error.code or error.message):
        return None, EXPIRED if state == EXPIRED else None
    return error.message or None, CODES.get(error.code, str(error.code))


def _result(job: _Job) -> TunedModel | None:
    """A Gemini job makes a model that answers, an open model's job makes weights."""
    if job.output_uri:
        return _weights(job) if state_of(job.state) is ProviderState.SUCCEEDED else None
    return _deployed(job.tuned_model) if job.tuned_model else None


def _weights(job: _Job) -> TunedModel:
    model = job.tuned_model.model if job.tuned_model else ""
    # A job of location global runs in a region, which the model's name alone tells.
    place = model.split("/")[3] if model.startswith("projects/") else None
    return TunedModel(model=job.name, weights=job.output_uri.rstrip("/") + SAVED + FINAL, location=place)


def _deployed(tuned: _Tuned) -> TunedModel:
    checkpoints = tuple(
        Checkpoint(id=each.checkpoint_id, epoch=each.epoch, step=each.step, endpoint=each.endpoint or None)
        for each in tuned.checkpoints
    )
    return TunedModel(model=tuned.model, endpoint=tuned.endpoint or None, checkpoints=checkpoints)
