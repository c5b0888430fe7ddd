"""What is sent to Vertex AI to start a job, held against Google's own messages."""

import importlib
from typing import Any

import msgspec
import pytest
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.genai import types

from tuneway.adapters import vertex_custom, vertex_open, vertex_tuning
from tuneway.errors import BadInput
from tuneway.ports import Method, PreTuned, TrainingContainer, TuningRequest

MODEL = "projects/p/locations/us-central1/models/7@2"
CONTAINER = TrainingContainer(
    image="host/train:1",
    arguments=(
        "--task=sft",
        "--data={training_uri}",
        "--validation={validation_uri}",
        "--epochs={epochs}",
        "--rate={learning_rate}",
        "--batch={batch_size}",
        "--warmup={warmup_steps}",
        "--out={output_uri}/{display_name}",
    ),
    machine_type="a2-highgpu-1g",
    accelerator_type="NVIDIA_TESLA_A100",
    accelerator_count=1,
)
BARE = TuningRequest(
    token="job-1",
    location="us-central1",
    base_model="gemini-3.5-flash",
    training_uri="gs://data/train.jsonl",
    display_name="mine",
)
OPEN = msgspec.structs.replace(BARE, base_model="meta/llama3_1@llama-3.1-8b-instruct", output_uri="gs://data/out")
CUSTOM = msgspec.structs.replace(OPEN, base_model="mistral-7b-instruct", container=CONTAINER)


def request(base: TuningRequest, **fields: Any) -> TuningRequest:
    return msgspec.structs.replace(base, **fields)


def parsed(body: dict[str, object], message_class: Any) -> Any:
    """The body as Google's message. Raises ParseError for any field or type that it does not have."""
    json_format = importlib.import_module("google.protobuf.json_format")
    return message_class.wrap(json_format.ParseDict(body, message_class.pb(message_class())))


def tuning_job(body: dict[str, object]) -> Any:
    return parsed(body, aiplatform_v1beta1.TuningJob)


def test_a_supervised_job_says_all_that_was_asked() -> None:
    asked = request(BARE, validation_uri="gs://data/v.jsonl", epochs=3, learning_rate_multiplier=0.5, adapter_size=2)
    job = tuning_job(vertex_tuning.to_body(asked))
    spec = job.supervised_tuning_spec
    assert (job.base_model, job.tuned_model_display_name) == ("gemini-3.5-flash", "mine")
    assert dict(job.labels) == {"tuneway-job": "job-1"}
    assert (spec.training_dataset_uri, spec.validation_dataset_uri) == ("gs://data/train.jsonl", "gs://data/v.jsonl")
    chosen = spec.hyper_parameters
    assert (chosen.epoch_count, chosen.learning_rate_multiplier) == (3, 0.5)
    assert chosen.adapter_size.name == "ADAPTER_SIZE_TWO"


def test_what_is_not_asked_is_absent() -> None:
    assert vertex_tuning.to_body(BARE) == {
        "baseModel": "gemini-3.5-flash",
        "tunedModelDisplayName": "mine",
        "labels": {"tuneway-job": "job-1"},
        "supervisedTuningSpec": {"trainingDatasetUri": "gs://data/train.jsonl", "exportLastCheckpointOnly": False},
    }


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16, 32])
def test_every_adapter_size_has_googles_name(size: int) -> None:
    names = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
    job = tuning_job(vertex_tuning.to_body(request(BARE, adapter_size=size)))
    assert job.supervised_tuning_spec.hyper_parameters.adapter_size.name == f"ADAPTER_SIZE_{names[size]}"


def test_a_preference_job_is_what_google_genai_knows() -> None:
    asked = request(BARE, method=Method.PREFERENCE, epochs=2, beta=0.1, adapter_size=4, learning_rate_multiplier=2)
    body = vertex_tuning.to_body(asked)
    spec = types.PreferenceOptimizationSpec.model_validate(body["preferenceOptimizationSpec"])
    assert spec.hyper_parameters is not None
    assert (spec.hyper_parameters.beta, spec.hyper_parameters.epoch_count) == (0.1, 2)
    assert spec.hyper_parameters.adapter_size == types.AdapterSize.ADAPTER_SIZE_FOUR
    assert "supervisedTuningSpec" not in body


def test_an_adapter_is_what_gemini_gets_anyway() -> None:
    assert vertex_tuning.to_body(request(BARE, tuning_mode="adapter")) == vertex_tuning.to_body(BARE)


def test_a_job_goes_on_from_a_tuned_model_and_its_checkpoint() -> None:
    job = tuning_job(vertex_tuning.to_body(request(BARE, pre_tuned=PreTuned(model=MODEL, checkpoint="3"))))
    assert (job.pre_tuned_model.tuned_model_name, job.pre_tuned_model.checkpoint_id) == (MODEL, "3")
    assert not job.base_model
    bare = vertex_tuning.to_body(request(BARE, pre_tuned=PreTuned(model=MODEL)))
    assert bare["preTunedModel"] == {"tunedModelName": MODEL}


@pytest.mark.parametrize(
    ("teacher", "role"), [("deepseek-ai/deepseek-r1-maas", "base_teacher_model"), (MODEL, "tuned_teacher_model_source")]
)
def test_a_student_learns_from_a_base_model_or_a_tuned_one(teacher: str, role: str) -> None:
    asked = request(OPEN, method=Method.DISTILLATION, teacher=teacher, epochs=2, batch_size=4, tuning_mode="full")
    spec = vertex_open.to_body(asked)["distillationSpec"]
    seen = types.DistillationSpec.model_validate(spec)
    assert getattr(seen, role) == teacher
    assert seen.prompt_dataset_uri == "gs://data/train.jsonl"
    assert seen.hyper_parameters is not None
    assert (seen.hyper_parameters.batch_size, seen.tuning_mode) == (4, types.TuningMode.TUNING_MODE_FULL)


def test_an_open_model_has_its_folder_mode_and_rate() -> None:
    asked = request(OPEN, tuning_mode="adapter", adapter_size=16, learning_rate=2e-4, batch_size=8, epochs=3)
    job = tuning_job(vertex_open.to_body(asked))
    spec, chosen = job.supervised_tuning_spec, job.supervised_tuning_spec.hyper_parameters
    assert (job.base_model, job.output_uri) == ("meta/llama3_1@llama-3.1-8b-instruct", "gs://data/out")
    assert spec.tuning_mode.name == "TUNING_MODE_PEFT_ADAPTER"
    assert (chosen.learning_rate, chosen.batch_size, chosen.epoch_count) == (2e-4, 8, 3)


def test_a_container_gets_its_machine_and_its_arguments() -> None:
    body = vertex_custom.to_body(request(CUSTOM, epochs=2, batch_size=4))
    job = parsed(body, aiplatform_v1.CustomJob)
    pool = job.job_spec.worker_pool_specs[0]
    assert (job.display_name, dict(job.labels)) == ("mine", {"tuneway-job": "job-1"})
    assert job.job_spec.base_output_directory.output_uri_prefix == "gs://data/out"
    assert (pool.machine_spec.machine_type, pool.machine_spec.accelerator_count, pool.replica_count) == (
        "a2-highgpu-1g",
        1,
        1,
    )
    assert pool.machine_spec.accelerator_type.name == "NVIDIA_TESLA_A100"
    assert pool.container_spec.image_uri == "host/train:1"
    # An argument whose value is left to the container is left out.
    assert list(pool.container_spec.args) == [
        "--task=sft",
        "--data=gs://data/train.jsonl",
        "--epochs=2",
        "--batch=4",
        "--out=gs://data/out/mine",
    ]


def test_a_container_may_train_without_an_accelerator() -> None:
    plain = msgspec.structs.replace(CONTAINER, accelerator_type=None, accelerator_count=0)
    job = parsed(vertex_custom.to_body(request(CUSTOM, container=plain)), aiplatform_v1.CustomJob)
    assert not job.job_spec.worker_pool_specs[0].machine_spec.accelerator_type


REFUSED: list[tuple[Any, TuningRequest, dict[str, Any], str]] = [
    (vertex_tuning, BARE, {"learning_rate": 1e-4}, "learning_rate"),
    (vertex_tuning, BARE, {"batch_size": 4}, "batch_size"),
    (vertex_tuning, BARE, {"warmup_steps": 1}, "warmup_steps"),
    (vertex_tuning, BARE, {"weight_decay": 0.1}, "weight_decay"),
    (vertex_tuning, BARE, {"tuning_mode": "full"}, "tuning_mode"),
    (vertex_tuning, BARE, {"beta": 0.1}, "beta"),
    (vertex_tuning, BARE, {"teacher": "x"}, "teacher"),
    (vertex_tuning, BARE, {"method": Method.DISTILLATION}, "teacher"),
    (vertex_tuning, BARE, {"adapter_size": 3}, "adapter_size"),
    (vertex_tuning, BARE, {"container": CONTAINER}, "container"),
    (vertex_open, OPEN, {"output_uri": None}, "output_uri"),
    (vertex_open, OPEN, {"method": Method.PREFERENCE}, "method"),
    (vertex_open, OPEN, {"learning_rate": 1e-4, "learning_rate_multiplier": 1}, "learning_rate"),
    (vertex_open, OPEN, {"tuning_mode": "full", "adapter_size": 4}, "adapter_size"),
    (vertex_open, OPEN, {"weight_decay": 0.1}, "weight_decay"),
    (vertex_open, OPEN, {"pre_tuned": PreTuned(model=MODEL)}, "pre_tuned"),
    (vertex_custom, CUSTOM, {"container": None}, "model"),
    (vertex_custom, CUSTOM, {"output_uri": None}, "output_uri"),
    (vertex_custom, CUSTOM, {"adapter_size": 4}, "adapter_size"),
    (vertex_custom, CUSTOM, {"method": Method.PREFERENCE}, "method"),
    (vertex_custom, CUSTOM, {"pre_tuned": PreTuned(model=MODEL)}, "pre_tuned"),
]


@pytest.mark.parametrize(("room", "base", "fields", "param"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_a_backend_cannot_express_is_refused_by_name(
    room: Any, base: TuningRequest, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadInput) as caught:
        room.to_body(request(base, **fields))
    assert caught.value.param == param


def test_a_place_that_no_request_has_is_a_fault_of_the_catalogue() -> None:
    odd = msgspec.structs.replace(CONTAINER, arguments=("--x={flavour}",))
    with pytest.raises(BadInput, match=r"\{flavour\}"):
        vertex_custom.to_body(request(CUSTOM, container=odd))
