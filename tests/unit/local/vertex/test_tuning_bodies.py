"""Which fields a tuning job may have, by the API's version and by its base model."""

from typing import Any

import pytest
from google.cloud import aiplatform_v1, aiplatform_v1beta1

from tuneway.local.vertex.bases import bases
from tuneway.local.vertex.refusals import Refusal
from tuneway.local.vertex.tuning_bodies import BETA_FIELDS, checked_body
from tuneway.local.vertex.tuning_specs import check_family

MESSAGES = {
    "": "TuningJob",
    "supervisedTuningSpec": "SupervisedTuningSpec",
    "supervisedTuningSpec.hyperParameters": "SupervisedHyperParameters",
}
REGION = "projects/p/locations/us-central1"
LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
STUDENT = "qwen/qwen3@qwen3-4b"
TEACHER = "deepseek-ai/deepseek-r1-0528-maas"


def fields(module: Any, message: str) -> set[str]:
    kind = vars(module)[message]
    return {field.json_name for field in kind.pb(kind()).DESCRIPTOR.fields}


@pytest.mark.parametrize("path", list(BETA_FIELDS))
def test_the_fields_of_v1beta1_alone_are_googles(path: str) -> None:
    beta, stable = (fields(module, MESSAGES[path]) for module in (aiplatform_v1beta1, aiplatform_v1))
    assert BETA_FIELDS[path] == beta - stable


def job(base: str = "gemini-3.5-flash", **given: Any) -> dict[str, object]:
    chosen = given.pop("chosen", {})
    spec = {"trainingDatasetUri": "gs://a/b", "hyperParameters": chosen, **given.pop("spec", {})}
    return {"baseModel": base, given.pop("kind", "supervisedTuningSpec"): spec, **given}


@pytest.mark.parametrize(
    "body",
    [
        job(outputUri="gs://a/b"),
        job(spec={"tuning_mode": "TUNING_MODE_FULL"}),
        job(chosen={"batch_size": 2}),
        job(chosen={"learningRate": 0.1}),
        job(kind="distillationSpec"),
    ],
    ids=["outputUri", "tuningMode", "batchSize", "learningRate", "distillation"],
)
def test_v1_knows_no_field_of_v1beta1(body: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="Unknown name"):
        checked_body(body, version="v1")
    assert checked_body(body, version="v1beta1")


def test_enums_may_come_as_numbers_in_every_spec() -> None:
    for kind in ("supervisedTuningSpec", "preferenceOptimizationSpec", "distillationSpec"):
        checked = checked_body(job(kind=kind, chosen={"adapter_size": 2, "epoch_count": "3"}), version="v1beta1")
        spec: Any = checked[kind]
        assert spec["hyperParameters"] == {"adapterSize": "ADAPTER_SIZE_FOUR", "epochCount": "3"}


@pytest.mark.parametrize(
    "body",
    [
        job(kind="preferenceOptimizationSpec", spec={"tuningMode": 1}),
        job(kind="preferenceOptimizationSpec", chosen={"batchSize": 1}),
        job(kind="distillationSpec", chosen={"beta": 1}),
        job(kind="distillationSpec", chosen={"adapterSize": "HUGE"}),
        job(kind="distillationSpec", chosen={"epochCount": "many"}),
        {"preferenceOptimizationSpec": 1},
        job(labels={"Team": "x"}),
        job(tunedModelDisplayName="x" * 129),
        {"colour": "red"},
    ],
    ids=lambda body: str(body)[:50],
)
def test_what_no_version_knows_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        checked_body(body, version="v1beta1")


def distillation(base: str = STUDENT, **spec: str) -> dict[str, object]:
    data = {"trainingDatasetUri": "gs://a/b"}
    return {"baseModel": base, "distillationSpec": {**data, **spec}, "outputUri": "gs://a/out"}


REFUSED: list[tuple[dict[str, object], str]] = [
    (job(outputUri="gs://a/b"), "output_uri"),
    (job(LLAMA), "output_uri"),
    (job("gemini-2.5-flash"), "not found"),
    (job("llama-2-7b"), "not supported"),
    (job(chosen={"batchSize": "4"}), "batchSize"),
    (job(chosen={"learningRate": 0.1}), "learningRate"),
    (job(spec={"tuningMode": "TUNING_MODE_FULL"}), "tuningMode"),
    (job(STUDENT, outputUri="gs://a/b", spec={"tuningMode": "TUNING_MODE_PEFT_ADAPTER"}), "PEFT"),
    (job("google/gemma4@gemma-4-e2b-it", outputUri="gs://a/b", spec={"tuningMode": "TUNING_MODE_FULL"}), "FULL"),
    (job(LLAMA, outputUri="gs://a/b", kind="preferenceOptimizationSpec"), "Preference"),
    (distillation(), "exactly one teacher"),
    (distillation(baseTeacherModel=TEACHER, tunedTeacherModelSource="m"), "exactly one teacher"),
    (distillation(baseTeacherModel="gpt-2"), "Teacher gpt-2"),
    (distillation(LLAMA, baseTeacherModel=TEACHER), "distillation"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_base_model_takes_only_what_is_documented(body: dict[str, object], words: str) -> None:
    base = str(body["baseModel"])
    with pytest.raises(Refusal, match=words):
        check_family(body, base, REGION)


@pytest.mark.parametrize(("base", "location"), [(LLAMA, "europe-west1"), ("gemini-3.5-flash", "global")])
def test_a_base_model_is_tuned_in_its_locations(base: str, location: str) -> None:
    with pytest.raises(Refusal, match=f"not supported in region {location}"):
        check_family(job(base, outputUri="gs://a/b"), base, f"projects/p/locations/{location}")


def test_both_rates_exclude_each_other() -> None:
    rates = {"learningRate": 0.1, "learningRateMultiplier": 1.0}
    body = distillation(baseTeacherModel=TEACHER)
    spec: Any = body["distillationSpec"]
    with pytest.raises(Refusal, match="mutually exclusive"):
        check_family({**body, "distillationSpec": {**spec, "hyperParameters": rates}}, STUDENT, REGION)


def test_every_open_model_has_at_least_one_mode() -> None:
    family = bases().open
    assert not set(family.full_only) & set(family.adapter_only)
    assert {*family.full_only, *family.adapter_only, *family.students} <= set(family.models)
