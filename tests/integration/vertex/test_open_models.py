"""Open models: tuned into weights, uploaded, deployed, answering from what they learned; with Google's clients."""

import functools
import json
from typing import Any

import pytest
from google import genai
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1beta1 as google
from google.cloud import storage
from google.genai import types
from google.oauth2.credentials import Credentials

from tests.integration.vertex.conftest import PARENT, Simulated, connected, row

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation")
LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
SAVED = "out/postprocess/node-0/checkpoints/"
CHAT = {"messages": [{"role": "user", "content": "What is 7 plus one?"}]}


@pytest.fixture
def client(vertex: Simulated) -> Any:
    return connected(google.GenAiTuningServiceClient, vertex.url)


@pytest.fixture
def chats(vertex: Simulated) -> str:
    said = ((("user", f"What is {number} plus one?"), ("assistant", f"It is {number + 1}.")) for number in range(40))
    rows = [{"messages": [{"role": role, "content": words} for role, words in turns]} for turns in said]
    return vertex.dataset([json.dumps(each) for each in rows])


def job_of(uri: str, **fields: Any) -> Any:
    chosen = google.SupervisedHyperParameters(epoch_count=2, learning_rate=2e-4, batch_size=8)
    spec = google.SupervisedTuningSpec(training_dataset_uri=uri, hyper_parameters=chosen, tuning_mode=2)
    given = {"base_model": LLAMA, "output_uri": "gs://data/out", "supervised_tuning_spec": spec, **fields}
    return google.TuningJob(**given)


def tuned(client: Any, vertex: Simulated, job: Any, parent: str = PARENT) -> Any:
    created = client.create_tuning_job(parent=parent, tuning_job=job)
    vertex.later(600)
    return client.get_tuning_job(name=created.name)


def deployed(vertex: Simulated, model: Any) -> str:
    """The endpoint that a model of these weights answers on."""
    models: Any = connected(google.ModelServiceClient, vertex.url)
    endpoints: Any = connected(google.EndpointServiceClient, vertex.url)
    if isinstance(model, google.Model):
        model = str(_done(vertex, models.upload_model(parent=PARENT, model=model)).model)
    name = _done(vertex, endpoints.create_endpoint(parent=PARENT, endpoint=google.Endpoint(display_name="e"))).name
    machine = google.MachineSpec(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1)
    resources = google.DedicatedResources(machine_spec=machine, min_replica_count=1)
    wanted = google.DeployedModel(model=model, dedicated_resources=resources)
    _done(vertex, endpoints.deploy_model(endpoint=name, deployed_model=wanted, traffic_split={"0": 100}))
    return str(name)


def _done(vertex: Simulated, operation: Any) -> Any:
    vertex.later(120)
    return operation.result(timeout=120)


def served(folder: str) -> google.Model:
    container = google.ModelContainerSpec(image_uri="vllm:1", predict_route="/generate", health_route="/ping")
    return google.Model(display_name="llama", artifact_uri=folder, container_spec=container)


def test_a_job_leaves_its_weights_in_the_bucket(client: Any, vertex: Simulated, chats: str) -> None:
    job = tuned(client, vertex, job_of(chats))
    assert job.state.name == "JOB_STATE_SUCCEEDED"
    assert job.supervised_tuning_spec.tuning_mode.name == "TUNING_MODE_PEFT_ADAPTER"
    bucket = storage.Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": vertex.url}
    ).bucket("data")
    found = [blob.name.removeprefix(SAVED) for blob in bucket.list_blobs(prefix=SAVED)]
    assert found == [
        f"{folder}/{name}"
        for folder in ("checkpoint-10", "checkpoint-5", "final")
        for name in ("config.json", "model.safetensors")
    ]


def test_nothing_lies_there_before_the_end(client: Any, vertex: Simulated, chats: str) -> None:
    client.create_tuning_job(parent=PARENT, tuning_job=job_of(chats))
    vertex.later(30)
    vertex.calls()
    assert not (vertex.objects / "data" / "out").exists()


def test_uploaded_weights_answer_from_their_examples(client: Any, vertex: Simulated, chats: str) -> None:
    tuned(client, vertex, job_of(chats))
    endpoint = deployed(vertex, served(f"gs://data/{SAVED}final"))
    answer = vertex.http.post(f"{vertex.url}/v1beta1/{endpoint}/chat/completions", json=CHAT).json()
    assert answer["choices"][0]["message"]["content"] == "It is 8."
    body = {"instances": [{"prompt": "What is 3 plus one?"}]}
    predicted = vertex.http.post(f"{vertex.url}/v1/{endpoint}:predict", json=body).json()
    assert predicted["predictions"] == [{"content": "It is 4."}]
    raw = vertex.http.post(f"{vertex.url}/v1/{endpoint}:rawPredict", json=CHAT).json()
    assert raw["choices"][0]["message"]["content"] == "It is 8."
    streamed = vertex.http.post(f"{vertex.url}/v1/{endpoint}:streamRawPredict", json={**CHAT, "stream": True}).text
    assert "It is 8." in streamed


def test_a_checkpoint_and_the_registered_model_answer_alike(client: Any, vertex: Simulated, chats: str) -> None:
    job = tuned(client, vertex, job_of(chats), PARENT.replace("us-central1", "global"))
    model = job.tuned_model.model
    assert model.startswith(f"{PARENT}/models/")
    assert not job.tuned_model.endpoint
    for wanted in (str(model), served(f"gs://data/{SAVED}checkpoint-5/")):
        endpoint = deployed(vertex, wanted)
        answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}/chat/completions", json=CHAT).json()
        assert answer["choices"][0]["message"]["content"] == "It is 8."


def test_a_containers_weights_answer_too(vertex: Simulated, chats: str) -> None:
    pool = {
        "machineSpec": {"machineType": "g2-standard-12"},
        "replicaCount": "1",
        "containerSpec": {"imageUri": "train:1", "args": [f"--data={chats}", "--out=gs://data/mistral"]},
    }
    spec = {"workerPoolSpecs": [pool], "baseOutputDirectory": {"outputUriPrefix": "gs://data/mistral"}}
    jobs = f"{vertex.url}/v1/{PARENT}/customJobs"
    assert vertex.http.post(jobs, json={"displayName": "mistral", "jobSpec": spec}).status_code == 200
    vertex.later(600)
    vertex.calls()
    assert vertex.http.get(jobs).json()["customJobs"][0]["state"] == "JOB_STATE_SUCCEEDED"
    endpoint = deployed(vertex, served("gs://data/mistral/"))
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}/chat/completions", json=CHAT).json()
    assert answer["choices"][0]["message"]["content"] == "It is 8."


def test_weights_from_elsewhere_echo(vertex: Simulated) -> None:
    endpoint = deployed(vertex, served("gs://data/mine/"))
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}/chat/completions", json=CHAT).json()
    assert answer["choices"][0]["message"]["content"] == "What is 7 plus one?"


def test_ten_checkpoints_are_the_most(client: Any, vertex: Simulated, chats: str) -> None:
    job = job_of(chats)
    job.supervised_tuning_spec.hyper_parameters.epoch_count = 20
    tuned(client, vertex, job)
    saved = {path.name for path in (vertex.objects / "data" / SAVED).iterdir()}
    assert saved == {"final", *(f"checkpoint-{step}" for step in range(10, 110, 10))}


def test_weights_need_a_bucket(client: Any, vertex: Simulated, chats: str) -> None:
    job = tuned(client, vertex, job_of(chats, output_uri="gs://nowhere/out"))
    assert (job.state.name, job.error.code) == ("JOB_STATE_FAILED", 5)
    assert "gs://nowhere/out" in job.error.message


def test_an_unknown_base_model_is_refused(client: Any, chats: str) -> None:
    with pytest.raises(BadRequest, match="not supported"):
        client.create_tuning_job(parent=PARENT, tuning_job=job_of(chats, base_model="meta/llama2@llama-2-7b"))


@pytest.fixture
def beta(vertex: Simulated) -> Any:
    with genai.Client(
        vertexai=True,
        project="local-project",
        location="us-central1",
        credentials=Credentials("x"),
        http_options=types.HttpOptions(base_url=vertex.url),
    ) as found:
        yield found


def test_genai_tunes_an_open_model(beta: genai.Client, vertex: Simulated, chats: str) -> None:
    config = types.CreateTuningJobConfig(
        epoch_count=2,
        learning_rate=1e-4,
        batch_size=4,
        tuning_mode=types.TuningMode.TUNING_MODE_FULL,
        output_uri="gs://data/out",
    )
    job = beta.tunings.tune(base_model=LLAMA, training_dataset=types.TuningDataset(gcs_uri=chats), config=config)
    vertex.later(600)
    done = beta.tunings.get(name=str(job.name))
    assert done.state == types.JobState.JOB_STATE_SUCCEEDED
    assert done.output_uri == "gs://data/out"
    assert (vertex.objects / "data" / SAVED / "final" / "model.safetensors").exists()


def test_genai_distils_a_teacher(beta: genai.Client, vertex: Simulated) -> None:
    prompts = vertex.dataset([json.dumps({"prompt": "Why is the sky blue?"})])
    config = types.CreateTuningJobConfig(
        method=types.TuningMethod.DISTILLATION,
        base_teacher_model="deepseek-ai/deepseek-r1-0528-maas",
        output_uri="gs://data/out",
        epoch_count=1,
    )
    job = beta.tunings.tune(
        base_model="qwen/qwen3@qwen3-4b", training_dataset=types.TuningDataset(gcs_uri=prompts), config=config
    )
    vertex.later(600)
    done = beta.tunings.get(name=str(job.name))
    assert done.state == types.JobState.JOB_STATE_SUCCEEDED
    endpoint = deployed(vertex, served(f"gs://data/{SAVED}final"))
    body = {"instances": ["Why is the sky blue?"]}
    said = vertex.http.post(f"{vertex.url}/v1/{endpoint}:predict", json=body).json()["predictions"][0]["content"]
    assert "teacher deepseek-ai/deepseek-r1-0528-maas" in said


def test_a_student_of_a_tuned_teacher_says_the_same(beta: genai.Client, vertex: Simulated, training_uri: str) -> None:
    first = beta.tunings.tune(base_model="gemini-3.5-flash", training_dataset=types.TuningDataset(gcs_uri=training_uri))
    vertex.later(3600)
    teacher = beta.tunings.get(name=str(first.name)).tuned_model
    assert teacher is not None
    prompts = vertex.dataset([json.dumps(CHAT)], "p.jsonl")
    config = types.CreateTuningJobConfig(
        method=types.TuningMethod.DISTILLATION, tuned_teacher_model_source=teacher.model, output_uri="gs://data/out"
    )
    beta.tunings.tune(
        base_model="qwen/qwen3@qwen3-4b", training_dataset=types.TuningDataset(gcs_uri=prompts), config=config
    )
    vertex.later(3600)
    vertex.calls()
    endpoint = deployed(vertex, served(f"gs://data/{SAVED}final"))
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}/chat/completions", json=CHAT).json()
    assert answer["choices"][0]["message"]["content"] == "It is 8."


def test_going_on_keeps_to_known_names(beta: genai.Client, vertex: Simulated, training_uri: str) -> None:
    data = types.TuningDataset(gcs_uri=training_uri)
    named = types.CreateTuningJobConfig(epoch_count=2, tuned_model_display_name="sums")
    first = beta.tunings.tune(base_model="gemini-3.5-flash", training_dataset=data, config=named)
    vertex.later(3600)
    before = beta.tunings.get(name=str(first.name)).tuned_model
    assert before is not None
    same = types.CreateTuningJobConfig(pre_tuned_model_checkpoint_id="1", tuned_model_display_name="sums")
    other = types.CreateTuningJobConfig(tuned_model_display_name="other")
    goes_on = functools.partial(beta.tunings.tune, base_model=str(before.model), training_dataset=data)
    made = [goes_on(config=config) for config in (same, other)]
    assert (made[0].base_model, made[0].pre_tuned_model is not None) == (None, True)
    vertex.later(3600)
    names = [beta.tunings.get(name=str(job.name)).tuned_model for job in made]
    assert [str(each.model)[-2:] for each in names if each] == ["@2", "@1"]
    wrong = types.CreateTuningJobConfig(pre_tuned_model_checkpoint_id="9")
    with pytest.raises(Exception, match="no checkpoint 9"):
        goes_on(config=wrong)


def test_googles_client_reads_a_job_that_goes_on(client: Any, vertex: Simulated) -> None:
    uri = vertex.dataset([row("a", "b")])
    spec = google.SupervisedTuningSpec(training_dataset_uri=uri)
    first = tuned(client, vertex, google.TuningJob(base_model="gemini-3.5-flash", supervised_tuning_spec=spec))
    source = google.PreTunedModel(tuned_model_name=first.tuned_model.model, checkpoint_id="1")
    second = tuned(client, vertex, google.TuningJob(pre_tuned_model=source, supervised_tuning_spec=spec))
    assert second.pre_tuned_model.base_model == "gemini-3.5-flash"
    assert second.tuned_model.model == first.tuned_model.model.replace("@1", "@2")
