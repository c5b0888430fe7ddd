import json
from typing import Any

import pytest
from msgspec import UNSET

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.bedrock.response import BOTCHED, FINISH_REASONS, from_response
from tuneway.prediction.hub.answer import ChatCompletion

TEXT = {"text": "Hi"}
CALL = {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}


def answer(*content: dict[str, Any], reason: str = "end_turn", usage: dict[str, int] | None = None) -> ChatCompletion:
    told = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason}
    return from_response(json.dumps({**told, "usage": usage or {}}).encode(), exchange())


@pytest.mark.parametrize(("reason", "finish"), FINISH_REASONS.items())
def test_every_stop_reason_has_a_finish(reason: str, finish: str) -> None:
    content = CALL if reason == "tool_use" else TEXT
    assert answer(content, reason=reason).choices[0].finish_reason == finish


def test_an_unknown_stop_reason_is_a_stop() -> None:
    assert answer(TEXT, reason="tired").choices[0].finish_reason == "stop"


def test_a_call_finishes_as_one_whatever_the_reason_says() -> None:
    assert answer(CALL, reason="end_turn").choices[0].finish_reason == "tool_calls"
    assert answer(CALL, reason="max_tokens").choices[0].finish_reason == "length"


def test_a_tool_of_awss_own_is_no_call() -> None:
    served = {"toolUse": {**CALL["toolUse"], "type": "server_tool_use"}}
    choice = answer(served, TEXT, reason="tool_use").choices[0]
    assert (choice.message.content, choice.finish_reason) == ("Hi", "stop")


@pytest.mark.parametrize("reason", sorted(BOTCHED))
def test_a_botched_answer_is_a_bad_gateway(reason: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        answer(TEXT, reason=reason)
    assert caught.value.status == 502


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"message":"no"}', b'{"output":{}}', b"\xff"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        from_response(body, exchange())


def test_tokens_from_the_cache_were_read_too() -> None:
    usage = answer(TEXT, usage={"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 4}).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 2, 7)


def test_an_unsigned_thought_is_told_but_not_kept() -> None:
    message = answer({"reasoningContent": {"reasoningText": {"text": "Hm."}}}, TEXT).choices[0].message
    assert (message.reasoning_content, message.extra_content) == ("Hm.", answer(TEXT).choices[0].message.extra_content)


def test_a_thought_between_text_and_call_keeps_its_place() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}
    extra = answer({"text": " "}, TEXT, TEXT, thought, CALL).choices[0].message.extra_content
    assert json.loads(json.dumps(str(extra))).count("index=1") == 1


@pytest.mark.parametrize(
    ("tier", "performance", "told"),
    [
        ({"type": "reserved"}, None, "scale"),
        ({"type": "default"}, {"latency": "standard"}, "default"),
        (None, {"latency": "optimized"}, "fast"),
        ({"type": "tomorrows"}, None, UNSET),
        (None, None, UNSET),
    ],
)
def test_how_an_answer_was_served_is_told(tier: Any, performance: Any, told: Any) -> None:
    said = {"output": {"message": {"content": [TEXT]}}, "serviceTier": tier, "performanceConfig": performance}
    assert from_response(json.dumps(said).encode(), exchange()).service_tier == told
