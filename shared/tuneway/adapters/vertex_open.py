"""Managed tuning of open models on Vertex AI: it leaves weights in Cloud Storage, which are deployed afterwards."""

import logging
import re
from collections.abc import Iterable, Iterator

import msgspec
from typing_extensions import override

from tuneway.adapters.portable import bucket_and_path
from tuneway.adapters.vertex_job import FINAL, from_json
from tuneway.adapters.vertex_jobs import JobKind, VertexJobs
from tuneway.adapters.vertex_rest import VertexRest, mapped
from tuneway.adapters.vertex_specs import check_teacher, refuse, tuning_job
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Checkpoint, Method, ProviderJob, TuningRequest

# preTunedModel is documented for Gemini alone.
UNFIT = ("warmup_steps", "weight_decay", "beta", "pre_tuned", "container")
SAVED = re.compile(r"checkpoint-(\d+)/")

log = logging.getLogger(__name__)


class _Chosen(msgspec.Struct, frozen=True, rename="camel"):
    epoch_count: int = 0


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    hyper_parameters: _Chosen = _Chosen()


class _Specs(msgspec.Struct, frozen=True, rename="camel"):
    """Where a job says how many epochs it takes."""

    supervised_tuning_spec: _Spec = _Spec()
    distillation_spec: _Spec = _Spec()


class _Folders(msgspec.Struct, frozen=True):
    prefixes: list[str] = []


class VertexOpen(VertexJobs):
    """``ports.TuningBackend`` for one project; the arguments are those of ``VertexTuning``."""

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        # outputUri, tuningMode, learningRate and batchSize are fields of v1beta1 alone.
        rest = VertexRest("tuningJobs", "v1beta1", project=project, timeout=timeout, vertex_url=vertex_url)
        super().__init__(rest, OPEN)

    @override
    def get(self, name: str) -> ProviderJob:
        """The job now; once it has succeeded, with the checkpoints that lie beside the final weights."""
        return with_checkpoints(self._rest.get(name), self._rest)

    @override
    def _whole(self, bodies: Iterable[msgspec.Raw]) -> Iterator[ProviderJob]:
        for body in bodies:
            try:
                yield with_checkpoints(bytes(body), self._rest)
            except (TryLater, BadInput) as fault:
                log.warning("What a job saved cannot be listed now: %s", fault.message)


def with_checkpoints(body: bytes, rest: VertexRest) -> ProviderJob:
    """The job in a TuningJob's JSON, with what lies beside its final weights, if it made any. Raises as ``rest``."""
    with mapped():
        job = from_json(body)
    if job.tuned is None or job.tuned.weights is None:
        return job
    saved = _saved(job.tuned.weights.removesuffix(FINAL), rest, epochs=_epochs(body))
    return msgspec.structs.replace(job, tuned=msgspec.structs.replace(job.tuned, checkpoints=saved))


def _saved(folder: str, rest: VertexRest, *, epochs: int) -> tuple[Checkpoint, ...]:
    bucket, prefix = bucket_and_path(folder)
    try:
        body = rest.objects(bucket, query={"prefix": prefix, "delimiter": "/", "fields": "prefixes"})
    except (BadInput, NotAllowed, NotFound) as fault:
        # The final weights are where they are, whether or not this account may list their bucket.
        log.warning("The checkpoints below %s cannot be listed: %s", folder, fault.message)
        return ()
    with mapped():
        found = msgspec.json.decode(body, type=_Folders).prefixes
    return checkpoints(folder, [each.removeprefix(prefix) for each in found], epochs=epochs)


def checkpoints(folder: str, names: list[str], *, epochs: int) -> tuple[Checkpoint, ...]:
    """The checkpoints among the folders ``checkpoint-<step>/``, in order.

    They are saved after each epoch, or ten times at equal distances when there are more epochs than that.
    """
    steps = sorted(int(matched[1]) for name in names if (matched := SAVED.fullmatch(name)))
    return tuple(
        Checkpoint(
            id=str(step),
            epoch=round(place * (epochs or len(steps)) / len(steps)),
            step=step,
            weights=f"{folder}checkpoint-{step}/",
        )
        for place, step in enumerate(steps, start=1)
    )


def to_body(request: TuningRequest) -> dict[str, object]:
    """The TuningJob to create. Raises BadInput."""
    refuse(request, UNFIT, where="Managed tuning of open models")
    _check_method(request)
    check_teacher(request)
    _check_rates(request)
    if request.output_uri is None:
        raise BadInput("An open model's weights need a folder. Set output_uri to gs://bucket/path.", param="output_uri")
    return tuning_job(request, output_uri=request.output_uri)


def _check_method(request: TuningRequest) -> None:
    if request.method is Method.PREFERENCE:
        raise BadInput("Open models are not tuned on preferences on Vertex AI. Use supervised tuning.", param="method")
    if request.tuning_mode == "full":
        refuse(request, ("adapter_size",), where="Full tuning trains no adapter and")


def _check_rates(request: TuningRequest) -> None:
    if request.learning_rate is not None and request.learning_rate_multiplier is not None:
        raise BadInput("Set learning_rate or learning_rate_multiplier, not both.", param="learning_rate")


def _epochs(body: bytes) -> int:
    with mapped():
        specs = msgspec.json.decode(body, type=_Specs, strict=False)
    return (
        specs.supervised_tuning_spec.hyper_parameters.epoch_count
        or specs.distillation_spec.hyper_parameters.epoch_count
    )


OPEN = JobKind(to_body=to_body, from_json=from_json, takes=lambda job: bool(job.output_uri))
