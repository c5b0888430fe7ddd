"""Google's job client and its custom jobs on the simulation."""

import json
from types import ModuleType
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound

from tests.integration.vertex.conftest import PARENT, Simulated, connected

ENDED_AFTER = 600.0
FILTER = 'state!="JOB_STATE_SUCCEEDED" AND state!="JOB_STATE_FAILED"'


@pytest.fixture
def client(google: ModuleType, vertex: Simulated) -> Any:
    return connected(google.JobServiceClient, vertex.url)


@pytest.fixture
def data(vertex: Simulated) -> str:
    return vertex.dataset([json.dumps({"prompt": f"{number}?", "completion": f"{number}!"}) for number in range(16)])


def job_of(google: ModuleType, uri: str, *, output: str = "gs://data/out", **fields: Any) -> Any:
    container = google.ContainerSpec(image_uri="train:1", args=["--epochs=2", f"--data={uri}"])
    machine = google.MachineSpec(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1)
    pool = google.WorkerPoolSpec(machine_spec=machine, replica_count=1, container_spec=container)
    spec = google.CustomJobSpec(
        worker_pool_specs=[pool], base_output_directory=google.GcsDestination(output_uri_prefix=output)
    )
    return google.CustomJob(**{"display_name": "mine", "job_spec": spec, **fields})


def test_a_job_passes_through_the_real_states(google: ModuleType, client: Any, vertex: Simulated, data: str) -> None:
    job = client.create_custom_job(parent=PARENT, custom_job=job_of(google, data))
    seen, updated = [job.state.name], [job.update_time]
    for _ in range(60):
        vertex.later(5)
        job = client.get_custom_job(name=job.name)
        seen.append(job.state.name)
        updated.append(job.update_time)
    assert list(dict.fromkeys(seen)) == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    assert updated == sorted(updated)
    assert len(set(updated)) > 3
    assert job.create_time < job.start_time < job.end_time
    assert job.job_spec.worker_pool_specs[0].machine_spec.accelerator_type.name == "NVIDIA_L4"
    saved = vertex.objects / "data" / "out"
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]


def test_a_cancelled_job_ends_with_code_1(google: ModuleType, client: Any, vertex: Simulated, data: str) -> None:
    name = client.create_custom_job(parent=PARENT, custom_job=job_of(google, data)).name
    vertex.later(25)
    client.cancel_custom_job(name=name)
    client.cancel_custom_job(name=name)
    assert client.get_custom_job(name=name).state.name == "JOB_STATE_CANCELLING"
    vertex.later(ENDED_AFTER)
    job = client.get_custom_job(name=name)
    assert (job.state.name, job.error.code) == ("JOB_STATE_CANCELLED", 1)
    assert not (vertex.objects / "data" / "out").exists()


@pytest.mark.parametrize(
    ("uri", "output", "words"),
    [
        ("gs://data/none.jsonl", "gs://data/out", "does not exist"),
        ("gs://data/train.jsonl", "gs://nowhere/out", "gs://nowhere/out"),
    ],
)
def test_a_container_that_fails_says_so_in_its_log(
    google: ModuleType, client: Any, vertex: Simulated, data: str, uri: str, output: str, words: str
) -> None:
    assert data == "gs://data/train.jsonl"
    created = client.create_custom_job(parent=PARENT, custom_job=job_of(google, uri, output=output))
    vertex.later(ENDED_AFTER)
    error = client.get_custom_job(name=created.name).error
    assert error.code == 3
    assert "non-zero status of 1" in error.message
    assert words in error.message


def test_a_list_is_paged_and_filtered(google: ModuleType, client: Any, vertex: Simulated, data: str) -> None:
    made = [
        client.create_custom_job(
            parent=PARENT, custom_job=job_of(google, data, display_name=f"job-{n}", labels={"run-id": str(n)})
        ).name
        for n in range(5)
    ]
    vertex.later(ENDED_AFTER)
    made.append(client.create_custom_job(parent=PARENT, custom_job=job_of(google, data)).name)

    def listed(expression: str) -> list[int]:
        found = client.list_custom_jobs({"parent": PARENT, "filter": expression, "page_size": 2})
        return [made.index(job.name) for job in found]

    assert listed("") == [5, 4, 3, 2, 1, 0]
    assert listed(FILTER) == [5]
    assert listed('labels.run-id="3"') == [3]
    assert listed("labels.run-id:* AND NOT display_name=job-4") == [3, 2, 1, 0]
    assert listed('display_name:"job-*" OR state="JOB_STATE_PENDING"') == [5, 4, 3, 2, 1, 0]
    assert listed('create_time>"2030-01-01T00:00:00Z"') == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"display_name": ""}, "display name"),
        ({"labels": {"Team": "x"}}, "Invalid label"),
        ({"job_spec": {}}, "worker pool"),
        ({"job_spec": {"worker_pool_specs": [{"container_spec": {"image_uri": "x"}}]}}, "machine type"),
        ({"job_spec": {"worker_pool_specs": [{"machine_spec": {"machine_type": "n1"}}]}}, "container image"),
    ],
)
def test_a_bad_job_is_refused(google: ModuleType, client: Any, data: str, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        client.create_custom_job(parent=PARENT, custom_job=job_of(google, data, **change))


def test_custom_jobs_are_of_a_region(google: ModuleType, client: Any, data: str) -> None:
    with pytest.raises(BadRequest, match="region"):
        client.create_custom_job(parent=PARENT.replace("us-central1", "global"), custom_job=job_of(google, data))


def test_a_job_that_is_not_there_is_not_found(client: Any) -> None:
    with pytest.raises(NotFound):
        client.get_custom_job(name=f"{PARENT}/customJobs/1")
    with pytest.raises(NotFound):
        client.cancel_custom_job(name=f"{PARENT}/customJobs/1")


def test_faults_and_progress_are_there_too(google: ModuleType, client: Any, vertex: Simulated, data: str) -> None:
    vertex.fault(path="customJobs", fault="status", status=429)
    with pytest.raises(Exception, match="asked for"):
        client.create_custom_job(parent=PARENT, custom_job=job_of(google, data))
    name = client.create_custom_job(parent=PARENT, custom_job=job_of(google, data)).name
    vertex.later(28.5)
    shown = vertex.http.get(f"{vertex.url}/_simulate/jobs/{name.rpartition('/')[2]}").json()
    assert (shown["state"], shown["phase"]) == ("JOB_STATE_RUNNING", "TUNING")
    assert vertex.http.get(f"{vertex.url}/_simulate/calls").json()["custom_jobs"] == 1
