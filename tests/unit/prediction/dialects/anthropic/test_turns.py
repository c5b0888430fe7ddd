import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.anthropic.request import to_request
from tuneway.routing.routes import Target

SONNET = Target(dialect="anthropic", provider="anthropic", model="claude-sonnet-4-5")
HI = {"role": "user", "content": "Hi"}


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(to_request(ask(*messages, **fields), SONNET)))
    return told


def turns(*messages: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(turn["role"], turn["content"]) for turn in body(*messages)["messages"]]


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def call(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def thinking(*places: int | None) -> dict[str, Any]:
    blocks = [{"type": "thinking", "thinking": str(place), "signature": "s", "index": place} for place in places]
    return {"anthropic": {"thinking_blocks": blocks}}


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in turns(HI, message, HI)[1][1]]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blank_texts_are_not_told_wherever_they_stand(blank: str) -> None:
    told = body(
        {"role": "system", "content": blank},
        {"role": "developer", "content": [text(blank), text("Be kind.")]},
        {"role": "user", "content": blank},
        {"role": "user", "content": [text(blank), text("Hi")]},
        {"role": "assistant", "content": blank},
        {"role": "assistant", "content": [text(blank), {"type": "refusal", "refusal": blank}]},
    )
    assert told["messages"] == [{"role": "user", "content": [text("Hi")]}]
    assert told["system"] == [text("Be kind.")]


@pytest.mark.parametrize("content", [" ", [text("\n")]])
def test_a_result_that_says_nothing_is_empty(content: Any) -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": content}
    assert turns(HI, {"role": "assistant", "tool_calls": [call("c")]}, result)[-1][1] == [
        {"type": "tool_result", "tool_use_id": "c", "content": ""}
    ]


@pytest.mark.parametrize(
    "message", [{"role": "user", "content": " "}, {"role": "assistant"}, {"role": "system", "content": ""}]
)
def test_a_conversation_that_says_nothing_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="say nothing") as caught:
        body(message)
    assert caught.value.param == "messages"


def test_an_answer_that_is_to_go_on_ends_without_blanks() -> None:
    begun = {"role": "assistant", "content": "<list>\n"}
    assert turns(HI, begun)[-1] == ("assistant", [text("<list>")])
    assert turns(HI, begun, HI)[1] == ("assistant", [text("<list>\n")])


@pytest.mark.parametrize("call_id", ["functions.f:0", "", "a b", "ü", "composio.NOTION|1"])
def test_another_models_id_of_a_call_is_told_in_claudes_letters(call_id: str) -> None:
    result = {"role": "tool", "tool_call_id": call_id, "content": "1"}
    told = turns(HI, {"role": "assistant", "tool_calls": [call(call_id)]}, result)
    used, given_back = told[1][1][0]["id"], told[2][1][0]["tool_use_id"]
    assert used == given_back
    assert used.isascii()
    assert used.replace("_", "").isalnum()


@given(ids=st.lists(st.text(max_size=4), min_size=2, max_size=2, unique=True))
def test_two_calls_keep_two_ids(ids: list[str]) -> None:
    used = turns(HI, {"role": "assistant", "tool_calls": [call(one) for one in ids]})[1][1]
    assert used[0]["id"] != used[1]["id"]


def test_claudes_own_ids_stay() -> None:
    assert turns(HI, {"role": "assistant", "tool_calls": [call("toolu_01-A")]})[1][1][0]["id"] == "toolu_01-A"


def test_thoughts_stand_where_they_stood() -> None:
    message = {"role": "assistant", "content": "A", "tool_calls": [call("c")], "extra_content": thinking(0, 2)}
    assert kinds(message) == ["thinking", "text", "thinking", "tool_use"]


def test_no_thought_is_the_last_word() -> None:
    message = {"role": "assistant", "content": "A", "tool_calls": [call("c")], "extra_content": thinking(1, 5, 9)}
    assert kinds(message) == ["text", "thinking", "thinking", "thinking", "tool_use"]


def test_thoughts_alone_are_no_answer() -> None:
    assert turns(HI, {"role": "assistant", "content": "", "extra_content": thinking(0)}, HI) == [
        ("user", [text("Hi"), text("Hi")])
    ]


@pytest.mark.parametrize("mime", ["image/jpg", "IMAGE/JPEG", "image/jpeg"])
def test_a_jpeg_is_one_however_it_is_spelled(mime: str) -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:{mime};base64,aGk="}}
    told = turns({"role": "user", "content": [part]})[0][1][0]
    assert told["source"] == {"type": "base64", "media_type": "image/jpeg", "data": "aGk="}


def test_a_choice_among_no_tools_is_refused() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}
    with pytest.raises(BadInput, match="none of the 'tools'") as caught:
        body(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert caught.value.param == "tool_choice"


def test_a_strict_tools_schema_is_one_that_a_grammar_can_say() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema, "strict": strict}}
        for name, strict in (("f", True), ("g", False))
    ]
    strict, lenient = body(tools=tools)["tools"]
    assert strict["input_schema"]["additionalProperties"] is False
    assert strict["input_schema"]["properties"] == {"a": {"type": "integer", "description": "{minimum: 1}"}}
    assert lenient["input_schema"] == schema


def test_a_narrow_top_p_and_thinking_are_one_too_many() -> None:
    with pytest.raises(BadInput, match="not both") as caught:
        body(top_p=0.5, reasoning_effort="low")
    assert caught.value.param == "top_p"


@pytest.mark.parametrize("top_p", [0.95, 1])
def test_a_wide_top_p_may_stand_beside_thinking(top_p: float) -> None:
    assert body(top_p=top_p, reasoning_effort="low")["thinking"]["type"] == "enabled"
