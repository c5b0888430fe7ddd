"""A provider's own job as OpenAI shows jobs: by the same view that a deployed tuneway has, from what Google keeps."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

import msgspec

from tuneway.adapters.vertex_specs import ADAPTER_SIZES, TUNING_MODES
from tuneway.api.answers import FineTuningJob
from tuneway.api.vertex_desk import Kept
from tuneway.edge.fine_tuning.job_views import rendered
from tuneway.errors import BadInput
from tuneway.ports import Method, PreTuned, ProviderJob, ProviderState, TrainingContainer, TunedModel
from tuneway.tuning.bases import BaseModel, TuningMode
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.failures import explained
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job, JobError, JobId, Status
from tuneway.tuning.progress import progressed
from tuneway.tuning.spending import reconciled, trained_tokens

STATUSES = {
    ProviderState.QUEUED: Status.QUEUED,
    ProviderState.RUNNING: Status.RUNNING,
    ProviderState.SUCCEEDED: Status.SUCCEEDED,
    ProviderState.FAILED: Status.FAILED,
    ProviderState.CANCELLED: Status.CANCELLED,
}
SIZES = {name: size for size, name in ADAPTER_SIZES.items()}
MODES: dict[str, TuningMode] = {TUNING_MODES["full"]: "full", TUNING_MODES["adapter"]: "adapter"}
OURS = re.compile(r"ft:(?P<base>[^:]+):.*")  # the display name that tuneway gives
FIELD = re.compile(r"\\\{([a-z_]+)\\\}")  # a place in an argument, once that is escaped


class _Chosen(msgspec.Struct, frozen=True, rename="camel"):
    epoch_count: int | None = None
    learning_rate_multiplier: float | None = None
    learning_rate: float | None = None
    adapter_size: str = ""
    batch_size: int | None = None
    beta: float | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    """Any of the specs; a distillation's dataset is that of its prompts."""

    training_dataset_uri: str = ""
    prompt_dataset_uri: str = ""
    validation_dataset_uri: str = ""
    hyper_parameters: _Chosen = _Chosen()
    base_teacher_model: str = ""
    tuned_teacher_model_source: str = ""
    tuning_mode: str = ""


class _Source(msgspec.Struct, frozen=True, rename="camel"):
    tuned_model_name: str = ""
    checkpoint_id: str = ""
    base_model: str = ""


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    args: list[str] = []


class _Pool(msgspec.Struct, frozen=True, rename="camel"):
    container_spec: _Container = _Container()


class _Training(msgspec.Struct, frozen=True, rename="camel"):
    worker_pool_specs: list[_Pool] = []


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """What was asked of Vertex AI, and when: the fields of either kind of job that are read here."""

    name: str
    base_model: str = ""
    display_name: str = ""
    tuned_model_display_name: str = ""
    create_time: datetime | None = None
    start_time: datetime | None = None
    supervised_tuning_spec: _Spec | None = None
    preference_optimization_spec: _Spec | None = None
    distillation_spec: _Spec | None = None
    pre_tuned_model: _Source | None = None
    job_spec: _Training = _Training()


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a job trains on, and how."""

    training_file: str = ""
    validation_file: str | None = None
    method: Method = Method.SUPERVISED
    tuning_mode: TuningMode | None = None
    teacher: str | None = None
    hyperparameters: Hyperparameters = Hyperparameters()


def read(body: bytes) -> Asked:
    """What a job's JSON says was asked. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(body, type=Asked, strict=False)  # Google writes 64-bit integers as strings


def shown(kept: Kept, catalogue: Catalogue, *, now: float, ordered: Job | None = None) -> FineTuningJob:
    """The job in OpenAI's shape; ``ordered`` is what this computer knows of one that it has just ordered."""
    return FineTuningJob(rendered(job_of(kept, catalogue, now=now, ordered=ordered)))


def job_of(kept: Kept, catalogue: Catalogue, *, now: float, ordered: Job | None = None) -> Job:
    """The job in tuneway's words; its id is the provider's name of it."""
    asked, provider = read(kept.body), kept.provider
    base = _base(asked, catalogue, today=datetime.fromtimestamp(now, UTC).date())
    chosen = _choice(asked, base)
    created = _seconds(asked.create_time) or now
    job = Job(
        id=JobId(asked.name),
        owner=asked.name.split("/")[1],
        base_model=base.name if base else asked.base_model or (asked.pre_tuned_model or _Source()).base_model,
        location=asked.name.split("/")[3],
        alias=asked.tuned_model_display_name or asked.display_name,
        training_file=chosen.training_file,
        validation_file=chosen.validation_file,
        hyperparameters=chosen.hyperparameters,
        created_at=created,
        moved_at=_seconds(provider.changed_at) or created,
        deadline=0.0,
        backend=kept.backend,
        method=chosen.method,
        tuning_mode=chosen.tuning_mode,
        teacher=chosen.teacher,
        pre_tuned=_pre_tuned(asked.pre_tuned_model),
        provider_job=asked.name,
    )
    return _followed(_remembered(job, ordered), provider, asked, now=now)


def _followed(job: Job, provider: ProviderJob, asked: Asked, *, now: float) -> Job:
    return msgspec.structs.replace(
        job,
        status=STATUSES[provider.state],
        started_at=_seconds(asked.start_time),
        progress=progressed(None, provider, now=now),
        trained_tokens=trained_tokens(job, provider),
        actual_cost=reconciled(job, provider),
        tuned=provider.tuned,
        fine_tuned_model=_name(provider.tuned) if provider.state is ProviderState.SUCCEEDED else None,
        error=_error(job, provider),
        finished_at=_seconds(provider.finished_at),
    )


def _remembered(job: Job, ordered: Job | None) -> Job:
    """With what the lint and the estimate said, which no provider keeps."""
    if ordered is None:
        return job
    return msgspec.structs.replace(
        job,
        dataset=ordered.dataset,
        validation_dataset=ordered.validation_dataset,
        estimate=ordered.estimate,
        allowance=ordered.allowance,
    )


def _name(tuned: TunedModel | None) -> str | None:
    """What ``completion`` calls the model by; of one that nobody has deployed, where its weights are."""
    if tuned is None:
        return None
    return f"vertex_ai/{tuned.endpoint}" if tuned.endpoint else tuned.weights or tuned.model


def _error(job: Job, provider: ProviderJob) -> JobError | None:
    if provider.state is not ProviderState.FAILED:
        return None
    return explained(provider.error or "Fine-tuning failed.", backend=job.backend, cause=provider.cause)


def _choice(asked: Asked, base: BaseModel | None) -> _Choice:
    specs = {
        Method.SUPERVISED: asked.supervised_tuning_spec,
        Method.PREFERENCE: asked.preference_optimization_spec,
        Method.DISTILLATION: asked.distillation_spec,
    }
    found = next(((method, spec) for method, spec in specs.items() if spec is not None), None)
    if found is None:
        return _trained(asked, base.container if base else None)
    method, spec = found
    return _Choice(
        training_file=spec.training_dataset_uri or spec.prompt_dataset_uri,
        validation_file=spec.validation_dataset_uri or None,
        method=method,
        tuning_mode=MODES.get(spec.tuning_mode),
        teacher=spec.base_teacher_model or spec.tuned_teacher_model_source or None,
        hyperparameters=_hyperparameters(spec.hyper_parameters),
    )


def _hyperparameters(chosen: _Chosen) -> Hyperparameters:
    return Hyperparameters(
        epochs=chosen.epoch_count or None,
        learning_rate_multiplier=chosen.learning_rate_multiplier or None,
        learning_rate=chosen.learning_rate or None,
        adapter_size=SIZES.get(chosen.adapter_size),
        batch_size=chosen.batch_size or None,
        beta=chosen.beta,
    )


def _trained(asked: Asked, container: TrainingContainer | None) -> _Choice:
    """What the arguments of a container say, read by the places that the catalogue gives them."""
    arguments = [argument for pool in asked.job_spec.worker_pool_specs for argument in pool.container_spec.args]
    found = _values(arguments, container.arguments if container else ())
    names = Hyperparameters.__struct_fields__
    return _Choice(
        training_file=found.get("training_uri", ""),
        validation_file=found.get("validation_uri"),
        hyperparameters=msgspec.convert(
            {name: found[name] for name in names if name in found}, Hyperparameters, strict=False
        ),
    )


def _values(arguments: Iterable[str], templates: Iterable[str]) -> dict[str, str]:
    patterns = [re.compile(FIELD.sub(r"(?P<\1>.+)", re.escape(each))) for each in templates]
    matches = (pattern.fullmatch(argument) for argument in arguments for pattern in patterns)
    return {name: value for match in matches if match for name, value in match.groupdict().items()}


def _base(asked: Asked, catalogue: Catalogue, *, today: date) -> BaseModel | None:
    """The row of the base model; a custom job says its base by tuneway's name for it alone."""
    ours = OURS.fullmatch(asked.display_name)
    name = asked.base_model or (asked.pre_tuned_model or _Source()).base_model or (ours["base"] if ours else "")
    try:
        return catalogue.named(name, today=today) if name else None
    except BadInput:
        return next((base for base in catalogue.models if base.short == name), None)


def _pre_tuned(source: _Source | None) -> PreTuned | None:
    if source is None or not source.tuned_model_name:
        return None
    return PreTuned(model=source.tuned_model_name, checkpoint=source.checkpoint_id or None)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
