"""Tuning on Vertex AI from this computer: a simulated Vertex AI keeps the jobs, and nobody else remembers anything."""

import gzip
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import tuneway
from tests.integration.stack.running import BASE, dataset, row
from tuneway.api import direct_jobs
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings

LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3"
ENVIRONMENT = (
    *("TUNEWAY_URL", "TUNEWAY_API_KEY", "TUNEWAY_PROJECT", "TUNEWAY_LOCATION", "TUNEWAY_BUCKET", "GCS_BUCKET_NAME"),
    *("VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "VERTEXAI_LOCATION", "VERTEX_LOCATION"),
)


@dataclass
class Vertex:
    """A simulation whose clock the test moves."""

    objects: Path
    url: str = ""
    now: float = 1_790_000_000.0
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60))

    def fault(self, **fault: object) -> None:
        assert self.http.post(f"{self.url}/_simulate/faults", json=fault).status_code == 200

    def jobs(self) -> int:
        counts = self.http.get(f"{self.url}/_simulate/calls").json()
        return int(counts["tuning_jobs"] + counts["custom_jobs"])

    def kept(self) -> list[str]:
        """The rows' files that were put into buckets."""
        found = (path for path in self.objects.rglob("*.jsonl") if "jobs" in path.parts)
        return sorted(str(path.relative_to(self.objects)) for path in found)


@pytest.fixture
def vertex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vertex]:
    simulated = Vertex(tmp_path / "objects")
    for bucket in ("shop", "rows", "tuneway-local"):
        (simulated.objects / bucket).mkdir(parents=True)
    settings = VertexSettings(
        store=tmp_path / "vertex.db", objects=simulated.objects, clock=lambda: simulated.now, chunk_seconds=0
    )
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with VertexServer(settings) as server:
        simulated.url = server.url
        monkeypatch.setenv("TUNEWAY_VERTEX_URL", server.url)
        monkeypatch.setattr(direct_jobs, "PAUSES", (0.01, 0.01))
        yield simulated
    simulated.http.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    rows = tmp_path / "sums.jsonl"
    rows.write_bytes(dataset(40))
    return str(rows)


PLACE: dict[str, Any] = {"vertex_project": "shop", "vertex_location": "us-central1", "gcs_bucket_name": "shop"}
HERE: dict[str, Any] = {"vertex_project": "shop", "vertex_location": "us-central1"}


def test_a_file_of_this_computer_becomes_a_model_that_answers(vertex: Vertex, path: str) -> None:
    job = tuneway.create_fine_tuning_job(BASE, path, {"n_epochs": 2, "adapter_size": 4}, suffix="sums", **PLACE)
    assert job.id.startswith("projects/shop/locations/us-central1/tuningJobs/")
    assert (job.status, job.model, job.progress, job.fine_tuned_model) == ("queued", BASE, 0.03, None)
    assert job.tuneway is not None
    assert job.tuneway["dataset"]["rows"] == 40  # type: ignore[index]
    assert job.tuneway["estimate"]["epochs"] == 2  # type: ignore[index]
    vertex.now += 35
    running = tuneway.get_fine_tuning_job(job.id)
    assert (running.status, running.finished_at, running.created_at) == ("running", None, job.created_at)
    assert 0 < (running.progress or 0) < 1
    vertex.now += 5000
    done = tuneway.get_fine_tuning_job(job.id, **HERE)
    assert (done.status, done.progress, done.error) == ("succeeded", 1.0, None)
    assert done.finished_at is not None
    assert done.finished_at > done.created_at
    assert done.trained_tokens is not None
    assert done.trained_tokens > 0
    assert done.hyperparameters is not None
    assert (done.hyperparameters.n_epochs, done.hyperparameters.adapter_size) == (2, 4)
    assert done.training_file == f"gs://{vertex.kept()[0]}"
    assert done.fine_tuned_model is not None
    said = tuneway.completion(done.fine_tuned_model, [{"role": "user", "content": "What is 12 plus one?"}])
    assert said.choices[0].message.content == "It is 13."


def test_rows_come_in_any_form_and_from_any_place(vertex: Vertex, tmp_path: Path) -> None:
    table = tmp_path / "sums.csv"
    table.write_text("question,answer\n" + "".join(f"What is {n}?,It is {n}.\n" for n in range(30)))
    squeezed = tmp_path / "sums.jsonl.gz"
    squeezed.write_bytes(gzip.compress(dataset(30)))
    (vertex.objects / "rows" / "theirs.jsonl").write_bytes(dataset(30))
    for name in (str(table), str(squeezed), "gs://rows/theirs.jsonl"):
        job = tuneway.create_fine_tuning_job(BASE, name, validation_file=name, **HERE | {"gcs_bucket_name": "shop"})
        first = json.loads((vertex.objects / job.training_file.removeprefix("gs://")).read_text().splitlines()[0])
        assert first["contents"][0]["role"] == "user"
    beside = tuneway.create_fine_tuning_job(BASE, "gs://rows/theirs.jsonl", **HERE)
    assert beside.training_file.startswith("gs://rows/jobs/")


@pytest.mark.parametrize(
    ("base", "kind"), [(f"vertex_ai/{LLAMA}", "tuningJobs"), (MISTRAL, "customJobs")], ids=["open", "custom"]
)
def test_every_backend_of_vertex_ai_leaves_weights(vertex: Vertex, path: str, base: str, kind: str) -> None:
    job = tuneway.create_fine_tuning_job(base, path, {"n_epochs": 2}, gcs_bucket_name="gs://shop/", vertex_project="p")
    assert f"/{kind}/" in job.id
    vertex.now += 20_000
    done = tuneway.get_fine_tuning_job(job.id)
    assert (done.status, done.error) == ("succeeded", None)
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith("gs://shop/jobs/ftjob-")
    assert done.model in {LLAMA, MISTRAL}
    assert done.hyperparameters is not None
    assert done.hyperparameters.n_epochs == 2
    assert done.training_file == job.training_file == f"gs://{vertex.kept()[0]}"
    listed = tuneway.list_fine_tuning_jobs(vertex_project="p", vertex_location=job.id.split("/")[3])
    assert [each.id for each in listed.data] == [job.id]


def test_jobs_are_listed_newest_first_and_page_by_page(vertex: Vertex, path: str) -> None:
    made = []
    for base in (BASE, LLAMA, MISTRAL):
        vertex.now += 5
        made.append(tuneway.create_fine_tuning_job(base, path, **PLACE).id)
    first = tuneway.list_fine_tuning_jobs(limit=2, **HERE)
    assert ([job.id for job in first.data], first.has_more) == ([made[2], made[1]], True)
    second = tuneway.list_fine_tuning_jobs(first.data[-1].id, 2, **HERE)
    assert ([job.id for job in second.data], second.has_more) == ([made[0]], False)
    assert tuneway.list_fine_tuning_jobs(vertex_project="nobody").data == []
    with pytest.raises(tuneway.NotFoundError) as gone:
        tuneway.list_fine_tuning_jobs(after="projects/shop/locations/us-central1/tuningJobs/1", **HERE)
    assert gone.value.param == "after"


def test_a_running_job_is_cancelled_and_one_that_has_ended_stays(vertex: Vertex, path: str) -> None:
    job = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    vertex.now += 35
    assert tuneway.cancel_fine_tuning_job(job.id).status in {"running", "cancelled"}
    vertex.now += 35
    assert tuneway.retrieve_fine_tuning_job(job.id).status == "cancelled"
    other = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    vertex.now += 5000
    assert tuneway.cancel_fine_tuning_job(other.id).status == "succeeded"


def test_digits_name_a_job_of_the_given_place(vertex: Vertex, path: str) -> None:
    job = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    assert tuneway.get_fine_tuning_job(job.id.rpartition("/")[2], **HERE).id == job.id
    assert vertex.jobs() == 1


def test_a_lost_answer_makes_no_second_job(vertex: Vertex, path: str) -> None:
    vertex.fault(path="tuningJobs", method="POST", fault="lost")
    job = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    assert job.status == "queued"
    assert vertex.jobs() == 1


def test_a_busy_provider_is_asked_again(vertex: Vertex, path: str) -> None:
    vertex.fault(path="tuningJobs", method="POST", fault="status", status=429)
    assert tuneway.create_fine_tuning_job(BASE, path, **PLACE).status == "queued"
    vertex.fault(path="tuningJobs", method="POST", fault="status", status=503, times=10)
    with pytest.raises(tuneway.ServiceUnavailableError, match="list_fine_tuning_jobs"):
        tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    assert vertex.jobs() == 1


def test_refused_credentials_are_the_callers_own(vertex: Vertex, path: str) -> None:
    vertex.fault(path="tuningJobs", fault="status", status=401, times=10)
    with pytest.raises(tuneway.AuthenticationError, match="gcloud auth") as fault:
        tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    assert fault.value.status_code == 401
    with pytest.raises(tuneway.AuthenticationError):
        tuneway.list_fine_tuning_jobs(**HERE)
    vertex.http.delete(f"{vertex.url}/_simulate/faults")
    vertex.fault(path="tuningJobs", fault="status", status=403)
    with pytest.raises(tuneway.PermissionDeniedError):
        tuneway.list_fine_tuning_jobs(**HERE)
    assert vertex.jobs() == 0


def test_a_repeated_call_with_one_key_is_one_job(vertex: Vertex, path: str) -> None:
    once: dict[str, Any] = {**PLACE, "extra_headers": {"Idempotency-Key": "order-7"}}
    first = tuneway.create_fine_tuning_job(BASE, path, **once)
    again = tuneway.create_fine_tuning_job(BASE, path, **once)
    assert (again.id, vertex.jobs()) == (first.id, 1)
    other = tuneway.create_fine_tuning_job(BASE, path, **PLACE, extra_headers={"Idempotency-Key": "order-8"})
    assert other.id != first.id


def test_a_repeated_call_needs_its_file_no_more(vertex: Vertex, path: str) -> None:
    once: dict[str, Any] = {**PLACE, "extra_headers": {"Idempotency-Key": "order-9"}}
    first = tuneway.create_fine_tuning_job(BASE, path, **once)
    Path(path).unlink()
    assert tuneway.create_fine_tuning_job(BASE, path, **once).id == first.id
    with pytest.raises(tuneway.BadRequestError, match="no file"):
        tuneway.create_fine_tuning_job(BASE, path, **PLACE)


def test_columns_of_rows_that_have_none_are_refused_by_name(vertex: Vertex, path: str) -> None:
    columns = {"prompt": "ticket", "completion": "reply"}
    with pytest.raises(tuneway.BadRequestError, match="leave 'columns' out") as fault:
        tuneway.create_fine_tuning_job(BASE, path, columns=columns, **PLACE)
    assert (fault.value.param, vertex.jobs(), vertex.kept()) == ("columns", 0, [])


def test_a_tuned_model_is_tuned_further(vertex: Vertex, path: str) -> None:
    job = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    vertex.now += 5000
    done = tuneway.get_fine_tuning_job(job.id)
    assert done.tuneway is not None
    model = done.tuneway["tuned"]["model"]  # type: ignore[index]
    further = tuneway.create_fine_tuning_job(model, path, **PLACE)
    assert further.model == BASE
    assert further.tuneway is not None
    assert further.tuneway["pre_tuned"]["model"] == model  # type: ignore[index]
    with pytest.raises(tuneway.BadRequestError, match="No tuning job made") as unknown:
        tuneway.create_fine_tuning_job("projects/shop/locations/us-central1/models/1", path, **PLACE)
    assert unknown.value.param == "model"


def test_a_job_that_fails_says_why(vertex: Vertex, path: str) -> None:
    job = tuneway.create_fine_tuning_job(BASE, path, **PLACE)
    vertex.now += 1
    other = _doomed(vertex)
    vertex.now += 5000
    assert tuneway.get_fine_tuning_job(job.id).status == "succeeded"
    failed = tuneway.get_fine_tuning_job(other)
    assert (failed.status, failed.fine_tuned_model) == ("failed", None)
    assert failed.error is not None
    assert failed.error.message


def _doomed(vertex: Vertex) -> str:
    """A job that somebody else started, past tuneway, on rows that are none."""
    (vertex.objects / "rows" / "bad.jsonl").write_text('{"nothing": "of use"}\n')
    body = {"baseModel": BASE, "supervisedTuningSpec": {"trainingDatasetUri": "gs://rows/bad.jsonl"}}
    answer = vertex.http.post(f"{vertex.url}/v1/projects/shop/locations/us-central1/tuningJobs", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


BAD_ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("model", {"model": "gpt-2"}),
    ("training_file", {"training_file": "missing.jsonl"}),
    ("training_file", {"training_file": "file-0123"}),
    ("training_file", {"training_file": "gs://rows/missing.jsonl"}),
    ("validation_file", {"validation_file": "missing.jsonl"}),
    ("hyperparameters.n_epochs", {"hyperparameters": {"n_epochs": 99}}),
    ("hyperparameters.momentum", {"hyperparameters": {"momentum": 1}}),
    ("method.type", {"method": {"type": "reinforcement"}}),
    ("suffix", {"suffix": "not this one!"}),
    ("seed", {"seed": 7}),
    ("metadata", {"metadata": {"team": "sums"}}),
    ("organization", {"organization": "shop"}),
    ("made_up", {"extra_body": {"made_up": 1}}),
    ("extra_body", {"extra_body": "no object"}),
    ("extra_headers", {"extra_headers": {"X-Team": "sums"}}),
    ("vertex_location", {"vertex_location": "mars-north1"}),
    ("max_cost_usd", {"max_cost_usd": 0.0}),
    ("timeout", {"timeout": "soon"}),
    ("custom_llm_provider", {"custom_llm_provider": "azure"}),
]


@pytest.mark.parametrize(
    ("param", "change"), BAD_ORDERS, ids=[f"{param}-{n}" for n, (param, _) in enumerate(BAD_ORDERS)]
)
def test_a_bad_order_is_refused_by_its_field_before_it_costs(
    vertex: Vertex, path: str, param: str, change: dict[str, Any]
) -> None:
    arguments = {"model": BASE, "training_file": path, **PLACE, **change}
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.create_fine_tuning_job(**arguments)
    assert (fault.value.param, fault.value.status_code) == (param, 400)
    assert (vertex.jobs(), vertex.kept()) == (0, [])


def test_a_bad_row_is_told_by_its_line_and_leaves_nothing_behind(vertex: Vertex, tmp_path: Path) -> None:
    rows = tmp_path / "bad.jsonl"
    rows.write_bytes(dataset(20) + b'{"messages": []}\n' + row("More?", "No."))
    with pytest.raises(tuneway.BadRequestError, match="Line 21") as fault:
        tuneway.create_fine_tuning_job(BASE, str(rows), **PLACE)
    assert (fault.value.param, fault.value.code) == ("training_file", "invalid_training_file")
    assert (vertex.jobs(), vertex.kept()) == (0, [])


def test_bedrock_is_for_a_deployed_tuneway(vertex: Vertex, path: str) -> None:
    with pytest.raises(tuneway.BadRequestError, match="base_url") as fault:
        tuneway.create_fine_tuning_job("bedrock/amazon.nova-micro-v1:0:128k", path, **HERE)
    assert fault.value.param == "model"
    assert (vertex.jobs(), vertex.kept()) == (0, [])


def test_an_unknown_job_is_not_found_and_no_job_at_all_is_refused(vertex: Vertex) -> None:
    with pytest.raises(tuneway.NotFoundError):
        tuneway.get_fine_tuning_job("projects/shop/locations/us-central1/tuningJobs/404")
    for name in ("projects/shop/locations/us-central1/endpoints/4", "projects/shop/../tuningJobs/1", "x" * 400):
        with pytest.raises(tuneway.BadRequestError):
            tuneway.get_fine_tuning_job(name, **HERE)
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.get_fine_tuning_job("1", **HERE, suffix="none")  # type: ignore[call-arg]
    assert fault.value.param == "suffix"
    assert vertex.jobs() == 0


def test_somewhere_has_to_be_meant(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    for name in (*ENVIRONMENT, "TUNEWAY_VERTEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tuneway.BadRequestError, match="base_url") as fault:
        tuneway.create_fine_tuning_job(BASE, path)
    assert fault.value.param == "vertex_project"
    with pytest.raises(tuneway.BadRequestError) as bucket:
        tuneway.create_fine_tuning_job(BASE, path, vertex_project="shop", api_key="token")
    assert bucket.value.param == "gcs_bucket_name"
    with pytest.raises(tuneway.BadRequestError) as project:
        tuneway.list_fine_tuning_jobs(custom_llm_provider="vertex_ai", api_key="token")
    assert project.value.param == "vertex_project"


async def test_the_twins_are_coroutines_of_the_same_names_arguments_and_answers(vertex: Vertex, path: str) -> None:
    job = await tuneway.acreate_fine_tuning_job(BASE, path, {"n_epochs": 1}, **PLACE)
    assert (await tuneway.aget_fine_tuning_job(job.id)).id == job.id
    assert [each.id for each in (await tuneway.alist_fine_tuning_jobs(limit=1, **HERE)).data] == [job.id]
    assert (await tuneway.acancel_fine_tuning_job(job.id)).id == job.id
    vertex.now += 35
    assert (await tuneway.aretrieve_fine_tuning_job(job.id)).status == "cancelled"
    assert (await tuneway.aestimate_fine_tuning_cost(BASE, path)).epochs > 0
    with pytest.raises(tuneway.NotFoundError):
        await tuneway.aget_fine_tuning_job(f"{job.id}0")
    for name in ("create_fine_tuning_job", "list_fine_tuning_jobs", "estimate_fine_tuning_cost"):
        plain, later = getattr(tuneway, name), getattr(tuneway, f"a{name}")
        assert (inspect.iscoroutinefunction(later), later.__name__) == (True, f"a{name}")
        assert inspect.signature(later) == inspect.signature(plain)
