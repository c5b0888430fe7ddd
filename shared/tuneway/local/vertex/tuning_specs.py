"""What a tuning job asks for, and whether its base model can do that."""

import msgspec

from tuneway.local.vertex.bases import Family, bases, is_open, teaches, tunable
from tuneway.local.vertex.narrow import mapping, text, whole
from tuneway.local.vertex.refusals import Refusal, invalid
from tuneway.local.vertex.rows import Parser, open_model, preference, prompts, supervised

SPECS = ("supervisedTuningSpec", "preferenceOptimizationSpec", "distillationSpec")
MOST_EPOCHS = 100
# The starting value in Google's tuning samples, and what tuneway's catalogue assumes for these models.
AUTO_EPOCHS = 3
# Likewise in Google's Model Garden samples, of containers.
CONTAINER_EPOCHS = 1
FULL, ADAPTER = "TUNING_MODE_FULL", "TUNING_MODE_PEFT_ADAPTER"


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is to be trained."""

    kind: str
    training_uri: str
    epochs: int | None
    checkpoints: bool
    teacher: str = ""
    tuned_teacher: str = ""


def spec_of(body: dict[str, object]) -> Spec:
    """The job's one tuning spec. Raises Refusal when there is none, or one that is not simulated."""
    found = [key for key in body if key.endswith("Spec") and key != "encryptionSpec"]
    if len(found) != 1 or found[0] not in SPECS:
        raise invalid("tuning_job.tuning_spec", f"Set exactly one tuning spec; simulated are: {', '.join(SPECS)}.")
    spec = mapping(body[found[0]])
    uri = text(spec.get("promptDatasetUri")) or text(spec.get("trainingDatasetUri"))
    if not uri.startswith("gs://"):
        raise invalid(f"tuning_job.{found[0]}.training_dataset_uri", "A gs:// URI of a JSONL file is required.")
    return Spec(
        kind=found[0],
        training_uri=uri,
        epochs=_epochs(mapping(spec.get("hyperParameters")), found[0]),
        checkpoints=spec.get("exportLastCheckpointOnly") is not True,
        teacher=text(spec.get("baseTeacherModel")),
        tuned_teacher=text(spec.get("tunedTeacherModelSource")),
    )


def check_family(body: dict[str, object], base_model: str, parent: str) -> Family:
    """The base model's family. Raises Refusal where the body breaks its rules."""
    family = tunable(base_model, parent)
    spec = spec_of(body)
    given = mapping(body[spec.kind])
    chosen = mapping(given.get("hyperParameters"))
    where = f"tuning_job.{spec.kind}.hyper_parameters"
    adapter = text(chosen.get("adapterSize"))
    if adapter and adapter not in family.adapters:
        raise invalid(f"{where}.adapter_size", f"{base_model} does not take {adapter}.")
    if is_open(base_model) != bool(body.get("outputUri")):
        raise invalid("tuning_job.output_uri", "output_uri is required for open models, and only for them.")
    if is_open(base_model):
        _check_open(spec, base_model, text(given.get("tuningMode")))
    _check_fields(base_model, spec, {**chosen, **given})
    _check_rates(chosen, where)
    return family


def parser_of(spec: Spec, base_model: str) -> Parser:
    """How the rows of its file are read."""
    if spec.kind == "supervisedTuningSpec":
        return open_model if is_open(base_model) else supervised
    return prompts if spec.kind == "distillationSpec" else preference


def _epochs(hyper_parameters: dict[str, object], kind: str) -> int | None:
    given = hyper_parameters.get("epochCount")
    if given is None:
        return None
    epochs = whole(given, 0)
    if not 1 <= epochs <= MOST_EPOCHS:
        raise invalid(f"tuning_job.{kind}.hyper_parameters.epoch_count", f"epoch_count must be 1 to {MOST_EPOCHS}.")
    return epochs


def _check_fields(base_model: str, spec: Spec, given: dict[str, object]) -> None:
    """Some fields are for open models alone."""
    # Of the multiplier, the protos say nothing of the kind, and a newer page that it is for Google's own models alone.
    unfit = () if is_open(base_model) else ("batchSize", "learningRate", "tuningMode")
    for field in (each for each in unfit if each in given):
        raise invalid(f"tuning_job.{spec.kind}", f"The field {field} is not supported for {base_model}.")
    if spec.kind == "distillationSpec":
        _check_distillation(base_model, spec)


def _check_rates(chosen: dict[str, object], where: str) -> None:
    if {"learningRate", "learningRateMultiplier"} <= chosen.keys():
        raise invalid(f"{where}.learning_rate", "learning_rate and learning_rate_multiplier are mutually exclusive.")


def _check_open(spec: Spec, base_model: str, mode: str) -> None:
    family = bases().open
    if spec.kind == "preferenceOptimizationSpec":
        raise Refusal("INVALID_ARGUMENT", f"Preference tuning is not supported for {base_model}.")
    if (mode == FULL and base_model in family.adapter_only) or (mode == ADAPTER and base_model in family.full_only):
        raise invalid(f"tuning_job.{spec.kind}.tuning_mode", f"{base_model} does not support {mode}.")


def _check_distillation(base_model: str, spec: Spec) -> None:
    if base_model not in bases().open.students:
        raise invalid("tuning_job.base_model", f"Base model {base_model} is not supported for distillation.")
    if bool(spec.teacher) == bool(spec.tuned_teacher):
        raise invalid("tuning_job.distillation_spec.teacher_model", "Set exactly one teacher model.")
    if spec.teacher and not teaches(spec.teacher):
        raise invalid("tuning_job.distillation_spec.base_teacher_model", f"Teacher {spec.teacher} is not supported.")
