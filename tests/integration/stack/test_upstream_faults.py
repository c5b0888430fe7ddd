"""What callers see when a model's host fails, and what a job makes of it."""

import json
import time
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.contracts.openapi import events
from tests.integration.stack.running import Stack, asked, created, ended, provider_jobs
from tests.waiting import wait_until

CHAT = "/v1/chat/completions"
UNTUNED = "vertex_ai/gemini-3.5-flash"
LONG = 60  # seconds
GENERATE = "enerateContent"  # whole and streamed


def error(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


@pytest.fixture
def model(tuned: dict[str, Any], faultless: Stack) -> str:
    return str(tuned["fine_tuned_model"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("status", "seen", "kind", "code"),
    [
        (429, 429, "rate_limit_error", "rate_limit_exceeded"),
        (500, 500, "server_error", "upstream_error"),
        (503, 503, "server_error", "service_unavailable"),
        (401, 502, "api_error", "upstream_authentication_failed"),
        (403, 502, "api_error", "upstream_permission_denied"),
        (400, 400, "invalid_request_error", None),
    ],
)
def test_a_status_of_the_hosts(
    stack: Stack, model: str, *, status: int, seen: int, kind: str, code: str | None, stream: bool
) -> None:
    stack.fault(path=GENERATE, fault="status", status=status)
    answer = stack.http.post(CHAT, json=asked(model, stream=stream))
    assert (answer.status_code, error(answer)["type"], error(answer)["code"]) == (seen, kind, code)
    assert answer.headers["content-type"] == "application/json"


def test_how_long_to_wait_is_passed_on(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="status", status=429, retry_after=7)
    answer = stack.http.post(CHAT, json=asked(model))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_page_of_html_is_no_answer(stack: Stack, model: str, *, stream: bool) -> None:
    stack.fault(path=GENERATE, fault="html")
    answer = stack.http.post(CHAT, json=asked(model, stream=stream))
    assert (answer.status_code, error(answer)["type"]) == (502, "server_error")
    assert "<" not in error(answer)["message"]


def test_half_an_answer_is_none(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="cut")
    answer = stack.http.post(CHAT, json=asked(model))
    assert (answer.status_code, error(answer)["type"]) == (502, "server_error")


def test_half_a_stream_ends_with_an_error_and_without_its_mark(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="cut")
    answer = stack.http.post(CHAT, json=asked(UNTUNED, "Tell me a long story.", stream=True))
    *chunks, last = [json.loads(event) for event in events(answer.content)]
    assert (answer.status_code, bool(chunks)) == (200, True)
    assert last["error"]["type"] == "server_error"
    assert b"[DONE]" not in answer.content


def test_the_sdk_raises_what_breaks_a_stream(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="cut")
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Tell me."}]
    with (
        stack.sdk() as client,
        client.chat.completions.create(model=UNTUNED, messages=messages, stream=True) as chunks,
        pytest.raises(openai.APIError),
    ):
        list(chunks)


@pytest.mark.parametrize("fault", ["lost", "disconnect"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_lost_connection(stack: Stack, model: str, *, fault: str, stream: bool) -> None:
    stack.fault(path=GENERATE, fault=fault, times=5)
    answer = stack.http.post(CHAT, json=asked(model, stream=stream))
    assert (answer.status_code, error(answer)["type"]) == (502, "server_error")


def test_a_slow_answer_is_waited_for(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="slow", seconds=0.5)
    began = time.monotonic()
    assert stack.http.post(CHAT, json=asked(model)).status_code == 200
    assert time.monotonic() - began >= 0.5


def test_a_slow_host_holds_up_nobody_else(stack: Stack, model: str) -> None:
    stack.fault(path=":generateContent", fault="slow", seconds=LONG)
    with stack.asking(asked(model)) as waiting:
        wait_until(lambda: stack.vertex.get("/_simulate/faults").json()["faults"] == [])  # the host has been asked
        assert stack.http.post(CHAT, json=asked(model)).status_code == 200
        with pytest.raises(BlockingIOError):
            waiting.recv(1)


def test_the_sdk_tries_again_after_a_passing_fault(stack: Stack, model: str) -> None:
    stack.fault(path=GENERATE, fault="status", status=503)
    with stack.sdk() as client:
        completion = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "4 plus one?"}])
    assert completion.choices[0].message.content


def test_the_sdk_raises_its_own_classes(stack: Stack, model: str) -> None:
    with stack.sdk(max_retries=0) as client:
        for status, kind in ((429, openai.RateLimitError), (500, openai.InternalServerError)):
            stack.fault(path=GENERATE, fault="status", status=status)
            with pytest.raises(kind):
                client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])


def test_submissions_whose_answers_are_lost_are_not_paid_twice(faultless: Stack) -> None:
    for fault in ("lost", "disconnect", "html", "cut"):
        faultless.fault(path="/tuningJobs", method="POST", fault=fault)
    jobs = [created(faultless.http)["id"] for _ in range(4)]
    for job_id in jobs:
        job = ended(faultless.http, job_id)
        assert job["status"] == "succeeded", job["error"]
        assert len(provider_jobs(faultless.vertex, job_id)) == 1
    assert faultless.vertex.get("/_simulate/faults").json()["faults"] == []


def test_a_provider_that_is_away_for_a_while_delays_the_job(faultless: Stack) -> None:
    job = created(faultless.http)
    faultless.fault(path="/tuningJobs/", method="GET", fault="status", status=503, times=3)
    assert ended(faultless.http, job["id"])["status"] == "succeeded"


def test_a_provider_that_refuses_fails_the_job_in_its_words(faultless: Stack) -> None:
    faultless.fault(path="/tuningJobs", method="POST", fault="status", status=400)
    job = ended(faultless.http, created(faultless.http)["id"])
    assert (job["status"], job["fine_tuned_model"]) == ("failed", None)
    assert "This fault was asked for." in job["error"]["message"]
