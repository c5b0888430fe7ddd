"""The Python API through a deployed tuneway."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

import tuneway
from tests.integration.python_api.conftest import Deployed
from tests.integration.stack.running import BASE, dataset
from tests.waiting import PATIENCE

QUESTION = [{"role": "user", "content": "What is 12 plus one?"}]
ENDED = {"succeeded", "failed", "cancelled"}


def text_of(stream: tuneway.CompletionStream) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_an_alias_answers(deployed: Deployed) -> None:
    answer = tuneway.completion(deployed.alias, QUESTION, temperature=0.2, **deployed.there)
    assert answer.choices[0].message.content == "It is 13."
    assert answer.model == deployed.alias
    assert answer.usage.total_tokens > 0


def test_the_address_may_end_in_v1(deployed: Deployed) -> None:
    answer = tuneway.completion(
        deployed.alias, QUESTION, base_url=f"{deployed.stack.url}/v1/", api_key=deployed.stack.key
    )
    assert answer.choices[0].finish_reason == "stop"


def test_a_bare_alias_goes_to_the_tuneway_of_the_environment(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEWAY_URL", deployed.stack.url)
    monkeypatch.setenv("TUNEWAY_API_KEY", deployed.stack.key)
    assert tuneway.completion(deployed.alias, QUESTION).choices[0].message.content == "It is 13."


def test_a_stream_comes_in_chunks_and_counts_when_asked(deployed: Deployed) -> None:
    options = {"include_usage": True}
    chunks = list(tuneway.completion(deployed.alias, QUESTION, stream=True, stream_options=options, **deployed.there))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "It is 13."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens > 0


async def test_coroutines_stream_too(deployed: Deployed) -> None:
    stream = await tuneway.acompletion(deployed.alias, QUESTION, stream=True, **deployed.there)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == "It is 13."


async def test_plain_calls_work_inside_a_running_loop(deployed: Deployed) -> None:
    assert asyncio.get_running_loop().is_running()
    assert text_of(tuneway.completion(deployed.alias, QUESTION, stream=True, **deployed.there)) == "It is 13."


def test_a_batch_keeps_its_order_and_its_failures(deployed: Deployed) -> None:
    batch = [QUESTION, [], [{"role": "user", "content": "What is 3 plus one?"}]]
    first, second, third = tuneway.batch_completion(deployed.alias, batch, max_workers=2, **deployed.there)
    assert isinstance(first, tuneway.ModelResponse)
    assert first.choices[0].message.content == "It is 13."
    assert isinstance(second, tuneway.BadRequestError)
    assert isinstance(third, tuneway.ModelResponse)
    assert third.choices[0].message.content == "It is 4."


def test_a_wrong_key_and_an_unknown_model_are_told_apart(deployed: Deployed) -> None:
    with pytest.raises(tuneway.AuthenticationError) as stranger:
        tuneway.completion(deployed.alias, QUESTION, base_url=deployed.stack.url, api_key="tw-wrong")
    with pytest.raises(tuneway.NotFoundError) as unknown:
        tuneway.completion("nobody-knows-this", QUESTION, **deployed.there)
    assert (stranger.value.status_code, unknown.value.status_code) == (401, 404)
    assert (unknown.value.param, unknown.value.code) == ("model", "model_not_found")


def test_a_dataset_is_priced_tuned_listed_and_answers(deployed: Deployed, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    job = tuneway.create_fine_tuning_job(
        BASE, str(rows), hyperparameters={"n_epochs": 1}, suffix="py", **deployed.there
    )
    assert job.id in [each.id for each in tuneway.list_fine_tuning_jobs(limit=5, **deployed.there).data]
    until = time.monotonic() + PATIENCE
    while job.status not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.1)
        job = tuneway.get_fine_tuning_job(job.id, **deployed.there)
    assert job.status == "succeeded", job.error
    assert job.fine_tuned_model is not None
    assert (
        tuneway.completion(job.fine_tuned_model, QUESTION, **deployed.there).choices[0].message.content == "It is 13."
    )


def test_a_job_is_cancelled(deployed: Deployed, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    job = tuneway.create_fine_tuning_job(BASE, str(rows), **deployed.there)
    cancelled = tuneway.cancel_fine_tuning_job(job.id, **deployed.there)
    assert cancelled.id == job.id
    assert tuneway.retrieve_fine_tuning_job(job.id, **deployed.there).status in {"cancelled", "running", "queued"}


def test_an_unknown_job_is_not_found(deployed: Deployed) -> None:
    with pytest.raises(tuneway.NotFoundError):
        tuneway.get_fine_tuning_job("ftjob-nobody", **deployed.there)
    with pytest.raises(tuneway.BadRequestError):
        tuneway.get_fine_tuning_job("../files", **deployed.there)


def test_simulated_vertex_ai_is_called_directly(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWAY_VERTEX_URL", deployed.stack.vertex_url)
    (job,) = [
        each for each in tuneway.list_fine_tuning_jobs(**deployed.there).data if each.fine_tuned_model == deployed.alias
    ]
    assert job.tuneway is not None
    endpoint = job.tuneway["tuned"]["endpoint"]  # type: ignore[index]
    assert tuneway.completion(f"vertex_ai/{endpoint}", QUESTION).choices[0].message.content == "It is 13."


def test_rows_of_this_computer_are_uploaded_to_a_job_with_all_of_litellms_arguments(
    deployed: Deployed, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    once = {"Idempotency-Key": "python-1"}
    fields: dict[str, Any] = {"suffix": "all", "validation_file": str(rows), "seed": None, "integrations": None}
    fields |= {"extra_headers": once, "extra_body": {"metadata": {"team": "sums"}}, "custom_llm_provider": "openai"}
    where = {"api_base": f"{deployed.stack.url}/v1", "api_key": deployed.stack.key}
    job = tuneway.create_fine_tuning_job(BASE, str(rows), {"n_epochs": 1}, **fields, **where)
    assert job.training_file.startswith("file-")
    assert job.training_file != job.validation_file
    assert job.metadata == {"team": "sums"}
    again: dict[str, Any] = {**fields, "validation_file": job.validation_file}
    same = tuneway.create_fine_tuning_job(BASE, job.training_file, {"n_epochs": 1}, **again, **where)
    assert same.id == job.id
    tuneway.cancel_fine_tuning_job(job.id, **where)


def test_jobs_of_the_tuneway_of_the_environment(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWAY_URL", deployed.stack.url)
    monkeypatch.setenv("TUNEWAY_API_KEY", deployed.stack.key)
    first = tuneway.list_fine_tuning_jobs(limit=1)
    assert first.data[0].id.startswith("ftjob-")
    assert tuneway.get_fine_tuning_job(first.data[0].id).id == first.data[0].id
    assert tuneway.list_fine_tuning_jobs(first.data[0].id, 1).data != first.data


@pytest.mark.parametrize("name", ["vertex_project", "vertex_location", "gcs_bucket_name"])
def test_what_a_deployed_tuneway_has_settled_is_not_said_again(deployed: Deployed, name: str) -> None:
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.create_fine_tuning_job(BASE, "file-1", **{**deployed.there, name: "shop"})
    assert fault.value.param == name


def test_an_estimate_by_a_deployed_tuneway_is_told_the_tokens_alone(deployed: Deployed, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    files = len(deployed.stack.http.get("/v1/files").json()["data"])
    theirs = tuneway.estimate_fine_tuning_cost(BASE, str(rows), hyperparameters={"n_epochs": 3}, **deployed.there)
    ours = tuneway.estimate_fine_tuning_cost(BASE, str(rows), hyperparameters={"n_epochs": 3})
    assert (theirs.tokens_low, theirs.tokens_high, theirs.epochs) == (ours.tokens_low, ours.tokens_high, 3)
    assert theirs.duration is not None
    assert len(deployed.stack.http.get("/v1/files").json()["data"]) == files
    sized = tuneway.estimate_fine_tuning_cost(BASE, training_file_size_mb=10, **deployed.there)
    assert sized.tokens_high > theirs.tokens_high
    with pytest.raises(tuneway.BadRequestError) as twice:
        tuneway.estimate_fine_tuning_cost(BASE, training_file_size_mb=10, tokens=5, **deployed.there)
    assert twice.value.param == "tokens"


async def test_the_twins_ask_a_deployed_tuneway_too(deployed: Deployed) -> None:
    jobs = (await tuneway.alist_fine_tuning_jobs(limit=1, **deployed.there)).data
    assert (await tuneway.aget_fine_tuning_job(jobs[0].id, **deployed.there)).id == jobs[0].id
    with pytest.raises(tuneway.NotFoundError):
        await tuneway.acancel_fine_tuning_job("ftjob-nobody", **deployed.there)
