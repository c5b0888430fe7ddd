"""Every golden folder, both ways; see README.md."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.cloud.aiplatform_v1beta1.types import GenerateContentRequest
from google.genai.types import GenerateContentResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.golden.openai_document import validator
from tests.splits import splits
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Chunk, Exchange
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.retelling import answer_retold, stream_retold
from tuneway.routing.routes import Dialect, Target

HERE = Path(__file__).parent
# The folders of other dialects have tests of their own beside them.
CASES = sorted(path.parent for folder in ("gemini", "instances") for path in HERE.glob(f"{folder}/*/chat.json"))
ANSWERED = [case for case in CASES if (case / "response.json").exists()]
STREAMED = [case for case in CASES if (case / "stream.sse").exists()]
GEMINI = [case for case in CASES if case.parent.name == "gemini"]


def name(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def dialect(case: Path) -> Dialect:
    return "gemini" if case.parent.name == "gemini" else "instances"


def target(case: Path) -> Target:
    if (case / "target.json").exists():
        return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)
    raw = dialect(case) == "instances" and case in STREAMED
    return Target(resource="projects/p/locations/us-central1/endpoints/1", dialect=dialect(case), raw=raw)


def exchange(case: Path) -> Exchange:
    request = decode_chat_request((case / "chat.json").read_bytes())
    return Exchange(request=request, id="chatcmpl-golden", created=1_700_000_000)


def wire(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def chunks_of(case: Path, *pieces: bytes) -> list[Chunk]:
    framing = SseDecoder()
    words = DIALECTS[dialect(case)].stream_decoder(exchange(case))
    decoder = stream_retold(words, exchange(case).request, dialect(case))
    events = [event for piece in pieces for event in framing.decode(piece)] + framing.flush()
    return [chunk for event in events for chunk in decoder.decode(event)] + decoder.flush()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_chat_request_becomes_the_hosts_request(case: Path) -> None:
    body = DIALECTS[dialect(case)].to_request(exchange(case).request, target(case))
    assert wire(body) == golden(case, "request.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_the_hosts_answer_becomes_a_completion(case: Path) -> None:
    completion = DIALECTS[dialect(case)].from_response((case / "response.json").read_bytes(), exchange(case))
    assert wire(answer_retold(completion, exchange(case).request, dialect(case))) == golden(case, "completion.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_the_hosts_stream_becomes_chunks(case: Path) -> None:
    assert wire(chunks_of(case, (case / "stream.sse").read_bytes())) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", STREAMED, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_gives_the_same_chunks(case: Path, data: st.DataObject) -> None:
    body = (case / "stream.sse").read_bytes()
    assert wire(chunks_of(case, *data.draw(splits(body)))) == golden(case, "chunks.json")


@pytest.mark.parametrize("case", ANSWERED, ids=name)
def test_completions_are_what_openai_publishes(case: Path) -> None:
    validator("CreateChatCompletionResponse").validate(golden(case, "completion.json"))


@pytest.mark.parametrize("case", STREAMED, ids=name)
def test_chunks_are_what_openai_publishes(case: Path) -> None:
    for chunk in golden(case, "chunks.json"):
        validator("CreateChatCompletionStreamResponse").validate(chunk)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_openai_sdk_reads_every_answer(case: Path) -> None:
    if case in ANSWERED:
        ChatCompletion.model_validate(golden(case, "completion.json"))
    if case in STREAMED:
        assert [ChatCompletionChunk.model_validate(chunk) for chunk in golden(case, "chunks.json")]


@pytest.mark.parametrize("case", [case for case in GEMINI if case in ANSWERED], ids=name)
def test_gemini_answers_are_what_google_genai_knows(case: Path) -> None:
    GenerateContentResponse.model_validate(golden(case, "response.json"))


@pytest.mark.parametrize("case", GEMINI, ids=name)
def test_gemini_requests_are_what_googles_proto_knows(case: Path) -> None:
    body = golden(case, "request.json")
    # Not in the v1beta1 proto yet, though in Google's Gemini 3 guide and in google-genai.
    body.get("generationConfig", {}).get("thinkingConfig", {}).pop("thinkingLevel", None)
    GenerateContentRequest.from_json(json.dumps(body), ignore_unknown_fields=False)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_transforms_leave_their_input_unchanged(case: Path) -> None:
    asked = exchange(case)
    before = copy.deepcopy(asked)
    DIALECTS[dialect(case)].to_request(asked.request, target(case))
    if case in ANSWERED:
        DIALECTS[dialect(case)].from_response((case / "response.json").read_bytes(), asked)
    assert asked == before
