"""Training in a container of one's own on Vertex AI: a CustomJob, whose output folder holds the weights."""

import re
from datetime import datetime
from typing import TypedDict

import msgspec

from tuneway.adapters.vertex_job import Fault, state_of, told
from tuneway.adapters.vertex_jobs import NOT_ENDED, TOKEN_LABEL, JobKind, VertexJobs
from tuneway.adapters.vertex_machines import MachineSpec, machine_spec
from tuneway.adapters.vertex_rest import VertexRest
from tuneway.adapters.vertex_specs import refuse
from tuneway.errors import BadInput
from tuneway.ports import Method, ProviderJob, ProviderState, TrainingContainer, TunedModel, TuningRequest

PLACE = re.compile(r"\{([a-z_]+)\}")
PLACES = frozenset(TuningRequest.__struct_fields__) - {"container", "pre_tuned"}
# What the caller chose: each must have a place among the arguments, or it would be dropped in silence.
CHOICES = (
    "validation_uri",
    "epochs",
    "learning_rate_multiplier",
    "learning_rate",
    "adapter_size",
    "batch_size",
    "warmup_steps",
    "weight_decay",
    "beta",
    "tuning_mode",
    "teacher",
)


class ContainerSpec(TypedDict):
    """ContainerSpec."""

    imageUri: str
    args: list[str]


class WorkerPoolSpec(TypedDict):
    """WorkerPoolSpec."""

    machineSpec: MachineSpec
    replicaCount: int
    containerSpec: ContainerSpec


class GcsDestination(TypedDict):
    """GcsDestination."""

    outputUriPrefix: str


class CustomJobSpec(TypedDict):
    """CustomJobSpec."""

    workerPoolSpecs: list[WorkerPoolSpec]
    baseOutputDirectory: GcsDestination


class CustomJob(TypedDict):
    """CustomJob."""

    displayName: str
    labels: dict[str, str]
    jobSpec: CustomJobSpec


class _Folder(msgspec.Struct, frozen=True, rename="camel"):
    output_uri_prefix: str = ""


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    base_output_directory: _Folder = _Folder()


class _Job(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a CustomJob that are read here, in the API's spelling."""

    name: str
    state: str = "JOB_STATE_UNSPECIFIED"
    job_spec: _Spec = _Spec()
    error: Fault | None = None
    update_time: datetime | None = None
    end_time: datetime | None = None
    labels: dict[str, str] = {}


class VertexCustom(VertexJobs):
    """``ports.TuningBackend`` for one project; the arguments are those of ``VertexTuning``."""

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        rest = VertexRest("customJobs", "v1", project=project, timeout=timeout, vertex_url=vertex_url)
        super().__init__(rest, CUSTOM)


def to_body(request: TuningRequest) -> dict[str, object]:
    """The CustomJob to create. Raises BadInput."""
    refuse(request, ("pre_tuned",), where="A training container")
    if request.container is None:
        raise BadInput(f"{request.base_model} is trained by a container. Name one in the catalogue.", param="model")
    if request.output_uri is None:
        raise BadInput("A container's weights need a folder. Set output_uri to gs://bucket/path.", param="output_uri")
    body: CustomJob = {
        "displayName": request.display_name,
        "labels": {TOKEN_LABEL: request.token},
        "jobSpec": {
            "workerPoolSpecs": [_worker(request, request.container)],
            "baseOutputDirectory": {"outputUriPrefix": request.output_uri},
        },
    }
    return dict(body)


def arguments(request: TuningRequest, container: TrainingContainer) -> list[str]:
    """The arguments with their places filled; one whose value is None is left out. Raises BadInput."""
    named = {name for argument in container.arguments for name in PLACE.findall(argument)}
    unknown = sorted(named - PLACES)
    if unknown:
        raise BadInput(f"The container's arguments name {{{unknown[0]}}}, which no request has. Correct the catalogue.")
    refuse(request, (name for name in CHOICES if name not in named), where="This base model's training container")
    if request.method is not Method.SUPERVISED and "method" not in named:
        raise BadInput(f"This base model's training container knows no method {request.method}.", param="method")
    values = {name: getattr(request, name) for name in named}
    return [
        PLACE.sub(lambda place: str(values[place[1]]), argument)
        for argument in container.arguments
        if all(values[name] is not None for name in PLACE.findall(argument))
    ]


def from_json(body: bytes | str) -> ProviderJob:
    """The job in a CustomJob's JSON. Raises msgspec.MsgspecError."""
    job = msgspec.json.decode(body, type=_Job, strict=False)
    state = state_of(job.state)
    message, cause = told(job.error, job.state)
    weights = job.job_spec.base_output_directory.output_uri_prefix.rstrip("/") + "/"
    return ProviderJob(
        name=job.name,
        state=state,
        token=job.labels.get(TOKEN_LABEL),
        phase="tuning" if job.state == "JOB_STATE_RUNNING" else None,
        tuned=TunedModel(model=job.name, weights=weights) if state is ProviderState.SUCCEEDED else None,
        error=message,
        cause=cause,
        changed_at=job.update_time,
        finished_at=job.end_time,
    )


def _worker(request: TuningRequest, container: TrainingContainer) -> WorkerPoolSpec:
    filled: ContainerSpec = {"imageUri": container.image, "args": arguments(request, container)}
    return {"machineSpec": machine_spec(container), "replicaCount": 1, "containerSpec": filled}


# The service documents which filters it takes: ListCustomJobsRequest.filter.
CUSTOM = JobKind(
    to_body=to_body,
    from_json=from_json,
    takes=lambda _: True,
    find_filter=f'labels.{TOKEN_LABEL}="{{token}}"',
    unfinished_filter=f"labels.{TOKEN_LABEL}:* AND {NOT_ENDED}",
)
