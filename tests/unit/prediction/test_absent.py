import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.absent import read
from tuneway.prediction.dialects.anthropic import response as anthropic
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder as AnthropicDecoder
from tuneway.prediction.dialects.bedrock import response as bedrock
from tuneway.prediction.dialects.bedrock.stream import StreamDecoder as BedrockDecoder
from tuneway.prediction.dialects.gemini import response as gemini

GEMINI = {
    "candidates": [
        {
            "index": 0,
            "content": {
                "parts": [{"text": "a", "thought": False}, {"functionCall": {"name": "f", "args": {"x": None}}}]
            },
            "logprobsResult": {"chosenCandidates": [{"token": "a", "logProbability": -1}], "topCandidates": []},
        }
    ],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "thoughtsTokenCount": 0},
}
CLAUDE = {
    "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "text", "text": "a", "citations": []},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"x": None}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 1}},
}
CONVERSE = {
    "output": {
        "message": {
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}},
                {"text": "a"},
                {"toolUse": {"toolUseId": "c", "name": "f", "input": {"x": None}}},
            ]
        }
    },
    "stopReason": "tool_use",
    "usage": {"inputTokens": 1, "outputTokens": 2},
    "performanceConfig": {"latency": "standard"},
}
# Without these there is no answer.
NEEDED = {("candidates",), ("candidates", 0), ("content",), ("output",), ("output", "message")}
READERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "gemini": (gemini, GEMINI),
    "claude": (anthropic, CLAUDE),
    "converse": (bedrock, CONVERSE),
}


def places(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """Every field and item of an answer, by its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*before, key)
        yield from places(held, *before, key)


def nulled(answer: Any, place: tuple[Any, ...]) -> bytes:
    """The answer with a null in the place."""
    told = holder = copy.deepcopy(answer)
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = None
    return json.dumps(told).encode()


CASES = [(name, place) for name, (_, answer) in READERS.items() for place in places(answer) if place not in NEEDED]


@pytest.mark.parametrize(("name", "place"), CASES)
def test_a_null_anywhere_costs_what_it_stands_for_not_the_answer(name: str, place: tuple[Any, ...]) -> None:
    reader, answer = READERS[name]
    completion = reader.from_response(nulled(answer, place), exchange())
    assert completion.choices


@pytest.mark.parametrize("name", READERS)
def test_a_null_that_a_tool_is_called_with_stays(name: str) -> None:
    reader, answer = READERS[name]
    body = {**answer, "usage": {"input_tokens": None, "inputTokens": None}, "usageMetadata": {"promptTokenCount": None}}
    calls = reader.from_response(json.dumps(body).encode(), exchange()).choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"x": None}]


def test_events_may_hold_nulls_too() -> None:
    text = {"type": "content_block_start", "index": None, "content_block": {"type": "text", "text": None}}
    assert AnthropicDecoder(exchange()).decode(json.dumps(text).encode()) == []
    usage = {"metadata": {"usage": {"inputTokens": None, "outputTokens": 2}}}
    decoder = BedrockDecoder(exchange())
    assert decoder.decode(json.dumps(usage).encode()) == []
    assert decoder.usage.completion_tokens == 2


@pytest.mark.parametrize(
    "body", [b"null", b"[null]", b'{"candidates": 5}', b'{"candidates":' + b"[" * 900 + b"]" * 900 + b"}"]
)
def test_what_is_no_answer_without_its_nulls_is_none(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        gemini.from_response(body, exchange())


def test_what_is_right_is_read_once_and_as_it_is() -> None:
    decoder = msgspec.json.Decoder(dict[str, int | None])
    assert read(b'{"a": null, "b": 1}', decoder) == {"a": None, "b": 1}
