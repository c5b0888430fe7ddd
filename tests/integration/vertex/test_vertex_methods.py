"""Every method of tuning by tuneway's own adapters against the simulation, beside google-genai's."""

import json

import pytest
from google import genai
from google.genai import types

from tests.integration.vertex.conftest import Simulated, row
from tuneway.adapters.vertex_open import VertexOpen
from tuneway.adapters.vertex_tuning import VertexTuning
from tuneway.ports import Method, PreTuned, ProviderJob, ProviderState, TuningRequest

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation")
PLACE = "us-central1"
LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"


@pytest.fixture
def gemini(vertex: Simulated) -> VertexTuning:
    return VertexTuning(project="local-project", timeout=60, vertex_url=vertex.url)


@pytest.fixture
def open_models(vertex: Simulated) -> VertexOpen:
    return VertexOpen(project="local-project", timeout=60, vertex_url=vertex.url)


@pytest.fixture
def chats(vertex: Simulated) -> str:
    return vertex.dataset([json.dumps({"prompt": f"{number}?", "completion": f"{number}!"}) for number in range(40)])


def asked(uri: str, **fields: object) -> TuningRequest:
    known: dict[str, object] = {"token": "job-1", "location": PLACE, "base_model": "gemini-3.5-flash"}
    return TuningRequest(**{**known, "training_uri": uri, "display_name": "mine", **fields})  # type: ignore[arg-type] # each field has its own type


def ended(backend: VertexTuning | VertexOpen, vertex: Simulated, request: TuningRequest) -> ProviderJob:
    name = backend.create(request).name
    vertex.later(3600)
    return backend.get(name)


def test_preferences_are_sent_as_google_genai_sends_them(
    gemini: VertexTuning, genai_client: genai.Client, vertex: Simulated
) -> None:
    scored = [{"score": score, "completion": {"parts": [{"text": said}]}} for score, said in ((1, "good"), (0, "bad"))]
    uri = vertex.dataset(
        [json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "completions": scored})]
    )
    config = types.CreateTuningJobConfig(
        method=types.TuningMethod.PREFERENCE_TUNING,
        beta=0.1,
        epoch_count=2,
        adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR,
        export_last_checkpoint_only=False,
    )
    data = types.TuningDataset(gcs_uri=uri)
    theirs = genai_client.tunings.tune(base_model="gemini-3.5-flash", training_dataset=data, config=config)
    ours = ended(gemini, vertex, asked(uri, method=Method.PREFERENCE, beta=0.1, epochs=2, adapter_size=4))
    shown = [vertex.http.get(f"{vertex.url}/v1/{name}").json() for name in (theirs.name, ours.name)]
    assert shown[0]["preferenceOptimizationSpec"] == shown[1]["preferenceOptimizationSpec"]
    assert (ours.state, ours.steps_total, ours.billable_tokens) == (ProviderState.SUCCEEDED, 2, 2)
    assert ours.tuned is not None
    said = genai_client.models.generate_content(model=str(ours.tuned.endpoint), contents="hi").text
    assert said == "good"


def test_a_job_goes_on_from_a_checkpoint(gemini: VertexTuning, vertex: Simulated, training_uri: str) -> None:
    first = ended(gemini, vertex, asked(training_uri, epochs=2)).tuned
    assert first is not None
    more = vertex.dataset([row("What is the capital of Chad?", "N'Djamena.")], "more.jsonl")
    source = PreTuned(model=first.model, checkpoint="1")
    second = ended(gemini, vertex, asked(more, token="job-2", pre_tuned=source)).tuned
    assert second is not None
    assert second.model == first.model.replace("@1", "@2")
    for question, said in (("What is 7 plus one?", "It is 8."), ("What is the capital of Chad?", "N'Djamena.")):
        body = {"contents": [{"role": "user", "parts": [{"text": question}]}]}
        answer = vertex.http.post(f"{vertex.url}/v1/{second.endpoint}:generateContent", json=body).json()
        assert answer["candidates"][0]["content"]["parts"][0]["text"] == said


def test_an_open_model_has_weights_and_checkpoints(open_models: VertexOpen, vertex: Simulated, chats: str) -> None:
    wanted = asked(chats, location="global", base_model=LLAMA, output_uri="gs://data/out", epochs=2, learning_rate=1e-4)
    job = ended(open_models, vertex, wanted)
    folder = "gs://data/out/postprocess/node-0/checkpoints/"
    assert job.tuned is not None
    assert (job.tuned.model, job.tuned.endpoint, job.tuned.location) == (job.name, None, "us-central1")
    assert job.tuned.weights == f"{folder}final/"
    assert [(each.epoch, each.step, each.weights) for each in job.tuned.checkpoints] == [
        (1, 5, f"{folder}checkpoint-5/"),
        (2, 10, f"{folder}checkpoint-10/"),
    ]


def test_phases_and_progress_come_with_the_list(open_models: VertexOpen, vertex: Simulated, chats: str) -> None:
    open_models.create(asked(chats, base_model=LLAMA, output_uri="gs://data/out", epochs=2))
    vertex.later(35)
    (job,) = open_models.unfinished(PLACE)
    assert (job.phase, job.steps_done, job.epochs_done, job.steps_total) == ("tuning", 5, 1, 10)
    before = job.changed_at
    vertex.later(2)
    (job,) = open_models.unfinished(PLACE)
    assert before is not None
    assert job.changed_at is not None
    assert job.changed_at > before


def test_each_backend_lists_its_own_kind(
    gemini: VertexTuning, open_models: VertexOpen, vertex: Simulated, training_uri: str
) -> None:
    first = gemini.create(asked(training_uri)).name
    chats = vertex.dataset([json.dumps({"prompt": "a", "completion": "b"})], "chats.jsonl")
    second = open_models.create(asked(chats, token="job-2", base_model=LLAMA, output_uri="gs://data/out")).name
    assert [job.name for job in gemini.unfinished(PLACE)] == [first]
    assert [job.name for job in open_models.unfinished(PLACE)] == [second]


def test_a_teacher_may_be_a_base_model(open_models: VertexOpen, vertex: Simulated) -> None:
    uri = vertex.dataset([json.dumps({"prompt": "Why?"})])
    wanted = asked(
        uri,
        base_model="qwen/qwen3@qwen3-8b",
        method=Method.DISTILLATION,
        teacher="deepseek-ai/deepseek-r1-0528-maas",
        output_uri="gs://data/out",
        tuning_mode="full",
        batch_size=2,
        epochs=3,
    )
    job = ended(open_models, vertex, wanted)
    assert (job.state, job.steps_total, job.billable_tokens) == (ProviderState.SUCCEEDED, 3, None)
    assert job.tuned is not None
    assert [each.epoch for each in job.tuned.checkpoints] == [1, 2, 3]
