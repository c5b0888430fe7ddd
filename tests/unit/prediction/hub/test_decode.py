import json
from typing import Any

import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.passage import asked_of
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.hub.messages import UserMessage
from tuneway.prediction.hub.request import ExtendedRequest

HI = {"role": "user", "content": "Hi"}


def fault(body: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        decode_chat_request(body)
    return caught.value


def fault_of(**fields: Any) -> BadInput:
    return fault(json.dumps({"model": "m", "messages": [HI], **fields}).encode())


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [HI, {"role": "user", "content": 5}]}, "messages[1].content", "invalid_type"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{**HI, "colour": "red"}]}, "messages[0].colour", "unknown_parameter"),
        (
            {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        ({"reasoning_effort": "huge"}, "reasoning_effort", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"n": 1.5}, "n", "invalid_type"),
        ({"stop": [1]}, "stop[0]", "invalid_type"),
        ({"logit_bias": {"1": "x"}}, "logit_bias[...]", "invalid_type"),
        ({"model": 5}, "model", "invalid_type"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str, code: str) -> None:
    error = fault_of(**fields)
    assert (error.param, error.code) == (param, code)
    assert param in error.message


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"model": "m", "messages": [{"role": "user", "content": "\xff"}]}', b'{"x":' + b"[" * 100_000]
)
def test_broken_json_is_bad_input(body: bytes) -> None:
    assert "JSON" in fault(body).message


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"x"'])
def test_a_body_that_is_no_object_is_bad_input(body: bytes) -> None:
    assert "JSON object" in fault(body).message


def test_broken_json_after_an_unknown_field_is_bad_input() -> None:
    assert fault(b'{"x": 1, "model": "m", ').code == "invalid_json"


def test_missing_messages_are_named() -> None:
    assert fault(b'{"model": "m", "colour": "red"}').message == "Missing required parameter: 'messages'."


def test_a_missing_field_is_named() -> None:
    assert fault(b'{"messages": [{"role": "user", "content": "Hi"}]}').param == "model"


def test_a_wrong_type_is_told_in_the_words_of_json() -> None:
    message = fault_of(messages=[{"role": "user", "content": 5}]).message
    assert message == "Invalid 'messages[0].content': expected `string | array`, got `integer`."


def test_an_enum_fault_says_what_would_be_right() -> None:
    assert "none, minimal, low" in fault_of(reasoning_effort="huge").message


def test_unknown_fields_are_kept_by_name() -> None:
    request = ask(colour="red", shape=None)
    assert isinstance(request, ExtendedRequest)
    assert request.unknown == {"colour": "red"}


def test_null_is_absent_everywhere() -> None:
    message = {"role": "user", "content": "Hi", "name": None, "weather": None}
    assert ask(message, temperature=None, tools=None, whatever=None).messages == [UserMessage(content="Hi")]


def test_an_answer_of_the_sdk_can_be_sent_back() -> None:
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": [
            {
                "id": "c",
                "type": "function",
                "function": {"name": "f", "arguments": "{}", "parsed_arguments": None},
                "x": None,
            }
        ],
        "parsed": {"a": 1},
        "reasoning_content": "…",
        "provider_specific_fields": None,
    }
    assert len(ask(HI, answer, HI).messages) == 3


def test_a_whole_number_may_be_written_with_a_fraction() -> None:
    request = decode_chat_request(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5.0}')
    assert (request.max_tokens, type(request.max_tokens)) == (5, int)


@pytest.mark.parametrize(("body", "named"), [(b"[]", "array"), (b"null", "null"), (b'"x"', "string")])
def test_a_body_that_is_no_object_is_told_so(body: bytes, named: str) -> None:
    with pytest.raises(BadInput, match=f"must be a JSON object: .*{named}") as refused:
        asked_of(body)
    assert refused.value.param is None


@pytest.mark.parametrize("body", [b"", b'{"model": "m", "messages": ['])
def test_a_body_that_is_not_all_there_is_told_so(body: bytes) -> None:
    assert fault(body).message == "The body is not valid JSON: it is empty or ends too early."
