"""Checks of a tuning job's body that the proto cannot make, and what they yield."""

import re

import msgspec

from tuneway.local.vertex.bases import Family, is_open, tunable
from tuneway.local.vertex.narrow import mapping, strings, text, whole
from tuneway.local.vertex.protos import camel, canonical
from tuneway.local.vertex.refusals import Refusal, invalid
from tuneway.local.vertex.rows import Parser, open_model, preference, supervised

SPECS = ("supervisedTuningSpec", "preferenceOptimizationSpec")
LABEL = re.compile(r"[a-z0-9_-]{0,63}")
PREFERENCE_FIELDS = {"trainingDatasetUri", "validationDatasetUri", "hyperParameters", "exportLastCheckpointOnly"}
PREFERENCE_HYPER_PARAMETERS = {"epochCount", "learningRateMultiplier", "adapterSize", "beta"}
NAME_BYTES = 128
MOST_EPOCHS = 100
EPOCH_ROWS = 1200
AUTO_EPOCHS = 10


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is to be trained."""

    kind: str
    training_uri: str
    epochs: int | None
    checkpoints: bool


def checked_body(body: dict[str, object]) -> dict[str, object]:
    """The create body in one spelling. Raises Refusal for what does not belong there."""
    checked = canonical("TuningJob", body, path="tuning_job")
    given = {camel(key): value for key, value in body.items()}
    if "preferenceOptimizationSpec" in given:
        checked["preferenceOptimizationSpec"] = _preference_spec(given["preferenceOptimizationSpec"])
    _check_names(checked)
    return checked


def spec_of(body: dict[str, object]) -> Spec:
    """The job's one tuning spec. Raises Refusal when there is none, or one that is not simulated."""
    found = [key for key in body if key.endswith("Spec") and key != "encryptionSpec"]
    if len(found) != 1 or found[0] not in SPECS:
        raise invalid("tuning_job.tuning_spec", f"Set exactly one tuning spec; simulated are: {', '.join(SPECS)}.")
    spec = mapping(body[found[0]])
    uri = text(spec.get("trainingDatasetUri"))
    if not uri.startswith("gs://"):
        raise invalid(f"tuning_job.{found[0]}.training_dataset_uri", "A gs:// URI of a JSONL file is required.")
    return Spec(
        kind=found[0],
        training_uri=uri,
        epochs=_epochs(mapping(spec.get("hyperParameters")), found[0]),
        checkpoints=spec.get("exportLastCheckpointOnly") is not True,
    )


def check_family(body: dict[str, object], base_model: str, parent: str) -> Family:
    """The base model's family. Raises Refusal where the body breaks its rules."""
    family = tunable(base_model, parent)
    for kind in SPECS:
        adapter = text(mapping(mapping(body.get(kind)).get("hyperParameters")).get("adapterSize"))
        if adapter and adapter not in family.adapters:
            raise invalid(f"tuning_job.{kind}.hyper_parameters.adapter_size", f"{base_model} does not take {adapter}.")
    if is_open(base_model) != bool(body.get("outputUri")):
        raise invalid("tuning_job.output_uri", "output_uri is required for open models, and only for them.")
    return family


def parser_of(spec: Spec, base_model: str) -> Parser:
    """How the rows of its file are read."""
    if spec.kind == "preferenceOptimizationSpec":
        return preference
    return open_model if is_open(base_model) else supervised


def automatic_epochs(rows: int) -> int:
    """Passes over the data when the job does not say: more for less data."""
    return max(1, min(AUTO_EPOCHS, round(EPOCH_ROWS / max(rows, 1))))


def _epochs(hyper_parameters: dict[str, object], kind: str) -> int | None:
    given = hyper_parameters.get("epochCount")
    if given is None:
        return None
    epochs = whole(given, 0)
    if not 1 <= epochs <= MOST_EPOCHS:
        raise invalid(f"tuning_job.{kind}.hyper_parameters.epoch_count", f"epoch_count must be 1 to {MOST_EPOCHS}.")
    return epochs


def _check_names(body: dict[str, object]) -> None:
    if len(text(body.get("tunedModelDisplayName")).encode()) > NAME_BYTES:
        raise invalid("tuning_job.tuned_model_display_name", f"The name is longer than {NAME_BYTES} bytes.")
    for key, value in strings(body.get("labels")).items():
        if not key or LABEL.fullmatch(key) is None or LABEL.fullmatch(value) is None:
            raise invalid("tuning_job.labels", f"Invalid label {key}={value}: use lowercase letters, digits, _ and -.")


def _preference_spec(value: object) -> dict[str, object]:
    """The proto of google-cloud-aiplatform lacks this message, so its fields are checked by name."""
    given = mapping(value)
    if not given:
        raise invalid("tuning_job.preference_optimization_spec", "An object is expected.")
    spec = _known_only(given, PREFERENCE_FIELDS, "tuning_job.preference_optimization_spec")
    if "hyperParameters" in spec:
        at = "tuning_job.preference_optimization_spec.hyper_parameters"
        spec["hyperParameters"] = _known_only(mapping(spec["hyperParameters"]), PREFERENCE_HYPER_PARAMETERS, at)
    return spec


def _known_only(value: dict[str, object], known: set[str], where: str) -> dict[str, object]:
    for key in value:
        if camel(key) not in known:
            message = f"Invalid JSON payload received. Unknown name \"{key}\" at '{where}': Cannot find field."
            raise invalid(where, message)
    return {camel(key): member for key, member in value.items()}


def model_source(body: dict[str, object]) -> tuple[str, str | None]:
    """Base model and the tuned model to go on from: one of them is set. Raises Refusal."""
    base, tuned = text(body.get("baseModel")), text(mapping(body.get("preTunedModel")).get("tunedModelName"))
    if bool(base) == bool(tuned):
        raise Refusal("INVALID_ARGUMENT", "Set one of base_model and pre_tuned_model.tuned_model_name.")
    return base, tuned or None
