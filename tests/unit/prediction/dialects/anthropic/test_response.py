import json
from typing import Any

import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.anthropic.response import ERROR_STATUSES, FINISH_REASONS, from_response
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder


def answer(*blocks: dict[str, Any], reason: str | None = "end_turn") -> bytes:
    return json.dumps({"type": "message", "content": blocks, "stop_reason": reason}).encode()


def error(kind: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": "Why."}, "request_id": "r"}).encode()


def fault(body: bytes) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        from_response(body, exchange())
    return caught.value


@pytest.mark.parametrize("reason", [*FINISH_REASONS, "never_heard_of", None])
def test_every_stop_reason_ends_the_answer(reason: str | None) -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    choice = from_response(answer(call, reason=reason), exchange()).choices[0]
    assert choice.finish_reason == FINISH_REASONS.get(reason or "", "stop")


def test_an_answer_without_tokens_is_whole() -> None:
    completion = from_response(answer({"type": "text", "text": "x"}), exchange())
    assert (completion.choices[0].message.content, completion.usage.total_tokens) == ("x", 0)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid_request_error", 400),
        ("authentication_error", 502),
        ("billing_error", 502),
        ("permission_error", 502),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 503),
        ("never_heard_of", 502),
    ],
)
def test_an_error_that_comes_with_a_200_is_that_error(kind: str, status: int) -> None:
    assert fault(error(kind)).status == status
    with pytest.raises(UpstreamError) as caught:
        StreamDecoder(exchange()).decode(error(kind))
    assert caught.value.status == status
    assert set(ERROR_STATUSES) >= {kind} or kind == "never_heard_of"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"type": "message"}', b'{"content": 5}', b"[" * 100_000])
def test_what_is_no_answer_is_a_bad_gateway(body: bytes) -> None:
    assert fault(body).status == 502


def test_an_error_of_another_shape_is_read_too() -> None:
    assert fault(b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}').status == 429
