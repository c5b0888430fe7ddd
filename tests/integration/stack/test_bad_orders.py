"""Jobs, files and pages that cannot be: each is refused with the field at fault and a remedy."""

from typing import Any

import httpx
import pytest

from tests.integration.stack.refusals import BAD, Refusal, assert_refused
from tests.integration.stack.running import BASE, created, dataset, row, uploaded

JOBS = "/v1/fine_tuning/jobs"
FILES = "/v1/files"


def job(**fields: object) -> dict[str, object]:
    return {"model": BASE, "training_file": "gs://bucket/train.jsonl", **fields}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (job(model=5), "model", "invalid_type"),
        (job(training_file=["x"]), "training_file", "invalid_type"),
        (job(metadata={"a": 1}), "metadata[...]", "invalid_type"),
        ({"model": BASE}, "training_file", "missing_required_parameter"),
        (job(colour="red"), "colour", "unknown_parameter"),
        ([], None, "invalid_type"),
    ],
)
def test_a_job_with_wrong_types_names_the_field(http: httpx.Client, body: object, param: str | None, code: str) -> None:
    answer = http.post(JOBS, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"], error["code"]) == (400, BAD, param, code), error


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (job(model="gemini-2.0-flash"), Refusal(param="model", code="model_retired", says="Use gemini-3.5-flash")),
        (job(model="gpt-4o"), Refusal(param="model", code="model_not_found", says=BASE)),
        (
            job(hyperparameters={"warmup": 3}),
            Refusal(param="hyperparameters.warmup", code="unknown_parameter", says="n_epochs"),
        ),
        (
            job(hyperparameters={"n_epochs": 99}),
            Refusal(param="hyperparameters.n_epochs", code="invalid_value", says="Use 1 to 10"),
        ),
        (
            job(hyperparameters={"learning_rate_multiplier": 0}),
            Refusal(param="hyperparameters.learning_rate_multiplier", code="invalid_value", says="Use 0.1 to 10"),
        ),
        (
            job(hyperparameters={"adapter_size": 3}),
            Refusal(param="hyperparameters.adapter_size", code="invalid_value", says="1, 2, 4, 8, 16"),
        ),
        (
            job(hyperparameters={"batch_size": 4}),
            Refusal(param="hyperparameters.batch_size", code="unsupported_parameter", says="leave it out"),
        ),
        (job(seed=7), Refusal(param="seed", code="unsupported_parameter", says="leave it out")),
        (
            job(method={"type": "reinforcement"}),
            Refusal(param="method.type", code="unsupported_method", says="Use supervised"),
        ),
        (job(method={"type": "magic"}), Refusal(param="method.type", code="unsupported_method", says="supervised")),
        (job(integrations=[{"type": "wandb"}]), Refusal(param="integrations", says="leave them out")),
        (job(suffix="x" * 10_000), Refusal(param="suffix", says="1 to 64")),
        (job(suffix="a b"), Refusal(param="suffix", says="1 to 64")),
        (job(suffix=""), Refusal(param="suffix", says="1 to 64")),
        (job(metadata={str(n): "x" for n in range(17)}), Refusal(param="metadata", says="at most 16")),
        (
            job(training_file="file-none"),
            Refusal(param="training_file", code="file_not_found", says="POST /v1/files"),
        ),
        (
            job(validation_file="file-none"),
            Refusal(param="validation_file", code="file_not_found", says="POST /v1/files"),
        ),
        (job(training_file="gs://bucket/x\n"), Refusal(param="training_file", says="gs://bucket/path")),
        (job(training_file="gs://x"), Refusal(param="training_file", says="gs://bucket/path")),
        (job(training_file="gs://Bad Bucket/x"), Refusal(param="training_file", says="gs://bucket/path")),
    ],
)
def test_a_job_that_cannot_be_ordered(http: httpx.Client, body: dict[str, object], expected: Refusal) -> None:
    assert_refused(http.post(JOBS, json=body), expected)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"data": {"purpose": "fine-tune"}}, "file"),
        ({"files": {"file": ("a", b"x")}}, "purpose"),
        ({"files": {"file": ("a", b"x")}, "data": {"purpose": "assistants"}}, "purpose"),
        ({"files": {"file": ("a", b"x"), "more": ("b", b"y")}, "data": {"purpose": "fine-tune"}}, "more"),
        ({"files": {"file": ("a", b"x")}, "data": {"purpose": "fine-tune", "expires": "1"}}, "expires"),
        ({"content": b"no form at all"}, "file"),
    ],
)
def test_a_file_that_cannot_be_kept(http: httpx.Client, form: dict[str, Any], param: str) -> None:
    answer = http.post(FILES, **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, BAD, param)


@pytest.mark.parametrize("path", ["", "/content"])
def test_an_unknown_file(http: httpx.Client, path: str) -> None:
    expected = Refusal(status=404, param="file_id", says="POST /v1/files")
    assert_refused(http.get(f"{FILES}/file-none{path}"), expected)
    if not path:
        assert_refused(http.delete(f"{FILES}/file-none"), expected)


@pytest.mark.parametrize("path", [f"{JOBS}/ftjob-none", f"{JOBS}/ftjob-none/events"])
def test_an_unknown_job(http: httpx.Client, path: str) -> None:
    expected = Refusal(status=404, param="fine_tuning_job_id", says="There is no fine-tuning job")
    assert_refused(http.get(path), expected)
    assert_refused(http.post(f"{JOBS}/ftjob-none/cancel"), expected)


@pytest.mark.parametrize("path", [JOBS, FILES])
@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1.5", "1000000", "\u0661"])
def test_a_page_size_out_of_range(http: httpx.Client, path: str, limit: str) -> None:
    answer = http.get(path, params={"limit": limit})
    assert_refused(answer, Refusal(param="limit", says="whole number from 1 to"))


@pytest.mark.parametrize("path", [JOBS, FILES])
def test_a_page_after_something_unknown(http: httpx.Client, path: str) -> None:
    assert_refused(http.get(path, params={"after": "gone"}), Refusal(status=404, param="after", says="There is no"))


@pytest.mark.parametrize("cursor", ["gone", "ftevent-x-000999", "../../jobs/x"])
def test_a_page_of_events_after_something_unknown(http: httpx.Client, tuned: dict[str, Any], cursor: str) -> None:
    answer = http.get(f"{JOBS}/{tuned['id']}/events", params={"after": cursor})
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "after")


def test_another_order_of_files(http: httpx.Client) -> None:
    answer = http.get(FILES, params={"order": "random"})
    assert_refused(answer, Refusal(param="order", says="'asc' or 'desc'"))


def test_a_filter_that_is_none_is_refused_and_not_ignored(http: httpx.Client) -> None:
    answer = http.get(JOBS, params={"metadata": "team"})
    assert_refused(answer, Refusal(param="metadata", says="metadata[key]=value"))


def test_what_no_provider_can_do_is_refused(http: httpx.Client, tuned: dict[str, Any]) -> None:
    for verb in ("pause", "resume"):
        answer = http.post(f"{JOBS}/{tuned['id']}/{verb}")
        assert_refused(answer, Refusal(code="unsupported_operation", says="Cancel it"))


def test_a_job_that_has_ended_cannot_be_cancelled(http: httpx.Client, tuned: dict[str, Any]) -> None:
    answer = http.post(f"{JOBS}/{tuned['id']}/cancel")
    assert_refused(answer, Refusal(code="job_ended", says="already succeeded"))


def test_the_same_idempotency_key_is_the_same_job(http: httpx.Client) -> None:
    body = job(training_file=uploaded(http, dataset(2) + row("a", "b")))
    once, again = (http.post(JOBS, json=body, headers={"idempotency-key": "once"}).json() for _ in range(2))
    assert once["id"] == again["id"] != created(http)["id"]
