import json
from typing import Any

import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.openai.passage import Kind, passage_of
from tuneway.prediction.dialects.openai.response import Passed, from_response, passed_back

CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "x", "refusal": None},
    "logprobs": None,
    "finish_reason": "stop",
}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def answer(*choices: dict[str, Any], **fields: Any) -> bytes:
    head = {"id": "chatcmpl-up", "object": "chat.completion", "created": 2, "model": "up"}
    return json.dumps({**head, "choices": choices or [CHOICE], "usage": USAGE, **fields}).encode()


def back(body: bytes, kind: Kind = "chat") -> Passed:
    asked = b'{"model": "alias", "prompt": "1234"}'
    return passed_back(body, passage_of(asked, answer_id="chatcmpl-1", created=1, kind=kind))


def message(**fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(back(answer({**CHOICE, "message": fields})).body)["choices"][0]["message"]
    return told


def test_a_clean_answer_passes_as_it_came_but_for_the_model() -> None:
    came = answer(new=[1.50])
    assert json.loads(back(came).body) == {**json.loads(came), "model": "alias"}
    assert back(came).usage.total_tokens == 3


def test_tokens_nobody_counted_are_estimated() -> None:
    passed = back(answer(usage=None))
    assert passed.usage.estimated is True
    assert json.loads(passed.body)["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "estimated": True,
    }


def test_a_usage_that_counts_nothing_is_estimated() -> None:
    assert back(answer(usage={"tokens": 5})).usage.estimated is True


@pytest.mark.parametrize(
    "body",
    [
        answer(choices=[]),
        answer(choices=[], usage=None),
        answer(error={"message": "x", "code": 500}),
        b"null",
        b"<html>",
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        back(body)
    with pytest.raises(UpstreamError):
        from_response(body, exchange())


def test_an_answer_the_hub_cannot_read_is_an_error() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "f"}}
    with pytest.raises(UpstreamError, match="cannot be read"):
        from_response(answer({**CHOICE, "message": {"tool_calls": [call]}}), exchange())


def test_a_custom_tool_call_passes() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
    assert message(role="assistant", content=None, refusal=None, tool_calls=[call])["tool_calls"] == [call]


def test_a_message_that_is_none_is_an_empty_one() -> None:
    told = json.loads(back(answer({"message": 5, "index": "?", "logprobs": {"content": [5]}})).body)["choices"][0]
    assert (told["message"]["content"], told["index"], told["finish_reason"]) == (None, 0, "stop")


@pytest.mark.parametrize("arguments", [None, {}, "{}"])
def test_arguments_are_json_text(arguments: object) -> None:
    (call,) = message(tool_calls=[{"function": {"name": "f", "arguments": arguments}}])["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": "{}"}


def test_refusals_are_told_by_the_hub() -> None:
    told = from_response(answer({**CHOICE, "message": {"content": None, "refusal": "No."}}), exchange())
    assert told.choices[0].message.refusal == "No."


def test_texts_pass() -> None:
    choice = {"index": 0, "text": "x", "logprobs": None, "finish_reason": "length"}
    came = answer(choice, object="text_completion")
    assert json.loads(back(came, "text").body) == {**json.loads(came), "model": "alias"}


def test_a_chats_answer_is_told_as_a_text() -> None:
    told = json.loads(back(answer({**CHOICE, "finish_reason": None}), "text").body)
    assert told["object"] == "text_completion"
    assert told["choices"] == [{"index": 0, "logprobs": None, "finish_reason": "stop", "text": "x"}]


def test_what_a_searching_or_speaking_model_adds_is_kept_by_the_hub() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "https://h", "title": "t"}}
    spoken = {"role": "assistant", "content": "x", "annotations": [cited], "audio": {"id": "a", "data": "AAAA"}}
    message = from_response(answer({**CHOICE, "message": spoken}), exchange()).choices[0].message
    assert (message.annotations, message.audio) == ([cited], {"id": "a", "data": "AAAA"})
