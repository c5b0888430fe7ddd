import json
from typing import Any

import pytest

from tuneway.errors import UpstreamError
from tuneway.prediction.upstream_errors import from_answer, from_event

HTML = b"<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>"


def google(code: int, status: str, message: str = "It went wrong.", **more: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "status": status, **more}}).encode()


@pytest.mark.parametrize(
    ("http", "status", "ours", "kind", "code"),
    [
        (400, "INVALID_ARGUMENT", 400, "invalid_request_error", None),
        (400, "FAILED_PRECONDITION", 400, "invalid_request_error", None),
        (400, "OUT_OF_RANGE", 400, "invalid_request_error", None),
        (401, "UNAUTHENTICATED", 502, "api_error", "upstream_authentication_failed"),
        (403, "PERMISSION_DENIED", 502, "api_error", "upstream_permission_denied"),
        (404, "NOT_FOUND", 404, "invalid_request_error", "model_not_found"),
        (409, "ABORTED", 409, "conflict", "upstream_conflict"),
        (429, "RESOURCE_EXHAUSTED", 429, "rate_limit_error", "rate_limit_exceeded"),
        (499, "CANCELLED", 502, "server_error", "upstream_cancelled"),
        (500, "INTERNAL", 500, "server_error", "upstream_error"),
        (501, "UNIMPLEMENTED", 400, "invalid_request_error", "unsupported_operation"),
        (503, "UNAVAILABLE", 503, "server_error", "service_unavailable"),
        (504, "DEADLINE_EXCEEDED", 504, "server_error", "timeout"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_googles_statuses_follow_the_table(
    http: int, status: str, ours: int, *, kind: str, code: str | None, wrapped: bool
) -> None:
    body = b"[" + google(http, status) + b"]" if wrapped else google(http, status)
    for error in (from_answer(http, {}, body), from_event(body)):
        assert (error.status, error.kind, error.code) == (ours, kind, code)


@pytest.mark.parametrize(
    ("http", "ours"),
    [(302, 502), (400, 400), (401, 502), (404, 404), (413, 413), (418, 400), (422, 400), (429, 429), (500, 500),
     (502, 502), (503, 503), (504, 504), (529, 503), (599, 502)],
)  # fmt: skip
@pytest.mark.parametrize("body", [HTML, b"", b"null", b"[]", b"5", b'{"error": 5}', b"[" * 100_000])
def test_a_body_that_says_nothing_goes_by_its_status(http: int, ours: int, body: bytes) -> None:
    error = from_answer(http, {}, body)
    assert error.status == ours
    assert "<" not in error.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"object": "error", "message": "Bad word", "type": "BadRequestError", "code": 400}',
        b'{"error": "Bad word", "error_type": "validation"}',
        b'{"detail": "Bad word"}',
        b'{"detail": [{"loc": ["body"], "msg": "Bad word", "type": "x"}]}',
        b'{"error": {"message": "Bad word", "code": "x"}}',
    ],
)
def test_containers_errors_are_read_in_every_shape(body: bytes) -> None:
    assert from_answer(400, {}, body).message == "Bad word"


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "7"}, [], 7.0),
        ({}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}], 17.5),
        ({"retry-after": "3"}, [{"retryDelay": "17s"}], 3.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT"}, [{"@type": "x"}], None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:09 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, [], 9.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:09 GMT"}, [], 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT", "date": "today"}, [], None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 -0000"}, [], None),
        ({"retry-after": "8", "retry-after-ms": "7250"}, [], 7.25),
        ({"retry-after": "8", "retry-after-ms": "soon"}, [], 8.0),
    ],
)
def test_when_to_come_back_is_passed_on(
    headers: dict[str, str], details: list[dict[str, str]], seconds: float | None
) -> None:
    assert from_answer(429, headers, google(429, "RESOURCE_EXHAUSTED", details=details)).retry_after == seconds


@pytest.mark.parametrize(
    "message",
    [
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "This model's maximum context length is 8192 tokens.",
        "The prompt (length 9000) is too long.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "The decoder prompt (length 3001) is longer than the maximum model length of 2048.",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 3000",
        "the request exceeds the available context size, try increasing it",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    ],
)
def test_a_conversation_that_is_too_long_is_told_apart(message: str) -> None:
    error = from_answer(400, {}, google(400, "INVALID_ARGUMENT", message))
    assert (error.code, error.param) == ("context_length_exceeded", "messages")


def test_anthropics_filter_says_so_in_words_alone() -> None:
    body = b'{"error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}}'
    assert from_answer(400, {}, body).code == "content_filter"
    assert from_answer(500, {}, body).code == "upstream_error"


@pytest.mark.parametrize(
    "secret",
    [
        "ya29.a0AfH6SMB-x_y",
        "Bearer abc.def",
        "projects/other-tenant/locations/us-central1/endpoints/1",
        "https://other.us-central1-1.prediction.vertexai.goog/v1",
        "us-central1-aiplatform.googleapis.com",
        "robot@other-tenant.iam.gserviceaccount.com",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_private_names_never_reach_the_caller(secret: str, status: int) -> None:
    error = from_answer(status, {}, google(status, "", f"Look at {secret} now"))
    assert secret not in error.message
    assert "other" not in error.message


def test_a_long_message_is_cut_and_cheap() -> None:
    assert len(from_answer(400, {}, google(400, "INVALID_ARGUMENT", "x" * 10_000)).message) == 600


@pytest.mark.parametrize("body", [HTML, b"", b'{"a": 1}', b'{"predictions": []}', b'{"truncated'])
def test_an_event_that_is_no_answer_is_a_bad_gateway(body: bytes) -> None:
    error = from_event(body)
    assert isinstance(error, UpstreamError)
    assert (error.status, error.code) == (502, "upstream_error")


@pytest.mark.parametrize(
    ("status", "name", "ours"),
    [
        (400, "ServiceQuotaExceededException:http://internal.amazon.com/coral/", (429, "rate_limit_exceeded")),
        (429, "ModelNotReadyException", (503, "service_unavailable")),
        (408, "ModelTimeoutException", (504, "timeout")),
        (424, "ModelErrorException", (502, "bad_gateway")),
        (402, "", (502, "upstream_billing")),
    ],
)
def test_amazons_own_name_of_a_fault_says_more_than_its_status(status: int, name: str, ours: tuple[int, str]) -> None:
    error = from_answer(status, {"x-amzn-errortype": name}, b'{"message": "no"}')
    assert (error.status, error.code) == ours


def test_an_amazon_resource_name_is_hidden() -> None:
    body = b'{"message": "arn:aws:bedrock:eu-west-1:123456789012:custom/x is not ready"}'
    assert "123456789012" not in from_answer(400, {}, body).message


def test_mistrals_findings_are_told() -> None:
    body = b'{"object": "error", "message": {"detail": [{"type": "missing", "msg": "Field required"}]}}'
    assert from_answer(422, {}, body).message == "Field required"
    assert from_answer(422, {}, b'{"object": "error", "message": {"detail": []}}').status == 400


@pytest.mark.parametrize("when", ["1" * 400, "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "1e9", "-5"])
def test_a_time_that_nobody_can_wait_for_is_none(when: str) -> None:
    headers = {"retry-after": when, "retry-after-ms": when, "date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert from_answer(429, headers, b"").retry_after is None


@pytest.mark.parametrize("details", ["a text", {"reason": "x"}, [None], [{"retryDelay": {"seconds": 1}}], None])
def test_other_hosts_details_do_not_hide_the_message(details: Any) -> None:
    fault = from_answer(400, {}, google(400, "INVALID_ARGUMENT", "Too many.", details=details))
    assert (fault.message, fault.retry_after) == ("Too many.", None)


def test_a_code_may_be_written_with_a_point() -> None:
    assert from_event(b'{"error": {"code": 429.0, "message": "Slow down."}}').status == 429
