import json
from typing import Any

import pytest

from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.openai.faults import from_answer, from_event


def told(status: int, **error: Any) -> UpstreamError:
    return from_answer(status, {}, json.dumps({"error": error}).encode())


def test_the_field_at_fault_reaches_the_caller() -> None:
    fault = told(400, message="Bad 'n'.", type="invalid_request_error", param="n", code="invalid_value")
    assert (fault.status, fault.param, fault.code, fault.message) == (400, "n", "invalid_value", "Bad 'n'.")


def test_a_number_is_no_code() -> None:
    assert told(400, message="No.", code=400).code is None


@pytest.mark.parametrize("inner", ["innererror", "inner_error"])
def test_azures_content_filter_has_one_code(inner: str) -> None:
    fault = told(400, message="Filtered.", param="prompt", **{inner: {"code": "ResponsibleAIPolicyViolation"}})
    assert (fault.status, fault.kind, fault.code, fault.param) == (
        400,
        "invalid_request_error",
        "content_filter",
        "prompt",
    )


def test_azures_own_words_about_its_filter_are_told() -> None:
    said = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    error: dict[str, Any] = {"message": said, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    fault = from_answer(400, {}, json.dumps({"error": {**error, "innererror": {}}}).encode())
    assert (fault.message, fault.code) == (said, "content_filter")


def test_an_account_that_is_used_up_is_told_as_openai_does() -> None:
    fault = told(429, message="You exceeded your current quota.", type="insufficient_quota", code="insufficient_quota")
    assert (fault.status, fault.kind, fault.code) == (429, "insufficient_quota", "insufficient_quota")


def test_a_filter_without_words_is_explained() -> None:
    assert "content filter" in told(400, code="content_filter").message


def test_faults_of_ours_stay_ours() -> None:
    assert told(401, message="Bad key sk-1.", code="invalid_api_key").code == "upstream_authentication_failed"


def test_too_long_a_prompt_keeps_the_houses_code() -> None:
    fault = told(400, message="maximum context length is 8192", code="context_length_exceeded")
    assert fault.code == "context_length_exceeded"


@pytest.mark.parametrize("body", [b"<html>", b'{"error": "busy", "error_type": "overloaded"}', b'{"message": "x"}'])
def test_other_shapes_are_told_by_the_houses_table(body: bytes) -> None:
    assert from_answer(429, {"retry-after": "3"}, body).retry_after == 3
    assert isinstance(from_event(body), UpstreamError)
