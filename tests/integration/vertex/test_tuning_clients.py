"""Google's own clients create, read, list and cancel tuning jobs on the simulation."""

import json
from types import ModuleType
from typing import Any

import pytest
from google import genai
from google.api_core.exceptions import BadRequest, NotFound
from google.genai import types

from tests.integration.vertex.conftest import PARENT, VERSIONS, Simulated, connected, row

# google-genai warns once of its own tuning calls.
pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation")
TUNED_AFTER = 600.0


@pytest.fixture(params=list(VERSIONS))
def google(request: pytest.FixtureRequest) -> ModuleType:
    return VERSIONS[request.param]


@pytest.fixture
def client(google: ModuleType, vertex: Simulated) -> Any:
    return connected(google.GenAiTuningServiceClient, vertex.url)


def job_of(google: ModuleType, uri: str, **fields: Any) -> Any:
    spec = google.SupervisedTuningSpec(
        training_dataset_uri=uri,
        hyper_parameters=google.SupervisedHyperParameters(epoch_count=2, adapter_size=3),
    )
    given = {"base_model": "gemini-3.5-flash", "labels": {"team": "maths"}, **fields}
    return google.TuningJob(supervised_tuning_spec=spec, **given)


def test_a_job_passes_through_the_real_states(
    google: ModuleType, client: Any, vertex: Simulated, training_uri: str
) -> None:
    job = client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, training_uri))
    seen = [job.state.name]
    for _ in range(60):
        vertex.later(5)
        seen.append(client.get_tuning_job(name=job.name).state.name)
    assert list(dict.fromkeys(seen)) == [
        "JOB_STATE_QUEUED",
        "JOB_STATE_PENDING",
        "JOB_STATE_RUNNING",
        "JOB_STATE_SUCCEEDED",
    ]


def test_a_finished_job_shows_its_model_checkpoints_and_figures(
    google: ModuleType, client: Any, vertex: Simulated, training_uri: str
) -> None:
    created = client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, training_uri))
    vertex.later(TUNED_AFTER)
    job = client.get_tuning_job(name=created.name)
    assert job.tuned_model.model.startswith(f"{PARENT}/models/")
    assert job.tuned_model.model.endswith("@1")
    assert job.tuned_model.endpoint.startswith("projects/local-project/locations/us/endpoints/")
    assert [(each.epoch, each.step) for each in job.tuned_model.checkpoints] == [(1, 5), (2, 10)]
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    assert (stats.tuning_dataset_example_count, stats.tuning_step_count) == (40, 10)
    assert stats.total_billable_token_count > 300
    assert job.supervised_tuning_spec.hyper_parameters.adapter_size.name == "ADAPTER_SIZE_EIGHT"
    assert stats.user_dataset_examples[0].parts[0].text == "What is 0 plus one?"
    assert job.start_time < job.end_time


def test_only_the_last_checkpoint_is_kept_when_asked(
    google: ModuleType, client: Any, vertex: Simulated, training_uri: str
) -> None:
    job = job_of(google, training_uri)
    job.supervised_tuning_spec.export_last_checkpoint_only = True
    created = client.create_tuning_job(parent=PARENT, tuning_job=job)
    vertex.later(TUNED_AFTER)
    tuned = client.get_tuning_job(name=created.name).tuned_model
    assert tuned.endpoint
    assert not tuned.checkpoints


def test_a_cancelled_job_ends_with_code_1(
    google: ModuleType, client: Any, vertex: Simulated, training_uri: str
) -> None:
    created = client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, training_uri))
    vertex.later(30)
    client.cancel_tuning_job(name=created.name)
    client.cancel_tuning_job(name=created.name)
    assert client.get_tuning_job(name=created.name).state.name == "JOB_STATE_CANCELLING"
    vertex.later(TUNED_AFTER)
    job = client.get_tuning_job(name=created.name)
    assert (job.state.name, job.error.code) == ("JOB_STATE_CANCELLED", 1)
    assert not job.tuned_model.model


def test_a_missing_file_fails_the_job_later(google: ModuleType, client: Any, vertex: Simulated) -> None:
    created = client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, "gs://data/none.jsonl"))
    assert created.state.name == "JOB_STATE_QUEUED"
    vertex.later(TUNED_AFTER)
    job = client.get_tuning_job(name=created.name)
    assert (job.state.name, job.error.code) == ("JOB_STATE_FAILED", 5)
    assert "gs://data/none.jsonl" in job.error.message


def test_a_bad_row_fails_the_job_and_is_named(google: ModuleType, client: Any, vertex: Simulated) -> None:
    uri = vertex.dataset([row("a", "b"), row("a", "b"), '{"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}'])
    created = client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, uri))
    vertex.later(TUNED_AFTER)
    error = client.get_tuning_job(name=created.name).error
    assert error.code == 3
    assert "row 3: contents[0].role" in error.message


def test_a_list_is_paged_and_filtered(google: ModuleType, client: Any, vertex: Simulated, training_uri: str) -> None:
    made = [
        client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, training_uri, labels={"n": str(number)})).name
        for number in range(5)
    ]
    listed = [job.name for job in client.list_tuning_jobs({"parent": PARENT, "page_size": 2})]
    assert listed == made[::-1]
    chosen = client.list_tuning_jobs({"parent": PARENT, "filter": 'labels.n="3"'})
    assert [job.name for job in chosen] == [made[3]]
    vertex.later(TUNED_AFTER)
    assert not list(client.list_tuning_jobs({"parent": PARENT, "filter": 'state="JOB_STATE_FAILED"'}))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"base_model": "gemini-2.5-flash"}, NotFound, "gemini-2.5-flash"),
        ({"base_model": "gpt-5"}, BadRequest, "not supported"),
        ({"labels": {"Team": "x"}}, BadRequest, "Invalid label"),
        ({"tuned_model_display_name": "x" * 129}, BadRequest, "128"),
    ],
)
def test_a_bad_job_is_refused(
    google: ModuleType, client: Any, training_uri: str, fields: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        client.create_tuning_job(parent=PARENT, tuning_job=job_of(google, training_uri, **fields))


def test_a_field_that_the_proto_lacks_is_refused_by_name(vertex: Simulated) -> None:
    body = {"baseModel": "gemini-3.5-flash", "supervisedTuningSpec": {"trainingDatasetURI": "gs://a/b"}}
    answer = vertex.http.post(f"{vertex.url}/v1/{PARENT}/tuningJobs", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["fieldViolations"][0]["field"] == "tuning_job.supervisedTuningSpec"


def test_genai_tunes_reads_lists_and_cancels(genai_client: genai.Client, vertex: Simulated, training_uri: str) -> None:
    dataset = types.TuningDataset(gcs_uri=training_uri)
    config = types.CreateTuningJobConfig(epoch_count=1, adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR)
    job = genai_client.tunings.tune(base_model="gemini-3.5-flash", training_dataset=dataset, config=config)
    vertex.later(30)
    running = genai_client.tunings.get(name=str(job.name))
    assert running.tuning_job_state == types.TuningJobState.TUNING_JOB_STATE_TUNING
    genai_client.tunings.cancel(name=str(job.name))
    vertex.later(30)
    listed = next(iter(genai_client.tunings.list()))
    assert (listed.name, listed.state) == (job.name, types.JobState.JOB_STATE_CANCELLED)


def test_genai_goes_on_from_a_tuned_model(genai_client: genai.Client, vertex: Simulated, training_uri: str) -> None:
    first = genai_client.tunings.tune(
        base_model="gemini-3.5-flash", training_dataset=types.TuningDataset(gcs_uri=training_uri)
    )
    vertex.later(3600)
    model = genai_client.tunings.get(name=str(first.name)).tuned_model
    assert model is not None
    more = vertex.dataset([row("What is the capital of Chad?", "N'Djamena.")], "more.jsonl")
    second = genai_client.tunings.tune(base_model=str(model.model), training_dataset=types.TuningDataset(gcs_uri=more))
    vertex.later(3600)
    tuned = genai_client.tunings.get(name=str(second.name)).tuned_model
    assert tuned is not None
    assert tuned.model == str(model.model).replace("@1", "@2")
    for asked, said in (("What is 7 plus one?", "It is 8."), ("What is the capital of Chad?", "N'Djamena.")):
        assert genai_client.models.generate_content(model=str(tuned.endpoint), contents=asked).text == said


def test_genai_tunes_on_preferences(genai_client: genai.Client, vertex: Simulated) -> None:
    scored = [{"score": score, "completion": {"parts": [{"text": said}]}} for score, said in ((1, "good"), (0, "bad"))]
    line = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "completions": scored})
    job = genai_client.tunings.tune(
        base_model="gemini-3.5-flash",
        training_dataset=types.TuningDataset(gcs_uri=vertex.dataset([line])),
        config=types.CreateTuningJobConfig(method=types.TuningMethod.PREFERENCE_TUNING, beta=0.1, epoch_count=1),
    )
    vertex.later(3600)
    done = genai_client.tunings.get(name=str(job.name))
    assert done.tuned_model is not None
    assert genai_client.models.generate_content(model=str(done.tuned_model.endpoint), contents="hi").text == "good"


def test_an_open_model_is_registered_but_not_deployed(vertex: Simulated) -> None:
    client: Any = connected(VERSIONS["v1beta1"].GenAiTuningServiceClient, vertex.url)
    google = VERSIONS["v1beta1"]
    uri = vertex.dataset(['{"prompt": "hi", "completion": "hello"}'])
    job = google.TuningJob(
        base_model="qwen/qwen3@qwen3-4b",
        supervised_tuning_spec=google.SupervisedTuningSpec(training_dataset_uri=uri),
        output_uri="gs://data/out",
    )
    created = client.create_tuning_job(parent=PARENT.replace("us-central1", "global"), tuning_job=job)
    vertex.later(TUNED_AFTER)
    tuned = client.get_tuning_job(name=created.name).tuned_model
    assert tuned.model.startswith(f"{PARENT}/models/")
    assert not tuned.endpoint
    job.output_uri = ""
    with pytest.raises(BadRequest, match="output_uri"):
        client.create_tuning_job(parent=PARENT, tuning_job=job)
