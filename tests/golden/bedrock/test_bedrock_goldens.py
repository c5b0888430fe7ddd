"""Every folder here, both ways; see README.md."""

import copy
import json
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.golden.bedrock.framed import framed
from tests.golden.openai_document import validator
from tests.splits import splits
from tuneway.prediction.dialects.bedrock.request import to_request
from tuneway.prediction.dialects.bedrock.response import from_response
from tuneway.prediction.dialects.bedrock.stream import StreamDecoder
from tuneway.prediction.framing.event_stream import EventStreamDecoder
from tuneway.prediction.hub.answer import Chunk, Exchange
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.retelling import answer_retold, stream_retold
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/chat.json"))
STREAMED = [case for case in CASES if (case / "stream.jsonl").exists()]
SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def name(case: Path) -> str:
    return case.name


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def exchange(case: Path) -> Exchange:
    request = decode_chat_request((case / "chat.json").read_bytes())
    return Exchange(request=request, id="chatcmpl-golden", created=1_700_000_000)


def wire(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def streamed(case: Path) -> bytes:
    return framed((case / "stream.jsonl").read_bytes())


def chunks_of(case: Path, *pieces: bytes) -> list[Chunk]:
    framing = EventStreamDecoder()
    decoder = stream_retold(StreamDecoder(exchange(case)), exchange(case).request, "bedrock")
    events = [event for piece in pieces for event in framing.decode(piece)] + list(framing.flush())
    return [chunk for event in events for chunk in decoder.decode(event)] + decoder.flush()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_chat_request_becomes_a_converse_request(case: Path) -> None:
    assert wire(to_request(exchange(case).request, target(case))) == golden(case, "request.json")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_converse_requests_are_what_botocore_knows(case: Path) -> None:
    body = {"modelId": target(case).model, **golden(case, "request.json")}
    shape = SERVICE.operation_model("Converse").input_shape
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_converse_answers_are_what_botocore_knows(case: Path) -> None:
    shape = SERVICE.operation_model("Converse").output_shape
    report = ParamValidator().validate(golden(case, "response.json"), shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_stream_events_are_what_botocore_knows(case: Path) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(streamed(case))
    events = SERVICE.operation_model("ConverseStream").output_shape.members["stream"].members
    for message in buffer:
        told = message.to_response_dict()
        shape = events[told["headers"][":event-type"]]
        report = ParamValidator().validate(json.loads(told["body"]), shape)
        assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_an_answer_becomes_a_completion(case: Path) -> None:
    completion = from_response((case / "response.json").read_bytes(), exchange(case))
    told = answer_retold(completion, exchange(case).request, "bedrock")
    assert wire(told) == golden(case, "completion.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_a_stream_becomes_chunks(case: Path) -> None:
    assert wire(chunks_of(case, streamed(case))) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_gives_the_same_chunks(case: Path, data: st.DataObject) -> None:
    body = streamed(case)
    assert wire(chunks_of(case, *data.draw(splits(body)))) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", CASES, ids=name)
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
    from_response((case / "response.json").read_bytes(), asked)
    assert asked == before
