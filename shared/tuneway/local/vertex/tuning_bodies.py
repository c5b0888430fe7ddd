"""A tuning job's create body in one spelling, with no field that its API version lacks."""

import re

from tuneway.local.vertex.narrow import mapping, strings, text
from tuneway.local.vertex.protos import camel, canonical
from tuneway.local.vertex.refusals import Refusal, invalid

LABEL = re.compile(r"[a-z0-9_-]{0,63}")
NAME_BYTES = 128
ROOT = "tuning_job"
# What TuningJob, SupervisedTuningSpec and SupervisedHyperParameters have in v1beta1 alone: google-cloud-aiplatform 2.7.
BETA_FIELDS = {
    "": {
        "distillationSpec",
        "partnerModelTuningSpec",
        "veoTuningSpec",
        "veoLoraTuningSpec",
        "customBaseModel",
        "pipelineJob",
        "outputUri",
    },
    "supervisedTuningSpec": {"tuningMode"},
    "supervisedTuningSpec.hyperParameters": {"learningRate", "batchSize"},
}
HYPER_PARAMETERS = {"epochCount", "learningRateMultiplier", "adapterSize"}
DATA = {"trainingDatasetUri", "validationDatasetUri", "hyperParameters"}
# Fields of specs that the protos of google-cloud-aiplatform 2.7 lack, or have in an older form. Sources: google-genai
# 2.34 and https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest/v1beta1/projects.locations.tuningJobs
NAMED: dict[str, tuple[set[str], set[str]]] = {
    "preferenceOptimizationSpec": (DATA | {"exportLastCheckpointOnly"}, HYPER_PARAMETERS | {"beta"}),
    "distillationSpec": (
        DATA
        | {"promptDatasetUri", "baseTeacherModel", "tunedTeacherModelSource", "tuningMode"}
        | {"studentModel", "pipelineRootDirectory"},
        HYPER_PARAMETERS | {"learningRate", "batchSize"},
    ),
}


def checked_body(body: dict[str, object], *, version: str) -> dict[str, object]:
    """The create body. Raises Refusal for what does not belong there."""
    given = {camel(key): value for key, value in body.items()}
    if version == "v1":
        _check_version(given)
    checked = canonical("TuningJob", {key: given[key] for key in given if key not in NAMED}, path=ROOT)
    for kind in NAMED.keys() & given.keys():
        checked[kind] = _named_spec(kind, given[kind])
    check_names(checked, root=ROOT)
    return checked


def check_names(body: dict[str, object], *, root: str) -> None:
    """Raises Refusal for a display name or a label that no job can have."""
    for key in ("tunedModelDisplayName", "displayName"):
        if len(text(body.get(key)).encode()) > NAME_BYTES:
            raise invalid(f"{root}.{key}", f"The name is longer than {NAME_BYTES} bytes.")
    for key, value in strings(body.get("labels")).items():
        if not key or LABEL.fullmatch(key) is None or LABEL.fullmatch(value) is None:
            raise invalid(f"{root}.labels", f"Invalid label {key}={value}: use lowercase letters, digits, _ and -.")


def _check_version(given: dict[str, object]) -> None:
    for path, fields in BETA_FIELDS.items():
        there = given
        for step in filter(None, path.split(".")):
            there = {camel(key): value for key, value in mapping(there.get(step)).items()}
        _check_known(there, set(there) - fields, ".".join(filter(None, (ROOT, path))))


def _named_spec(kind: str, value: object) -> dict[str, object]:
    where = f"{ROOT}.{kind}"
    if not mapping(value):
        raise invalid(where, "An object is expected.")
    fields, settings = NAMED[kind]
    spec = {camel(key): member for key, member in mapping(value).items()}
    _check_known(spec, fields, where)
    chosen = {camel(key): member for key, member in mapping(spec.get("hyperParameters")).items()}
    _check_known(chosen, settings, f"{where}.hyperParameters")
    return {**spec, **_enums(spec, chosen, where)}


def _enums(spec: dict[str, object], chosen: dict[str, object], where: str) -> dict[str, object]:
    """The members with types of their own, as the supervised spec's proto reads them: it has them all but beta."""
    beta = {"beta": chosen["beta"]} if "beta" in chosen else {}
    plain = {key: value for key, value in chosen.items() if key != "beta"}
    known = {key: spec[key] for key in ("tuningMode",) if key in spec}
    read = canonical("SupervisedTuningSpec", {**known, "hyperParameters": plain}, path=where)
    return {**read, "hyperParameters": {**mapping(read.get("hyperParameters")), **beta}} if chosen else {**read}


def _check_known(value: dict[str, object], known: set[str], where: str) -> None:
    for key in value:
        if key not in known:
            message = f"Invalid JSON payload received. Unknown name \"{key}\" at '{where}': Cannot find field."
            raise invalid(where, message)


def model_source(body: dict[str, object]) -> tuple[str, str | None]:
    """Base model and the tuned model to go on from: one of them is set. Raises Refusal."""
    base, tuned = text(body.get("baseModel")), text(mapping(body.get("preTunedModel")).get("tunedModelName"))
    if bool(base) == bool(tuned):
        raise Refusal("INVALID_ARGUMENT", "Set one of base_model and pre_tuned_model.tuned_model_name.")
    return base, tuned or None
