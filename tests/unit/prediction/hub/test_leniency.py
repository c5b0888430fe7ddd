"""What clients send beside OpenAI's own words in messages."""

import json
from typing import Any

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.hub.messages import AssistantMessage, ImagePart, ImageUrl, TextPart
from tuneway.prediction.hub.request import ChatRequest

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
HINT = {"type": "ephemeral"}


def ask(*messages: Any) -> ChatRequest:
    return decode_chat_request(json.dumps({"model": "m", "messages": messages}).encode())


@pytest.mark.parametrize("field", ["reasoning", "reasoning_details", "images", "thinking_blocks", "whatever"])
def test_an_answer_given_back_may_hold_whatever_its_host_put_into_it(field: str) -> None:
    said = ask(HI, {"role": "assistant", "content": "Hello", field: [{"a": 1}]}, HI).messages[1]
    assert said == AssistantMessage(content="Hello")


def test_nobody_else_may() -> None:
    with pytest.raises(BadInput) as refused:
        ask({**HI, "reasoning": "x"})
    assert refused.value.param == "messages[0].reasoning"


def test_a_hint_beside_the_content_goes_into_its_last_part() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    system, user = ask(
        {"role": "system", "content": "S", "cache_control": HINT}, {**HI, "content": parts, "cache_control": HINT}
    ).messages
    assert system.content == [TextPart(text="S", cache_control=HINT)]
    assert user.content == [TextPart(text="a"), TextPart(text="b", cache_control=HINT)]


def test_a_part_keeps_the_hint_it_has() -> None:
    own = {"type": "ephemeral", "ttl": "1h"}
    (said,) = ask(
        {**HI, "content": [{"type": "text", "text": "a", "cache_control": own}], "cache_control": HINT}
    ).messages
    assert said.content == [TextPart(text="a", cache_control=own)]


@pytest.mark.parametrize("content", ["", [], [1]])
def test_content_that_can_bear_no_hint_is_judged_as_it_is(content: object) -> None:
    told = {"role": "user", "content": content}
    assert outcome(told) == outcome({**told, "cache_control": HINT})


def outcome(message: object) -> object:
    try:
        return ask(message).messages
    except BadInput as fault:
        return fault.message


@pytest.mark.parametrize("messages", ["Hi", {"role": "user"}, [5], [None]])
def test_what_are_no_messages_is_told(messages: object) -> None:
    with pytest.raises(BadInput) as refused:
        decode_chat_request(json.dumps({"model": "m", "messages": messages}).encode())
    assert str(refused.value.param).startswith("messages")


def test_a_picture_may_name_its_type() -> None:
    (said,) = ask(
        {**HI, "content": [{"type": "image_url", "image_url": {"url": "gs://b/o", "format": "image/png"}}]}
    ).messages
    assert said.content == [ImagePart(image_url=ImageUrl(url="gs://b/o", format="image/png"))]
