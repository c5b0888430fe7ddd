import json
from typing import Any

import pytest
from google.genai.types import FinishReason

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.gemini.response import BOTCHED, FINISH_REASONS, from_response
from tuneway.prediction.dialects.gemini.stream import StreamDecoder


def answer(*parts: dict[str, Any], finish: str | None = "STOP") -> bytes:
    return json.dumps({"candidates": [{"content": {"parts": parts}, "finishReason": finish}]}).encode()


def fault(body: bytes) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        from_response(body, exchange())
    with pytest.raises(UpstreamError):
        StreamDecoder(exchange()).decode(body)
    return caught.value


@pytest.mark.parametrize("reason", [*FINISH_REASONS, *(reason.value for reason in FinishReason), "NEVER_HEARD_OF"])
def test_every_finish_reason_ends_the_answer(reason: str) -> None:
    if reason in BOTCHED:
        error = fault(answer({"text": "x"}, finish=reason))
        assert error.status == 502
        assert reason in error.message
        return
    choice = from_response(answer({"text": "x"}, finish=reason), exchange()).choices[0]
    assert choice.finish_reason == FINISH_REASONS.get(reason, "stop")


def test_a_missing_signature_is_the_callers_to_mend() -> None:
    error = fault(answer(finish="MISSING_THOUGHT_SIGNATURE"))
    assert (error.status, error.param, error.code) == (400, "messages", "missing_thought_signature")


def test_calls_do_not_hide_a_filter() -> None:
    choice = from_response(answer({"functionCall": {"name": "f"}}, finish="SAFETY"), exchange()).choices[0]
    assert choice.finish_reason == "content_filter"


def test_an_answer_without_a_reason_or_tokens_is_whole() -> None:
    completion = from_response(answer({"text": "x"}, finish=None), exchange())
    assert (completion.choices[0].finish_reason, completion.usage.total_tokens) == ("stop", 0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"candidates": 5}', b"[" * 100_000])
def test_what_is_no_answer_is_a_bad_gateway(body: bytes) -> None:
    assert fault(body).status == 502


def test_an_error_in_the_place_of_an_answer_is_that_error() -> None:
    assert fault(b'[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}]').status == 429
    assert fault(b'{"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}').status == 503


def test_no_candidate_and_no_reason_is_a_bad_gateway() -> None:
    with pytest.raises(UpstreamError, match="without a candidate"):
        from_response(b'{"promptFeedback": {}}', exchange())


def test_an_array_of_one_answer_is_no_answer() -> None:
    assert fault(b"[" + answer({"text": "x"}) + b"]").status == 502
