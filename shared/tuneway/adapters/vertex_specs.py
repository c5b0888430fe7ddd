"""The body that starts a tuning job on Vertex AI, for Gemini and for open models, in Google's spelling."""

from collections.abc import Callable, Iterable, Mapping
from typing import NotRequired, TypedDict, cast

from tuneway.adapters.vertex_jobs import TOKEN_LABEL
from tuneway.errors import BadInput
from tuneway.ports import Method, PreTuned, TuningRequest

ADAPTER_SIZES = {
    1: "ADAPTER_SIZE_ONE",
    2: "ADAPTER_SIZE_TWO",
    4: "ADAPTER_SIZE_FOUR",
    8: "ADAPTER_SIZE_EIGHT",
    16: "ADAPTER_SIZE_SIXTEEN",
    32: "ADAPTER_SIZE_THIRTY_TWO",
}
TUNING_MODES = {"full": "TUNING_MODE_FULL", "adapter": "TUNING_MODE_PEFT_ADAPTER"}


class HyperParameters(TypedDict, total=False):
    """SupervisedHyperParameters, PreferenceOptimizationHyperParameters (beta) and DistillationHyperParameters."""

    epochCount: int
    learningRateMultiplier: float
    learningRate: float
    adapterSize: str
    batchSize: int
    beta: float


class Supervised(TypedDict):
    """SupervisedTuningSpec; PreferenceOptimizationSpec has the same fields but tuningMode."""

    trainingDatasetUri: str
    validationDatasetUri: NotRequired[str]
    hyperParameters: NotRequired[HyperParameters]
    exportLastCheckpointOnly: NotRequired[bool]
    tuningMode: NotRequired[str]


class Distillation(TypedDict):
    """DistillationSpec: one of the teachers is set."""

    promptDatasetUri: str
    validationDatasetUri: NotRequired[str]
    baseTeacherModel: NotRequired[str]
    tunedTeacherModelSource: NotRequired[str]
    hyperParameters: NotRequired[HyperParameters]
    tuningMode: NotRequired[str]


class PreTunedModel(TypedDict):
    """PreTunedModel."""

    tunedModelName: str
    checkpointId: NotRequired[str]


class TuningJob(TypedDict):
    """TuningJob: either baseModel or preTunedModel, and one of the specs."""

    tunedModelDisplayName: str
    labels: dict[str, str]
    baseModel: NotRequired[str]
    preTunedModel: NotRequired[PreTunedModel]
    supervisedTuningSpec: NotRequired[Supervised]
    preferenceOptimizationSpec: NotRequired[Supervised]
    distillationSpec: NotRequired[Distillation]
    outputUri: NotRequired[str]


def tuning_job(request: TuningRequest, *, output_uri: str | None = None) -> dict[str, object]:
    """The TuningJob that starts this request's work. Raises BadInput for an adapter size without a name."""
    source = request.pre_tuned
    body = {
        "baseModel": request.base_model if source is None else None,
        "preTunedModel": _pre_tuned(source) if source else None,
        **_SPECS[request.method](request),
        "tunedModelDisplayName": request.display_name,
        "labels": {TOKEN_LABEL: request.token},
        "outputUri": output_uri,
    }
    return dict(cast("TuningJob", given(body)))


def refuse(request: TuningRequest, fields: Iterable[str], *, where: str) -> None:
    """Raises BadInput for the first of the fields that is set."""
    for field in fields:
        if getattr(request, field) is not None:
            raise BadInput(f"{where} takes no {field}. Leave it out.", param=field)


def check_teacher(request: TuningRequest) -> None:
    """A distillation has a teacher, and nothing else has one. Raises BadInput."""
    if request.method is not Method.DISTILLATION:
        refuse(request, ("teacher",), where=f"The method {request.method}")
    elif request.teacher is None:
        raise BadInput(
            "A distillation needs a teacher. Name a base model, or the tuned model to learn from.", param="teacher"
        )


def given(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _pre_tuned(source: PreTuned) -> dict[str, object]:
    return given({"tunedModelName": source.model, "checkpointId": source.checkpoint})


def _supervised(request: TuningRequest) -> dict[str, object]:
    return {"supervisedTuningSpec": given({**_data(request), "tuningMode": _mode(request)})}


def _preference(request: TuningRequest) -> dict[str, object]:
    return {"preferenceOptimizationSpec": _data(request)}


def _distillation(request: TuningRequest) -> dict[str, object]:
    teacher = request.teacher or ""
    role = "tunedTeacherModelSource" if teacher.startswith("projects/") else "baseTeacherModel"
    spec = {
        "promptDatasetUri": request.training_uri,
        "validationDatasetUri": request.validation_uri,
        role: teacher,
        "hyperParameters": _hyper_parameters(request),
        "tuningMode": _mode(request),
    }
    return {"distillationSpec": given(spec)}


def _data(request: TuningRequest) -> dict[str, object]:
    spec = {
        "trainingDatasetUri": request.training_uri,
        "validationDatasetUri": request.validation_uri,
        "hyperParameters": _hyper_parameters(request),
        "exportLastCheckpointOnly": False,
    }
    return given(spec)


def _hyper_parameters(request: TuningRequest) -> dict[str, object] | None:
    chosen = {
        "epochCount": request.epochs,
        "learningRateMultiplier": request.learning_rate_multiplier,
        "learningRate": request.learning_rate,
        "adapterSize": _adapter_size(request.adapter_size),
        "batchSize": request.batch_size,
        "beta": request.beta,
    }
    return given(chosen) or None


def _adapter_size(size: int | None) -> str | None:
    """The enum's name. Raises BadInput for a size that Vertex AI has no name for."""
    if size is not None and size not in ADAPTER_SIZES:
        sizes = ", ".join(map(str, ADAPTER_SIZES))
        raise BadInput(f"There is no adapter size {size} on Vertex AI. Use one of {sizes}.", param="adapter_size")
    return None if size is None else ADAPTER_SIZES[size]


def _mode(request: TuningRequest) -> str | None:
    return TUNING_MODES[request.tuning_mode] if request.tuning_mode else None


_SPECS: dict[Method, Callable[[TuningRequest], dict[str, object]]] = {
    Method.SUPERVISED: _supervised,
    Method.PREFERENCE: _preference,
    Method.DISTILLATION: _distillation,
}
