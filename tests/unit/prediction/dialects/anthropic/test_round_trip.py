"""What Claude said goes back to it: calls, ids, arguments as written, and thoughts in their places."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta

from tests.unit.prediction.asking import ask, exchange
from tuneway.prediction.dialects.anthropic.request import to_request
from tuneway.prediction.dialects.anthropic.response import from_response
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder
from tuneway.routing.routes import Target

CLAUDE = Target(dialect="anthropic", provider="anthropic", model="claude-opus-4-8")
USER = {"role": "user", "content": "Hi"}
IDS = st.text("abcXYZ019_-", min_size=1, max_size=20)
WORDS = st.text("abc ü\n", min_size=1, max_size=8)
INPUT = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3) | st.none(), max_size=2)
THOUGHT = st.one_of(
    st.builds(lambda text, sign: {"type": "thinking", "thinking": text, "signature": sign}, WORDS, IDS),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, IDS),
)
TEXT = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
CALL = st.builds(lambda id_, held: {"type": "tool_use", "id": id_, "name": "f", "input": held}, IDS, INPUT)
SEARCH = st.builds(lambda id_: {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {}}, IDS)
CONTENT = st.tuples(
    st.lists(st.one_of(THOUGHT, TEXT, SEARCH), max_size=6), st.lists(st.one_of(THOUGHT, CALL), max_size=4), CALL
).map(lambda drawn: [*drawn[0], *drawn[1], drawn[2]])


def given_back(message: dict[str, Any]) -> Any:
    """The blocks that the next request holds for an answer."""
    known = {key: value for key, value in message.items() if key != "reasoning_content"}
    body = to_request(ask(USER, known, USER), CLAUDE)
    return json.loads(msgspec.json.encode(body))["messages"][1]["content"]


def expected(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks without what is Anthropic's alone, and one text where there were several."""
    words = "".join(block["text"] for block in content if block["type"] == "text")
    first = next((block for block in content if block["type"] == "text" and block["text"].strip()), None)
    told = []
    for block in content:
        if block["type"] not in {"text", "server_tool_use"}:
            told.append(block)
        elif block is first:
            told.append({"type": "text", "text": words})
    return told


def streamed(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that tell the content."""
    told = [event for place, one in enumerate(content) for event in _told(one, place)]
    stop = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}}
    return [{"type": "message_start", "message": {"content": []}}, *told, stop, {"type": "message_stop"}]


def _told(one: dict[str, Any], place: int) -> list[dict[str, Any]]:
    def start(**held: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": place, "content_block": {"type": one["type"], **held}}

    def delta(**held: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": place, "delta": held}

    match one:
        case {"type": "text", "text": text}:
            pieces = [start(text=""), delta(text=text[:2]), delta(text=text[2:])]
        case {"type": "thinking", "thinking": text, "signature": sign}:
            pieces = [start(thinking="", signature=""), delta(thinking=text[:1]), delta(thinking=text[1:])]
            pieces.append(delta(signature=sign))
        case {"type": "redacted_thinking", "data": data}:
            pieces = [start(data=data)]
        case _:
            text, named = json.dumps(one["input"]), {"id": one["id"], "name": one["name"]}
            pieces = [start(**named, input={}), delta(partial_json=text[:3]), delta(partial_json=text[3:])]
    return [*pieces, {"type": "content_block_stop", "index": place}]


@given(content=CONTENT)
@settings(max_examples=200, deadline=None)
def test_a_whole_answer_goes_back_as_it_came(content: list[dict[str, Any]]) -> None:
    body = json.dumps({"content": content, "stop_reason": "tool_use"}).encode()
    message = from_response(body, exchange()).choices[0].message
    assert given_back(json.loads(msgspec.json.encode(message))) == expected(content)


@given(content=CONTENT)
@settings(max_examples=200, deadline=None)
def test_a_stream_put_together_by_openais_sdk_goes_back_as_it_came(content: list[dict[str, Any]]) -> None:
    decoder = StreamDecoder(exchange())
    chunks = [chunk for event in streamed(content) for chunk in decoder.decode(json.dumps(event).encode())]
    message: dict[object, object] = {}
    for chunk in [*chunks, *decoder.flush()]:
        message = accumulate_delta(message, json.loads(msgspec.json.encode(chunk.choices[0].delta)))
    assert given_back(json.loads(json.dumps(message))) == expected(content)
