"""Every folder here; see README.md."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import Completion as SdkCompletion

from tests.golden.openai_document import validator
from tests.splits import splits
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.dialects.openai.passage import Passage, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.response import passed_back
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Exchange
from tuneway.prediction.surfaces.completions.passing import passed_on_completion, to_fim_request, way_to
from tuneway.prediction.surfaces.completions.request import (
    CompletionRequest,
    completion_to_chats,
    decode_completion_request,
)
from tuneway.prediction.surfaces.completions.response import (
    ChunkTeller,
    chat_to_completion,
    encode_completion,
    encode_completions,
)
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/asked.json"))
PASSED = [case for case in CASES if (case / "request.json").exists()]
CHATS = [case for case in CASES if (case / "requests.json").exists()]
ANSWERED = [case for case in CASES if (case / "answer.json").exists()]
STREAMED = [case for case in CASES if (case / "stream.sse").exists()]


def name(case: Path) -> str:
    return case.name


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def body(case: Path) -> bytes:
    return (case / "asked.json").read_bytes()


def asked(case: Path) -> CompletionRequest:
    return decode_completion_request(body(case))


def passage(case: Path) -> Passage:
    return passage_of(body(case), answer_id="cmpl-golden", created=1_700_000_000, kind="text")


def exchanges(case: Path) -> list[Exchange]:
    chats = completion_to_chats(asked(case), target(case))
    return [Exchange(request=chat, id="chatcmpl-golden", created=1_700_000_000) for chat in chats]


def sent(case: Path) -> bytes:
    stream = bool(golden(case, "asked.json").get("stream"))
    if way_to(target(case)) == "passed":
        return passed_on_completion(body(case), target(case), stream=stream)
    return msgspec.json.encode(to_fim_request(asked(case), body(case), target(case)))


def answered(case: Path) -> bytes:
    if case in PASSED:
        return passed_back((case / "response.json").read_bytes(), passage(case)).body
    words = DIALECTS[target(case).dialect]
    pairs = zip(golden(case, "responses.json"), exchanges(case), strict=True)
    told = [words.from_response(json.dumps(response).encode(), exchange) for response, exchange in pairs]
    return encode_completion(chat_to_completion(told, asked(case)))


def streamed(case: Path, *pieces: bytes) -> bytes:
    framing = SseDecoder()
    events = [event for piece in pieces for event in framing.decode(piece)] + framing.flush()
    return _passed(case, events) if case in PASSED else _told(case, events)


def _passed(case: Path, events: list[bytes]) -> bytes:
    stream = StreamPass(passage(case))
    return b"".join(stream.decode(event) for event in events) + stream.flush()


def _told(case: Path, events: list[bytes]) -> bytes:
    decoder = DIALECTS[target(case).dialect].stream_decoder(exchanges(case)[0])
    teller = ChunkTeller(asked(case))
    chunks = [chunk for event in events for chunk in decoder.decode(event)] + decoder.flush()
    told = [completion for chunk in chunks for completion in teller.told(chunk)]
    return encode_completions(told + teller.closing(chunks[-1], decoder.usage)) + b"data: [DONE]\n\n"


def events_in(stream: bytes) -> list[Any]:
    *events, done, rest = stream.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.mark.parametrize("case", PASSED, ids=name)
def test_a_body_reaches_the_server(case: Path) -> None:
    assert json.loads(sent(case)) == golden(case, "request.json")


@pytest.mark.parametrize("case", CHATS, ids=name)
def test_each_prompt_becomes_a_chat(case: Path) -> None:
    assert way_to(target(case)) == "chat"
    words = DIALECTS[target(case).dialect]
    told = [words.to_request(exchange.request, target(case)) for exchange in exchanges(case)]
    assert json.loads(msgspec.json.encode(told)) == golden(case, "requests.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_the_hosts_answer_becomes_a_completion(case: Path) -> None:
    assert json.loads(answered(case)) == golden(case, "answer.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_the_hosts_stream_becomes_the_same_chunks(case: Path, data: st.DataObject) -> None:
    stream = (case / "stream.sse").read_bytes()
    assert events_in(streamed(case, *data.draw(splits(stream)))) == golden(case, "events.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_answers_are_what_openai_publishes(case: Path) -> None:
    validator("CreateCompletionResponse").validate(golden(case, "answer.json"))
    SdkCompletion.model_validate(golden(case, "answer.json"))


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_chunks_are_what_openai_streams(case: Path) -> None:
    for chunk in golden(case, "events.json"):
        choices = [{**choice, "finish_reason": choice["finish_reason"] or "stop"} for choice in chunk["choices"]]
        whole = {**chunk, "choices": choices}
        validator("CreateCompletionResponse").validate({**whole, "usage": whole.get("usage") or _NO_USAGE})
        SdkCompletion.model_validate(whole)


_NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
