"""What the model said goes back to it as it came: calls, ids, arguments, and thoughts in their places."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta

from tests.unit.prediction.asking import ask, exchange
from tuneway.prediction.dialects.bedrock.request import to_request
from tuneway.prediction.dialects.bedrock.response import from_response
from tuneway.prediction.dialects.bedrock.stream import StreamDecoder
from tuneway.routing.routes import Target

CLAUDE = Target(dialect="bedrock", provider="bedrock", model="anthropic.claude-opus-4-6-v1:0", region="eu-west-1")
USER = {"role": "user", "content": "Hi"}
WORDS = st.text("abc ü\n", min_size=1, max_size=8).filter(str.strip)
IDS = st.text("abcXYZ019_.:-", min_size=1, max_size=64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
INPUT = st.dictionaries(st.text(max_size=4), JSON, max_size=3)


def block(name: str, held: Any) -> dict[str, Any]:
    return {name: held}


THOUGHT = st.one_of(
    st.builds(
        lambda text, sign: block("reasoningContent", {"reasoningText": {"text": text, "signature": sign}}), WORDS, IDS
    ),
    st.builds(lambda data: block("reasoningContent", {"redactedContent": data}), st.sampled_from(["cmVk", "YWJjZA=="])),
)
TEXT = WORDS.map(lambda text: block("text", text))
CALL = st.builds(lambda id_, held: block("toolUse", {"toolUseId": id_, "name": "f", "input": held}), IDS, INPUT)


def some(strategy: st.SearchStrategy[dict[str, Any]], most: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(strategy, max_size=most)


SPOKEN = st.tuples(
    some(THOUGHT, 2), TEXT.map(lambda one: [one]), st.lists(st.tuples(some(THOUGHT, 1), CALL), max_size=3)
)
CONTENT = SPOKEN.map(
    lambda drawn: [*drawn[0], *drawn[1], *(one for thoughts, call in drawn[2] for one in (*thoughts, call))]
)


def given_back(message: dict[str, Any]) -> Any:
    """The blocks that the next request holds for an answer."""
    known = {key: value for key, value in message.items() if key != "reasoning_content"}
    body = to_request(ask(USER, known, USER), CLAUDE)
    return json.loads(msgspec.json.encode(body))["messages"][1]["content"]


def streamed(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that tell the content."""
    return [event for place, one in enumerate(content) for event in _told(one, place)]


def _told(one: dict[str, Any], place: int) -> list[dict[str, Any]]:
    def delta(**held: Any) -> dict[str, Any]:
        return {"contentBlockDelta": {"contentBlockIndex": place, "delta": held}}

    stop = {"contentBlockStop": {"contentBlockIndex": place}}
    match one:
        case {"text": text}:
            return [delta(text=text[:2]), delta(text=text[2:]), stop]
        case {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}:
            pieces = [{"text": text[:1]}, {"text": text[1:]}, {"signature": signature}]
            return [*(delta(reasoningContent=piece) for piece in pieces), stop]
        case {"reasoningContent": redacted}:
            return [delta(reasoningContent=redacted), stop]
        case {"toolUse": {"input": held, **named}}:
            text = json.dumps(held)
            start = {"contentBlockStart": {"contentBlockIndex": place, "start": {"toolUse": named}}}
            return [start, delta(toolUse={"input": text[:3]}), delta(toolUse={"input": text[3:]}), stop]
        case _:
            raise AssertionError(one)


@settings(deadline=None)
@given(CONTENT)
def test_a_whole_answer_goes_back_as_it_came(content: list[dict[str, Any]]) -> None:
    answer = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn"}
    message = from_response(json.dumps(answer).encode(), exchange()).choices[0].message
    assert given_back(json.loads(msgspec.json.encode(message))) == content


@settings(deadline=None)
@given(CONTENT)
def test_a_stream_put_together_by_openais_sdk_goes_back_as_it_came(content: list[dict[str, Any]]) -> None:
    decoder = StreamDecoder(exchange())
    chunks = [one for event in streamed(content) for one in decoder.decode(json.dumps(event).encode())]
    message: dict[Any, Any] = {}
    for chunk in chunks:
        message = accumulate_delta(message, json.loads(msgspec.json.encode(chunk.choices[0].delta)))
    for call in message.get("tool_calls", []):
        del call["index"]
    assert given_back(message) == content
