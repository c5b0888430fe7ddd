"""Messages as servers take them."""

import json
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
