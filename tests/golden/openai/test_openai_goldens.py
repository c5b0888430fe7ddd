"""Every folder here, passed through and told by the hub; see README.md."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.golden.openai_document import validator
from tests.splits import splits
from tuneway.prediction.dialects.openai.passage import Passage, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.dialects.openai.response import from_response, passed_back
from tuneway.prediction.dialects.openai.servers import server_of
from tuneway.prediction.dialects.openai.stream import StreamDecoder
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Chunk, Exchange
from tuneway.prediction.hub.request import ChatRequest, StreamOptions
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/asked.json"))
ANSWERED = [case for case in CASES if (case / "response.json").exists()]
STREAMED = [case for case in CASES if (case / "stream.sse").exists()]
HUB = [case for case in CASES if case in ANSWERED or case in STREAMED]
DONE = "[DONE]"


def name(case: Path) -> str:
    return case.name


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def passage(case: Path) -> Passage:
    return passage_of((case / "asked.json").read_bytes(), answer_id="chatcmpl-golden", created=1_700_000_000)


def sent(case: Path) -> bytes:
    asked = (case / "asked.json").read_bytes()
    return passed_on(asked, target(case), stream=bool(golden(case, "asked.json").get("stream")))


def passed(case: Path, *pieces: bytes) -> bytes:
    framing, stream = SseDecoder(), StreamPass(passage(case))
    events = [event for piece in pieces for event in framing.decode(piece)] + framing.flush()
    return b"".join(stream.decode(event) for event in events) + stream.flush()


def exchange(case: Path) -> Exchange:
    """The same call by a caller who speaks another language, so that the hub has to tell the answer."""
    asked = passage(case)
    options = StreamOptions(include_usage=True) if asked.shows_usage else None
    request = msgspec.convert({"model": asked.model, "messages": [{"role": "user", "content": "Hi"}]}, ChatRequest)
    return Exchange(
        request=msgspec.structs.replace(request, stream_options=options), id=asked.id, created=1_700_000_000
    )


def chunks_of(case: Path, body: bytes) -> list[Chunk]:
    framing, decoder = SseDecoder(), StreamDecoder(exchange(case))
    events = framing.decode(body) + framing.flush()
    return [chunk for event in events for chunk in decoder.decode(event)] + decoder.flush()


def wire(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def events_in(body: bytes) -> list[Any]:
    *events, done, rest = body.decode().split("\n\n")
    assert (done, rest) == (f"data: {DONE}", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_body_is_passed_on(case: Path) -> None:
    assert json.loads(sent(case)) == golden(case, "request.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_an_answer_is_passed_back(case: Path) -> None:
    assert json.loads(passed_back((case / "response.json").read_bytes(), passage(case)).body) == golden(
        case, "answer.json"
    )


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_a_stream_is_passed_back(case: Path) -> None:
    assert passed(case, (case / "stream.sse").read_bytes()) == (case / "events.sse").read_bytes()


@pytest.mark.parametrize("case", STREAMED, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_is_passed_back_the_same(case: Path, data: st.DataObject) -> None:
    body = (case / "stream.sse").read_bytes()
    assert passed(case, *data.draw(splits(body))) == (case / "events.sse").read_bytes()


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_the_hub_tells_an_answer(case: Path) -> None:
    told = from_response((case / "response.json").read_bytes(), exchange(case))
    assert wire(told) == golden(case, "completion.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_the_hub_tells_a_stream(case: Path) -> None:
    assert wire(chunks_of(case, (case / "stream.sse").read_bytes())) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
@pytest.mark.parametrize("file", ["answer.json", "completion.json"])
def test_answers_are_what_openai_publishes(case: Path, file: str) -> None:
    validator("CreateChatCompletionResponse").validate(golden(case, file))
    ChatCompletion.model_validate(golden(case, file))


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_chunks_are_what_openai_publishes(case: Path) -> None:
    for chunk in events_in((case / "events.sse").read_bytes()) + golden(case, "chunks.json"):
        validator("CreateChatCompletionStreamResponse").validate(chunk)
        ChatCompletionChunk.model_validate(chunk)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_only_the_name_of_the_model_need_change(case: Path) -> None:
    asked, request = golden(case, "asked.json"), golden(case, "request.json")
    changed = {"model", "stream_options", "user", "metadata", "n", "top_p", "tool_choice", "seed"}
    changed.add("max_completion_tokens")
    if server_of(target(case)).forms:
        changed.add("messages")
    assert {k: v for k, v in asked.items() if k not in changed}.items() <= request.items()
