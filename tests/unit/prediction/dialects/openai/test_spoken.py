"""Messages as servers take them."""

import json
import re
from typing import Any

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.routing.routes import Target

MISTRAL = Target(provider="openai", dialect="openai", model="mistral-medium-latest", profile="mistral")
TGI = Target(provider="custom_openai", dialect="openai", model="m", profile="tgi")


def told(*messages: Any, target: Target = MISTRAL) -> Any:
    body = json.dumps({"model": "shop", "messages": messages}).encode()
    return json.loads(passed_on(body, target, stream=False))["messages"]


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def test_an_answer_comes_back_without_what_the_server_chokes_on() -> None:
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "reasoning_content": "Hm",
    }
    assert told(answer) == [{"role": "assistant", "content": "Hi"}]


@pytest.mark.parametrize("content", [{"content": None}, {}])
def test_a_refusal_that_comes_back_is_what_was_said(content: dict[str, None]) -> None:
    [message] = told({"role": "assistant", "refusal": "No.", **content})
    assert message == {"role": "assistant", "content": "No."}


def loop(call_id: object) -> list[Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "20 degrees"},
    ]


@pytest.mark.parametrize("call_id", ["call_8sTmZ1xVbQ", "toolu_01A09q90qw90lq917835lq9", "aVöd12345", ""])
def test_mistral_gets_calls_begun_elsewhere_under_ids_it_takes(call_id: str) -> None:
    answer, result = told(*loop(call_id))
    given = answer["tool_calls"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9]{9}", given)
    assert (given, answer["tool_calls"][0]["function"]["name"]) == (result["tool_call_id"], "weather")
    assert told(*loop(call_id))[1] == result


@pytest.mark.parametrize("call_id", ["aB3dE6gH9", 7, None])
def test_its_own_ids_and_what_is_none_stay(call_id: object) -> None:
    assert told(*loop(call_id)) == loop(call_id)


@pytest.mark.parametrize("calls", [7, [7], [{"function": {}}], None])
def test_calls_that_are_none_are_mistrals_to_refuse(calls: object) -> None:
    said = {"role": "assistant", "content": "Hi", "tool_calls": calls}
    assert told(said) == [said]


def test_other_servers_get_ids_as_they_are() -> None:
    assert told(*loop("call_8sTmZ1xVbQ"), target=TGI) == loop("call_8sTmZ1xVbQ")


def test_words_that_only_sound_like_a_part_change_nothing() -> None:
    said = {"role": "user", "content": "My file is about input_audio and a developer's refusal."}
    assert told(said) == [said]
    assert told(said, target=TGI) == [said]


def test_what_is_no_message_is_the_servers_to_refuse() -> None:
    strange: list[Any] = [
        {"role": 7, "content": "file"},
        {"role": "user", "content": ["file"]},
        {"role": "user", "content": [{"type": 7}]},
    ]
    assert told(*strange) == strange


def test_parts_stand_where_they_stood() -> None:
    words = {"type": "text", "text": "a file"}
    pdf = {"type": "file", "file": {"file_data": "JVBERg=="}}
    [message] = told(user(words, pdf, words))
    assert [part["type"] for part in message["content"]] == ["text", "document_url", "text"]


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "file", "file": {"file_data": "no base64"}}, "messages[0].content[0].file.file_data"),
        ({"type": "file", "file": {"file_data": 7}}, "messages[0].content[0].file.file_data"),
        ({"type": "file"}, "messages[0].content[0].file"),
        ({"type": "input_audio", "input_audio": "x"}, "messages[0].content[0].input_audio"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(part: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        told(user(part))
    assert caught.value.param == param
