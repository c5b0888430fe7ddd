"""Every golden folder of this dialect, both ways; see README.md."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import ContentBlockParam, Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from tests.golden.anthropic.goldens import (
    ANSWERED,
    CASES,
    STREAMED,
    chunks_of,
    events,
    exchange,
    golden,
    name,
    target,
    wire,
)
from tests.golden.openai_document import validator
from tests.splits import splits
from tuneway.prediction.dialects.anthropic.request import to_request
from tuneway.prediction.dialects.anthropic.response import from_response
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.retelling import answer_retold

WHOLE: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
STREAMED_REQUEST: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
BLOCK: TypeAdapter[Any] = TypeAdapter(ContentBlockParam)
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_chat_request_becomes_claudes_request(case: Path) -> None:
    assert wire(to_request(exchange(case).request, target(case))) == golden(case, "request.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_claudes_answer_becomes_a_completion(case: Path) -> None:
    completion = from_response((case / "response.json").read_bytes(), exchange(case))
    told = answer_retold(completion, exchange(case).request, "anthropic")
    assert wire(told) == golden(case, "completion.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_claudes_stream_becomes_chunks(case: Path) -> None:
    assert wire(chunks_of(case, (case / "stream.sse").read_bytes())) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_gives_the_same_chunks(case: Path, data: st.DataObject) -> None:
    body = (case / "stream.sse").read_bytes()
    assert wire(chunks_of(case, *data.draw(splits(body)))) == golden(case, "chunks.json")


def known(adapter: TypeAdapter[Any], value: Any) -> Any:
    """What the SDK's types make of a value: they drop what they do not know."""
    return adapter.dump_python(adapter.validate_python(value), mode="json", warnings=False)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_requests_are_what_the_anthropic_sdk_knows(case: Path) -> None:
    body = golden(case, "request.json")
    # Parameters of version 2023-06-01, which 2026-10-21, the SDK's own, refuses.
    told = {field: value for field, value in body.items() if field not in {"temperature", "top_p", "top_k"}}
    blocks = [block for turn in told.pop("messages") for block in turn["content"]]
    assert [known(BLOCK, block) for block in blocks] == blocks
    asked = {**told, "messages": []}
    assert known(STREAMED_REQUEST if body.get("stream") else WHOLE, asked) == asked


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_comes_in_is_what_the_anthropic_sdk_knows(case: Path) -> None:
    if case in ANSWERED:
        Message.model_validate(golden(case, "response.json"))
    if case in STREAMED:
        told = [
            EVENT.validate_json(event) for event in events((case / "stream.sse").read_bytes()) if b"ping" not in event
        ]
        assert told[-1].type == "message_stop"


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_completions_are_what_openai_publishes(case: Path) -> None:
    validator("CreateChatCompletionResponse").validate(golden(case, "completion.json"))
    ChatCompletion.model_validate(golden(case, "completion.json"))


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_chunks_are_what_openai_publishes(case: Path) -> None:
    for chunk in golden(case, "chunks.json"):
        validator("CreateChatCompletionStreamResponse").validate(chunk)
        ChatCompletionChunk.model_validate(chunk)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_transforms_leave_their_input_unchanged(case: Path) -> None:
    asked = exchange(case)
    before = copy.deepcopy(asked)
    to_request(asked.request, target(case))
    if case in ANSWERED:
        from_response((case / "response.json").read_bytes(), asked)
    assert asked == before


def test_what_the_openai_sdk_gathers_of_a_stream_goes_back_as_it_came() -> None:
    case = next(case for case in STREAMED if case.name == "tool_loop")
    gathered: Any = {}
    for chunk in golden(case, "chunks.json"):
        gathered = accumulate_delta(gathered, chunk["choices"][0]["delta"])
    again = decode_chat_request(json.dumps({"model": "m", "messages": [gathered]}).encode())
    told = wire(to_request(again, target(case)))["messages"][0]["content"]
    assert told == [
        {"type": "thinking", "thinking": "Rome now.", "signature": "c2lnMw=="},
        {"type": "text", "text": "I look again."},
        {"type": "redacted_thinking", "data": "bW9yZQ=="},
        {"type": "tool_use", "id": "toolu_c", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "toolu_d", "name": "ping", "input": {}},
    ]
