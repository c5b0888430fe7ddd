"""The unmodified ``openai`` SDK goes through the whole loop; every answer it gets is held against OpenAI's document."""

import json
import subprocess
import time
from collections.abc import Callable, Collection, Iterator

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.contracts.openapi import departures, events
from tests.integration.stack.running import BASE, ENDED, Stack, asked, dataset, lengthy, running
from tests.waiting import PATIENCE, wait_until

QUESTION = "What is 12 plus one?"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param([], id="sqlite"),
        pytest.param(["--emulators"], id="emulators", marks=pytest.mark.xdist_group("emulators")),
    ],
)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("sdk"), *request.param) as started:
        yield started


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[openai.OpenAI]:
    with stack.sdk() as client:
        yield client


@pytest.fixture(scope="module")
def file_id(client: openai.OpenAI) -> str:
    return client.files.create(file=("train.jsonl", dataset()), purpose="fine-tune").id


@pytest.fixture(scope="module")
def job(client: openai.OpenAI, file_id: str) -> FineTuningJob:
    """Created from the file, and polled to its end."""
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file_id,
        suffix="sums",
        metadata={"team": "sums"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    )
    assert (job.status, job.training_file, job.metadata) == ("validating_files", file_id, {"team": "sums"})
    return until(client, job, ENDED)


@pytest.fixture(scope="module")
def model(job: FineTuningJob) -> str:
    assert job.status == "succeeded", job.error
    assert job.fine_tuned_model is not None
    return job.fine_tuned_model


def until(client: openai.OpenAI, job: FineTuningJob, statuses: Collection[str]) -> FineTuningJob:
    """The job once it has one of the statuses."""
    end = time.monotonic() + PATIENCE
    while job.status not in statuses and time.monotonic() < end:
        time.sleep(0.1)
        job = client.fine_tuning.jobs.retrieve(job.id)
    return job


def wait(true: Callable[[], bool]) -> bool:
    wait_until(true)
    return True


def test_a_file_is_kept_listed_read_back_and_deleted(client: openai.OpenAI) -> None:
    kept = client.files.create(file=("short.jsonl", dataset(3)), purpose="fine-tune")
    assert (kept.filename, kept.bytes, kept.purpose) == ("short.jsonl", len(dataset(3)), "fine-tune")
    assert kept.id in [file.id for file in client.files.list(purpose="fine-tune")]
    assert client.files.retrieve(kept.id) == kept
    assert client.files.content(kept.id).read() == dataset(3)
    assert client.files.delete(kept.id).deleted
    assert kept.id not in [file.id for file in client.files.list()]
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(kept.id)


def test_files_are_listed_page_by_page_in_either_order(client: openai.OpenAI) -> None:
    made = [client.files.create(file=(f"{n}.jsonl", dataset(n)), purpose="fine-tune").id for n in (1, 2, 3)]
    newest = [file.id for file in client.files.list(limit=2)]
    oldest = [file.id for file in client.files.list(limit=2, order="asc")]
    assert newest[:3] == made[::-1]
    assert newest == oldest[::-1]


def test_a_job_goes_from_its_file_to_a_model(job: FineTuningJob, model: str) -> None:
    assert model.startswith(f"ft:{BASE}:local:sums:")
    assert job.finished_at is not None
    assert job.finished_at >= job.created_at
    assert job.error is None
    assert job.hyperparameters.n_epochs == 2
    assert job.trained_tokens
    assert job.organization_id == "local"


def test_the_events_tell_the_jobs_story(client: openai.OpenAI, job: FineTuningJob) -> None:
    told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
    assert told[-1] == "Created fine-tuning job."
    assert told[0] == f"New fine-tuned model created: {job.fine_tuned_model}"
    assert any("Estimate:" in line for line in told)
    paged = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=2)]
    assert paged == told


def test_checkpoints_are_listed_page_by_page_and_answer_by_their_names(
    client: openai.OpenAI, job: FineTuningJob
) -> None:
    points = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert points
    assert [point.fine_tuning_job_id for point in points] == [job.id] * len(points)
    assert [point.step_number for point in points] == sorted((p.step_number for p in points), reverse=True)
    named = points[0].fine_tuned_model_checkpoint
    completion = client.chat.completions.create(model=named, messages=[{"role": "user", "content": QUESTION}])
    assert completion.choices[0].message.content == "It is 13."


def test_jobs_are_filtered_by_metadata(client: openai.OpenAI, job: FineTuningJob) -> None:
    assert [found.id for found in client.fine_tuning.jobs.list(metadata={"team": "sums"})] == [job.id]
    assert list(client.fine_tuning.jobs.list(metadata={"team": "nobody"})) == []


def test_a_tuned_model_is_tuned_further(client: openai.OpenAI, file_id: str, model: str) -> None:
    further = client.fine_tuning.jobs.create(model=model, training_file=file_id, suffix="further")
    further = until(client, further, ENDED)
    assert further.status == "succeeded", further.error
    assert (further.model, further.fine_tuned_model != model) == (BASE, True)


def test_what_cannot_be_paused_says_so(client: openai.OpenAI, job: FineTuningJob) -> None:
    with pytest.raises(openai.BadRequestError, match="cannot be paused"):
        client.fine_tuning.jobs.pause(job.id)


def test_a_job_above_its_limit_waits_until_it_is_approved_by_curl(
    stack: Stack, client: openai.OpenAI, file_id: str
) -> None:
    body = {"max_cost_usd": 0.01, "metadata": {"gate": "approved"}}
    made = client.fine_tuning.jobs.create(model=BASE, training_file=file_id, extra_body=body)
    held = until(client, made, {"queued"})
    assert wait(lambda: stack.http.get(f"/v1/fine_tuning/jobs/{made.id}").json()["tuneway"]["status"] == "held")
    assert (held.status, held.fine_tuned_model) == ("queued", None)
    for _ in range(2):
        curl = ["curl", "-sS", "-X", "POST", f"{stack.url}/v1/fine_tuning/jobs/{made.id}/approve"]
        done = subprocess.run(
            [*curl, "-H", f"Authorization: Bearer {stack.key}"], capture_output=True, check=True, timeout=300
        )
        assert json.loads(done.stdout)["tuneway"]["approval"]["by"] == "local (local stack)"
    assert until(client, made, ENDED).status == "succeeded"


def test_a_refused_job_has_failed_with_the_reason(stack: Stack, client: openai.OpenAI, file_id: str) -> None:
    made = client.fine_tuning.jobs.create(model=BASE, training_file=file_id, extra_body={"max_cost_usd": 0})
    assert wait(lambda: stack.http.get(f"/v1/fine_tuning/jobs/{made.id}").json()["tuneway"]["status"] == "held")
    answer = stack.http.post(f"/v1/fine_tuning/jobs/{made.id}/refuse", json={"reason": "too dear"})
    assert answer.status_code == 200
    refused = until(client, made, ENDED)
    assert refused.error is not None
    assert (refused.status, refused.error.code) == ("failed", "approval_refused")
    assert "too dear" in refused.error.message


def test_the_tuned_model_answers(client: openai.OpenAI, model: str) -> None:
    completion = client.chat.completions.create(model=model, messages=[{"role": "user", "content": QUESTION}])
    assert completion.choices[0].message.content == "It is 13."
    assert (completion.model, completion.choices[0].finish_reason) == (model, "stop")
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


def test_the_tuned_model_streams(client: openai.OpenAI, model: str) -> None:
    chunks = list(
        client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "It is 13."
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_the_asynchronous_client_streams_too(stack: Stack, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=stack.key) as client:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "".join(pieces) == "It is 13."


@pytest.mark.parametrize("options", [None, {"include_usage": True}], ids=["plain", "with usage"])
def test_every_chunk_is_what_the_document_says(stack: Stack, model: str, options: dict[str, bool] | None) -> None:
    body = asked(model, QUESTION, stream=True, **({"stream_options": options} if options else {}))
    answer = stack.http.post("/v1/chat/completions", json=body)
    kind = answer.headers["content-type"]
    assert kind.startswith("text/event-stream")
    assert answer.content.endswith(b"data: [DONE]\n\n")
    assert len(events(answer.content)) >= 2
    faults = departures("POST", "/v1/chat/completions", status=200, kind=kind, body=answer.content)
    assert not faults, answer.text


def test_the_model_is_listed_and_described(client: openai.OpenAI, model: str) -> None:
    assert model in [listed.id for listed in client.models.list()]
    described = client.models.retrieve(model)
    assert (described.id, described.owned_by) == (model, "local")


def test_jobs_are_listed_page_by_page_newest_first(client: openai.OpenAI, file_id: str, model: str) -> None:
    made = [client.fine_tuning.jobs.create(model=BASE, training_file=file_id).id for _ in range(3)]
    first = client.fine_tuning.jobs.list(limit=2)
    assert ([job.id for job in first.data], first.has_more) == (made[:0:-1], True)
    every = list(client.fine_tuning.jobs.list(limit=2))
    assert [job.id for job in every[:3]] == made[::-1]
    assert model in [job.fine_tuned_model for job in every]


def test_a_cancelled_job_ends_cancelled(stack: Stack, client: openai.OpenAI) -> None:
    job = client.fine_tuning.jobs.retrieve(lengthy(stack.http)["id"])
    client.fine_tuning.jobs.cancel(job.id)
    job = until(client, job, ENDED)
    assert (job.status, job.fine_tuned_model) == ("cancelled", None)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_a_model_that_was_never_made_is_a_not_found_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="ft:none", messages=[{"role": "user", "content": "hi"}])
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
