"""The VertexTuning adapter against the simulation, with Google's own client underneath."""

from collections.abc import Callable

import pytest

from tests.integration.vertex.conftest import PARENT, Simulated
from tuneway.adapters.vertex_tuning import VertexTuning
from tuneway.errors import BadInput, NotFound, TryLater, TunewayError
from tuneway.ports import ProviderState, TuningRequest

PLACE = "us-central1"


@pytest.fixture
def tuning(vertex: Simulated) -> VertexTuning:
    return VertexTuning(project="local-project", timeout=60, vertex_url=vertex.url)


@pytest.fixture
def wanted(training_uri: str) -> TuningRequest:
    return TuningRequest(
        token="job-1",
        location=PLACE,
        base_model="gemini-3.5-flash",
        training_uri=training_uri,
        display_name="sums",
        epochs=2,
        learning_rate_multiplier=0.5,
        adapter_size=2,
    )


def test_a_job_is_created_with_all_that_was_asked(
    tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated
) -> None:
    job = tuning.create(wanted)
    shown = vertex.http.get(f"{vertex.url}/v1/{job.name}").json()
    assert job.state == ProviderState.QUEUED
    assert shown["labels"] == {"tuneway-job": "job-1"}
    assert shown["tunedModelDisplayName"] == "sums"
    chosen = shown["supervisedTuningSpec"]["hyperParameters"]
    assert chosen == {"epochCount": "2", "learningRateMultiplier": 0.5, "adapterSize": "ADAPTER_SIZE_TWO"}


def test_what_is_not_asked_is_left_to_vertex(tuning: VertexTuning, training_uri: str, vertex: Simulated) -> None:
    bare = TuningRequest(
        token="job-2", location=PLACE, base_model="gemini-3.5-flash", training_uri=training_uri, display_name="x"
    )
    shown = vertex.http.get(f"{vertex.url}/v1/{tuning.create(bare).name}").json()
    assert not shown["supervisedTuningSpec"].get("hyperParameters")


def test_progress_comes_with_the_job(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    name = tuning.create(wanted).name
    vertex.later(15)
    assert tuning.get(name).phase == "processing_dataset"
    vertex.later(21)
    job = tuning.get(name)
    assert (job.state, job.phase) == (ProviderState.RUNNING, "tuning")
    assert (job.steps_done, job.epochs_done, job.steps_total) == (6, 1, 10)
    assert job.billable_tokens == 311


def test_a_finished_job_has_its_model(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    name = tuning.create(wanted).name
    vertex.later(600)
    job = tuning.get(name)
    assert job.state == ProviderState.SUCCEEDED
    assert job.finished_at is not None
    assert job.tuned is not None
    assert [(each.id, each.epoch, each.step) for each in job.tuned.checkpoints] == [("1", 1, 5), ("2", 2, 10)]
    assert job.tuned.endpoint == job.tuned.checkpoints[-1].endpoint
    found = tuning.find("job-1", location=PLACE)
    assert found is not None
    assert (found.name, found.tuned) == (job.name, job.tuned)


def test_a_lost_answer_is_found_again(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    vertex.fault(path="tuningJobs", method="POST", fault="lost")
    with pytest.raises(TryLater):
        tuning.create(wanted)
    found = tuning.find(wanted.token, location=PLACE)
    assert found is not None
    assert found.state == ProviderState.QUEUED
    assert vertex.jobs() == 1


def test_a_job_is_found_on_a_later_page(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    first = tuning.create(wanted).name
    body = {"baseModel": "gemini-3.5-flash", "supervisedTuningSpec": {"trainingDatasetUri": wanted.training_uri}}
    for _ in range(120):
        assert vertex.http.post(f"{vertex.url}/v1/{PARENT}/tuningJobs", json=body).status_code == 200
    found = tuning.find(wanted.token, location=PLACE)
    assert found is not None
    assert found.name == first
    assert tuning.find("job-9", location=PLACE) is None
    assert vertex.calls()["GET tuningJobs"] == 4


def test_a_cancelled_job_stays_cancelled(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    name = tuning.create(wanted).name
    tuning.cancel(name)
    tuning.cancel(name)
    assert tuning.get(name).state == ProviderState.RUNNING
    vertex.later(30)
    tuning.cancel(name)
    assert tuning.get(name).state == ProviderState.CANCELLED


def test_a_failed_job_says_why(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    (vertex.objects / "data" / "train.jsonl").write_text("not json")
    name = tuning.create(wanted).name
    vertex.later(600)
    job = tuning.get(name)
    assert job.state == ProviderState.FAILED
    assert "row 1" in str(job.error)


PASSING = [
    {"fault": "status", "status": 401},
    {"fault": "status", "status": 408},
    {"fault": "status", "status": 409},
    {"fault": "status", "status": 429, "retry_after": 1},
    {"fault": "status", "status": 500},
    {"fault": "html"},
    {"fault": "cut"},
    {"fault": "disconnect"},
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault['fault']}{fault.get('status', '')}")
def test_what_may_pass_is_tried_later(
    tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated, fault: dict[str, object]
) -> None:
    name = tuning.create(wanted).name
    calls: list[Callable[[], object]] = [
        lambda: tuning.find("job-1", location=PLACE),
        lambda: tuning.get(name),
        lambda: tuning.create(wanted),
    ]
    for call in calls:
        vertex.fault(path="tuningJobs", **fault)
        with pytest.raises(TryLater):
            call()
        vertex.http.delete(f"{vertex.url}/_simulate/faults")


def test_a_slow_answer_is_not_waited_for(tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated) -> None:
    name = tuning.create(wanted).name
    vertex.fault(path="tuningJobs", fault="slow", seconds=3)
    with pytest.raises(TryLater):
        VertexTuning(project="local-project", timeout=0.3, vertex_url=vertex.url).get(name)


@pytest.mark.parametrize(("status", "error"), [(400, "BadInput"), (403, "NotAllowed"), (404, "NotFound")])
def test_what_is_permanent_says_so(
    tuning: VertexTuning, wanted: TuningRequest, vertex: Simulated, status: int, error: str
) -> None:
    vertex.fault(path="tuningJobs", fault="status", status=status, times=3)
    for call in (
        lambda: tuning.create(wanted),
        lambda: tuning.get(f"{PARENT}/tuningJobs/1"),
        lambda: tuning.cancel(f"{PARENT}/tuningJobs/1"),
    ):
        with pytest.raises(TunewayError, match="This fault was asked for") as caught:
            call()
        assert type(caught.value).__name__ == error


def test_a_job_that_is_not_there_is_not_found(tuning: VertexTuning) -> None:
    with pytest.raises(NotFound):
        tuning.get(f"{PARENT}/tuningJobs/404")


@pytest.mark.parametrize("location", ["evil.com/", "", "US", "a/b", "us-central1-aiplatform.googleapis.com#"])
def test_what_is_no_location_is_refused(vertex: Simulated, wanted: TuningRequest, location: str) -> None:
    for tuning in (
        VertexTuning(project="p", timeout=1, vertex_url=vertex.url),
        VertexTuning(project="p", timeout=1),
    ):
        with pytest.raises(BadInput):
            tuning.find("job-1", location=location)
        with pytest.raises(BadInput):
            tuning.get(f"projects/p/locations/{location}/tuningJobs/1")


def test_a_refused_base_model_is_bad_input(tuning: VertexTuning, training_uri: str) -> None:
    unknown = TuningRequest(token="t", location=PLACE, base_model="gpt-5", training_uri=training_uri, display_name="x")
    with pytest.raises(BadInput, match="not supported"):
        tuning.create(unknown)
