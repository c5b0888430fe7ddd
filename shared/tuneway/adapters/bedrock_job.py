"""A model customization job on Amazon Bedrock, to and from its wire form.

Source: botocore's model of ``bedrock`` (API version 2023-04-20).
"""

import re
from datetime import datetime
from typing import Final, NotRequired, TypedDict

import msgspec

from tuneway.adapters.bedrock_hyperparameters import hyperparameters
from tuneway.adapters.s3_objects import place
from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import Loss, Method, ProviderJob, ProviderState, TunedModel, TuningRequest

TOKEN_TAG = "tuneway-job"  # noqa: S105 - the name of a tag, not a secret
# A listing tells a job's name and neither its token nor its tags, so the name is the prefix and the token.
PREFIX: Final = "tuneway-"
LONGEST_NAME = 63
TOKEN = re.compile(rf"[a-zA-Z0-9](?:-?[a-zA-Z0-9]){{0,{LONGEST_NAME}}}")
NO_MODEL_NAME = re.compile(r"[^0-9a-zA-Z]+")
STATES = {
    "InProgress": ProviderState.RUNNING,
    "Stopping": ProviderState.RUNNING,
    "Completed": ProviderState.SUCCEEDED,
    "Failed": ProviderState.FAILED,
    "Stopped": ProviderState.CANCELLED,
}
BEGUN = {"InProgress", "Completed", "Stopping"}
# Fields of a request that are no name of a hyperparameter on Bedrock, and what to do about them.
CANNOT = {
    "container": "Leave out the container",
    "teacher": "Leave out the teacher",
}


class Uri(TypedDict):
    """A place in S3."""

    s3Uri: str


class Validation(TypedDict):
    """The files that a job is validated with."""

    validators: list[Uri]


class Tag(TypedDict):
    """A tag of the job or of the model it makes."""

    key: str
    value: str


class JobOut(TypedDict):
    """The body of CreateModelCustomizationJob."""

    jobName: str
    customModelName: str
    roleArn: str
    clientRequestToken: str
    baseModelIdentifier: str
    customizationType: str
    trainingDataConfig: Uri
    validationDataConfig: NotRequired[Validation]
    outputDataConfig: Uri
    hyperParameters: NotRequired[dict[str, str]]
    jobTags: list[Tag]
    customModelTags: list[Tag]


class _Step(msgspec.Struct, frozen=True):
    status: str = "NotStarted"


class _Steps(msgspec.Struct, frozen=True, rename="camel"):
    validation_details: _Step = _Step()
    data_processing_details: _Step = _Step()
    training_details: _Step = _Step()


class _Training(msgspec.Struct, frozen=True, rename="camel"):
    training_loss: float | None = None


class _Validated(msgspec.Struct, frozen=True, rename="camel"):
    validation_loss: float | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of a job, whole (GetModelCustomizationJob) or in a listing."""

    job_arn: str
    job_name: str = ""
    status: str = "InProgress"
    status_details: _Steps | None = None
    client_request_token: str | None = None
    output_model_arn: str | None = None
    custom_model_arn: str | None = None
    failure_message: str | None = None
    training_metrics: _Training | None = None
    validation_metrics: tuple[_Validated, ...] | None = None
    last_modified_time: datetime | None = None
    creation_time: datetime | None = None
    end_time: datetime | None = None


def to_body(request: TuningRequest, *, role: str | None) -> JobOut:
    """The job that does this request's work. Raises BadInput, and NotAllowed when there is no role for Bedrock."""
    if role is None:
        raise NotAllowed(
            "Bedrock needs a role that may read and write the bucket: set TUNEWAY_BEDROCK_ROLE to its ARN."
        )
    tags: list[Tag] = [{"key": TOKEN_TAG, "value": request.token}]
    out: JobOut = {
        "jobName": job_name(request.token),
        "customModelName": model_name(request),
        "roleArn": role,
        "clientRequestToken": request.token,
        "baseModelIdentifier": _base(request),
        "customizationType": _customization(request),
        "trainingDataConfig": _in_s3(request.training_uri, param="training_file"),
        "outputDataConfig": _output(request),
        "jobTags": tags,
        "customModelTags": tags,
    }
    if request.validation_uri is not None:
        out["validationDataConfig"] = {"validators": [_in_s3(request.validation_uri, param="validation_file")]}
    if chosen := hyperparameters(request):
        out["hyperParameters"] = chosen
    return out


def job_name(token: str) -> str:
    """The name of the job with this token. Raises BadInput for a token that no name can hold."""
    name = f"{PREFIX}{token}"
    if TOKEN.fullmatch(token) is None or len(name) > LONGEST_NAME:
        most = LONGEST_NAME - len(PREFIX)
        raise BadInput(f"The token {token[:80]!r} fits no job of Bedrock. Use up to {most} letters, digits and '-'.")
    return name


def token_in(name: str) -> str | None:
    """The token of a job that bears this name, or None when it was not started through this port."""
    token = name.removeprefix(PREFIX)
    return token if name.startswith(PREFIX) and TOKEN.fullmatch(token) else None


def model_name(request: TuningRequest) -> str:
    """A name that no other job's model has: what people read of the display name, then the token."""
    token = NO_MODEL_NAME.sub("-", request.token).strip("-")
    shown = NO_MODEL_NAME.sub("-", request.display_name)[: max(0, LONGEST_NAME - len(token) - 1)].strip("-")
    return f"{shown}-{token}" if shown else token


def from_job(job: Job) -> ProviderJob:
    """The job in tuneway's words."""
    state = _state(job)
    ended = state in {ProviderState.SUCCEEDED, ProviderState.FAILED, ProviderState.CANCELLED}
    model = job.output_model_arn or job.custom_model_arn
    return ProviderJob(
        name=job.job_arn,
        state=state,
        token=token_in(job.job_name),
        phase=None if ended else _phase(job),
        losses=_losses(job),
        # A job that failed may name the model it was to make.
        tuned=TunedModel(model=model) if model and state is ProviderState.SUCCEEDED else None,
        error=job.failure_message or None,
        cause=_cause(job) if state is ProviderState.FAILED else None,
        changed_at=job.last_modified_time or job.creation_time,
        finished_at=job.end_time if ended else None,
    )


def _state(job: Job) -> ProviderState:
    # A state that AWS adds later is neither good nor bad news: the job goes on.
    state = STATES.get(job.status, ProviderState.RUNNING)
    waits = job.status == "InProgress" and job.status_details is not None and not _begun(job.status_details)
    return ProviderState.QUEUED if waits else state


def _begun(steps: _Steps) -> bool:
    return bool(
        BEGUN & {steps.validation_details.status, steps.data_processing_details.status, steps.training_details.status}
    )


def _phase(job: Job) -> str | None:
    """What is done now; a job tells no step that it has not come to."""
    if job.status == "Stopping":
        return "stopping"
    match (job.status_details or _Steps()).training_details.status:
        case "InProgress":
            return "tuning"
        case "Completed":
            return "post_processing"
        case _:
            return "processing_dataset" if job.status_details and _begun(job.status_details) else None


def _cause(job: Job) -> str:
    """The step that failed, where it is told: Bedrock gives its failures words, but no codes."""
    steps = job.status_details or _Steps()
    told = {
        "validation_failed": steps.validation_details,
        "data_processing_failed": steps.data_processing_details,
        "training_failed": steps.training_details,
    }
    return next((cause for cause, step in told.items() if step.status == "Failed"), "failed")


def _losses(job: Job) -> tuple[Loss, ...]:
    """Bedrock tells one figure for the whole job, and no step: those lie in files under the job's output."""
    training = job.training_metrics.training_loss if job.training_metrics else None
    validation = job.validation_metrics[0].validation_loss if job.validation_metrics else None
    if training is None and validation is None:
        return ()
    return (Loss(step=0, training=training, validation=validation),)


def _base(request: TuningRequest) -> str:
    if request.pre_tuned is None:
        return request.base_model
    if request.pre_tuned.checkpoint is not None:
        raise BadInput("Bedrock keeps no checkpoints. Name the tuned model alone to go on from it.", param="model")
    return request.pre_tuned.model


def _customization(request: TuningRequest) -> str:
    if request.method is not Method.SUPERVISED:
        said = f"tuneway tunes on Bedrock by 'supervised' alone, not by '{request.method}'."
        raise BadInput(f"{said} Use that method, or another base model.", param="method", code="unsupported_method")
    if request.tuning_mode == "full":
        said = "Bedrock tunes adapters: leave out the tuning mode, or ask for 'adapter'."
        raise BadInput(said, param="tuning_mode", code="unsupported_parameter")
    for field, remedy in CANNOT.items():
        if getattr(request, field) is not None:
            raise BadInput(f"Bedrock takes no '{field}'. {remedy}.", param=field, code="unsupported_parameter")
    return "FINE_TUNING"


def _in_s3(uri: str, *, param: str) -> Uri:
    try:
        place(uri)
    except BadInput as fault:
        said = (
            f"Bedrock reads and writes in S3 alone. {fault.message} tuneway copies files there: set TUNEWAY_AWS_BUCKET."
        )
        raise BadInput(said, param=param, code=fault.code) from fault
    return {"s3Uri": uri}


def _output(request: TuningRequest) -> Uri:
    if request.output_uri is None:
        said = "Bedrock needs a folder in S3 for its output. Set TUNEWAY_AWS_BUCKET to a bucket in the job's region."
        raise BadInput(said, param="output_uri")
    return _in_s3(request.output_uri, param="output_uri")
