"""Datasets that cannot be trained on fail their job before anything is submitted, and say where and what to do."""

import json
from typing import Any

import httpx
import openai
import pytest

from tests.integration.stack.running import BASE, Stack, created, dataset, ended, provider_jobs, row, uploaded

GOOD = [row(f"Q{n}", f"A{n}") for n in range(20)]


def with_line_3(line: bytes) -> bytes:
    return b"".join([*GOOD[:2], line, *GOOD[3:]])


def turns(*messages: dict[str, object]) -> bytes:
    return json.dumps({"messages": messages}).encode() + b"\n"


def failed(http: httpx.Client, **fields: object) -> dict[str, Any]:
    """Why the job failed."""
    job = ended(http, created(http, **fields)["id"])
    assert (job["status"], job["fine_tuned_model"]) == ("failed", None)
    error: dict[str, Any] = job["error"]
    return error


USER: dict[str, object] = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"{ no json\n", ""),
        (turns(USER), "messages"),
        (turns(USER, {"role": "assistant", "content": 5}), "messages[1].content"),
        (turns(USER, {"role": "wizard", "content": "x"}), "messages[1].role"),
        (b'{"prompt": "a", "completion": "b"}\n', ""),
    ],
    ids=["no json", "no answer", "wrong type", "unknown role", "another form"],
)
def test_a_bad_line_3_fails_the_job(stack: Stack, http: httpx.Client, line: bytes, path: str) -> None:
    job = created(http, training_file=uploaded(http, with_line_3(line)))
    done = ended(http, job["id"])
    error = done["error"]
    assert (done["status"], error["code"], error["param"]) == ("failed", "invalid_training_file", "training_file")
    assert "line 3" in error["message"].lower()
    assert path in error["message"]
    (finding,) = done["tuneway"]["dataset"]["errors"]
    assert (finding["line"], path in finding["path"]) == (3, True)
    assert finding["rule"]
    assert finding["remedy"]
    assert not provider_jobs(stack.vertex, job["id"])


def test_a_bad_line_is_told_in_the_events_too(http: httpx.Client) -> None:
    job = created(http, training_file=uploaded(http, with_line_3(b"{}\n")))
    ended(http, job["id"])
    events = http.get(f"/v1/fine_tuning/jobs/{job['id']}/events").json()["data"]
    assert (events[0]["level"], "line 3" in events[0]["message"].lower()) == ("error", True)


@pytest.mark.parametrize("content", [b"", b"\n\n \n"], ids=["no bytes", "blank lines"])
def test_an_empty_dataset_fails_the_job(http: httpx.Client, content: bytes) -> None:
    error = failed(http, training_file=uploaded(http, content))
    assert (error["code"], error["param"]) == ("invalid_training_file", "training_file")
    assert "empty" in error["message"].lower() or "no rows" in error["message"].lower()


def test_a_bad_validation_file_is_named(http: httpx.Client) -> None:
    error = failed(http, validation_file=uploaded(http, with_line_3(b"[]\n")))
    assert (error["code"], error["param"]) == ("invalid_validation_file", "validation_file")
    assert "line 3" in error["message"].lower()


def test_an_object_that_is_not_there_fails_the_job(http: httpx.Client) -> None:
    error = failed(http, training_file="gs://tuneway-local/none.jsonl")
    assert error["param"] == "training_file"
    assert "none.jsonl" in error["message"]


def test_an_object_in_cloud_storage_is_as_good_as_a_file(stack: Stack, http: httpx.Client) -> None:
    folder = stack.data / "objects" / "shop"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_bytes(dataset())
    assert ended(http, created(http, training_file="gs://shop/train.jsonl")["id"])["status"] == "succeeded"


def test_the_sdk_shows_why_a_job_failed(stack: Stack) -> None:
    with stack.sdk() as client:
        kept = client.files.create(file=("bad.jsonl", with_line_3(b"?\n")), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model=BASE, training_file=kept.id)
        ended(stack.http, job.id)
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert isinstance(job.error, openai.types.fine_tuning.fine_tuning_job.Error)
    assert (job.error.code, job.error.param) == ("invalid_training_file", "training_file")
