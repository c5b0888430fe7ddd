import json
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import GEMINI, ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.request import to_request

HI = {"role": "user", "content": "Hi"}


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(to_request(ask(*messages, **fields), GEMINI)))
    return told


def parts(*messages: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(turn["role"], turn["parts"]) for turn in body(*messages)["contents"]]


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def calling(*calls: tuple[str, str]) -> dict[str, Any]:
    made = [{"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}} for id_, name in calls]
    return {"role": "assistant", "tool_calls": made}


def result(call_id: str, content: str = "1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def answered(turn: tuple[str, list[Any]]) -> list[str]:
    return [part["functionResponse"]["name"] for part in turn[1]]


def test_empty_texts_are_not_told_wherever_they_stand() -> None:
    told = body(
        {"role": "system", "content": [text(""), text("Be kind.")]},
        {"role": "user", "content": ""},
        {"role": "user", "content": [text(""), text("Hi")]},
        {"role": "assistant", "content": [text("")]},
    )
    assert told["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert told["systemInstruction"] == {"parts": [{"text": "Be kind."}]}


@pytest.mark.parametrize(
    "message", [{"role": "user", "content": ""}, {"role": "assistant"}, {"role": "system", "content": ""}]
)
def test_a_conversation_that_says_nothing_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="say nothing") as caught:
        body(message)
    assert caught.value.param == "messages"


def test_results_stand_behind_their_calls_whatever_was_said_between() -> None:
    told = parts(HI, calling(("a", "f"), ("b", "g")), HI, result("b"), {"role": "system", "content": "!"}, result("a"))
    assert answered(told[2]) == ["f", "g"]
    assert told[3] == ("user", [{"text": "Hi"}])


def test_an_id_that_comes_again_is_its_last_calls() -> None:
    told = parts(HI, calling(("call_0", "f")), result("call_0"), calling(("call_0", "g")), result("call_0"))
    assert [answered(told[2]), answered(told[4])] == [["f"], ["g"]]


def test_a_result_before_its_call_is_refused() -> None:
    with pytest.raises(BadInput, match="No earlier assistant message") as caught:
        body(HI, result("a"), calling(("a", "f")))
    assert caught.value.param == "messages[1].tool_call_id"


@pytest.mark.parametrize(
    ("seed", "told"), [(7, 7), (-7, -7), (2**31 - 1, 2**31 - 1), (2**31, 0), (2**40 + 5, 5), (10**25, 10**25 % 2**31)]
)
def test_a_seed_fits_into_32_bits(seed: int, told: int) -> None:
    assert body(seed=seed)["generationConfig"]["seed"] == told


@pytest.mark.parametrize("stop", ["", [], [""]])
def test_stops_that_say_nothing_are_left_out(stop: Any) -> None:
    assert "generationConfig" not in body(stop=stop)


def test_a_jpeg_is_one_however_it_is_spelled() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/JPG;base64,aGk="}}
    assert parts({"role": "user", "content": [part]})[0][1] == [
        {"inlineData": {"mimeType": "image/jpeg", "data": "aGk="}}
    ]


def test_a_choice_among_no_tools_is_refused() -> None:
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}
    with pytest.raises(BadInput, match="none of the 'tools'") as caught:
        body(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice=allowed)
    assert caught.value.param == "tool_choice"
