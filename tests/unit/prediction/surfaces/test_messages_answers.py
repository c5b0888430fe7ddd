import json
from typing import Any

import anthropic
import httpx2
import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import BadInput, NotFound, TunewayError, UpstreamError
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    FunctionDelta,
    ToolCallDelta,
    Usage,
)
from tuneway.prediction.hub.chunks import as_chunks
from tuneway.prediction.hub.messages import AnthropicExtra, ExtraContent, GoogleExtra, ThinkingBlock
from tuneway.prediction.surfaces.messages.errors import encode_error, encode_error_event
from tuneway.prediction.surfaces.messages.events import MessageEvents
from tuneway.prediction.surfaces.messages.message import encode_message

USAGE = Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
SIGNED = [
    ThinkingBlock(type="thinking", thinking="a", signature="c2ln"),
    ThinkingBlock(type="redacted_thinking", data="ZGF0YQ=="),
]


def completion(**message: Any) -> ChatCompletion:
    choice = Choice(index=0, message=AnswerMessage(**message), finish_reason="stop")
    return ChatCompletion(id="chatcmpl-1", created=1, model="m", choices=[choice], usage=USAGE)


def content(answer: ChatCompletion, *, thoughts: bool = True) -> Any:
    return json.loads(encode_message(answer, thoughts=thoughts))["content"]


def chunk(index: int = 0, **delta: Any) -> Chunk:
    return Chunk(id="chatcmpl-1", created=1, model="m", choices=[ChunkChoice(index=index, delta=Delta(**delta))])


def told(*chunks: Chunk, thoughts: bool = True) -> list[Any]:
    events = MessageEvents(thoughts=thoughts)
    wire = events.encode(chunks) + events.flush(USAGE)
    return [json.loads(line[6:]) for line in wire.splitlines() if line.startswith(b"data: ")][1:-2]


def deltas(*chunks: Chunk, thoughts: bool = True) -> list[str]:
    return [event["delta"]["type"] for event in told(*chunks, thoughts=thoughts) if "delta" in event]


def extra(*blocks: ThinkingBlock) -> ExtraContent:
    return ExtraContent(anthropic=AnthropicExtra(thinking_blocks=list(blocks)))


def test_a_refusal_is_said_in_words() -> None:
    assert content(completion(content=None, refusal="No.")) == [{"type": "text", "text": "No."}]
    assert told(chunk(refusal="No."))[1]["delta"]["text"] == "No."


def test_signed_thoughts_without_a_place_come_first() -> None:
    kinds = [block["type"] for block in content(completion(content="x", extra_content=extra(*SIGNED)))]
    assert kinds == ["thinking", "redacted_thinking", "text"]


def test_a_foreign_extra_is_not_told() -> None:
    foreign = ExtraContent(google=GoogleExtra(thought_signature="c2ln"))
    assert content(completion(content="x", extra_content=foreign)) == [{"type": "text", "text": "x"}]
    assert deltas(chunk(content="x", extra_content=foreign)) == ["text_delta"]
    assert deltas(chunk(content="x", extra_content=ExtraContent(anthropic=AnthropicExtra()))) == ["text_delta"]


def test_a_caller_who_wants_no_thoughts_gets_their_signatures_alone() -> None:
    answer = completion(content="x", reasoning_content="a", extra_content=extra(*SIGNED))
    assert content(answer, thoughts=False)[0] == {"type": "thinking", "thinking": "", "signature": "c2ln"}
    assert content(completion(content="x", reasoning_content="a"), thoughts=False) == [{"type": "text", "text": "x"}]
    assert deltas(chunk(reasoning_content="a", extra_content=extra(*SIGNED)), thoughts=False) == ["signature_delta"]
    assert deltas(chunk(reasoning_content="a"), thoughts=False) == []


def test_an_answer_told_at_once_keeps_its_thoughts_apart() -> None:
    other = ThinkingBlock(type="thinking", thinking="b", signature="bW9yZQ==")
    answer = completion(content="x", reasoning_content="ab", extra_content=extra(*SIGNED, other))
    events = told(*as_chunks(answer, exchange()))
    assert [event["delta"]["thinking"] for event in events if event.get("delta", {}).get("thinking")] == ["a", "b"]
    assert [event["index"] for event in events if event["type"] == "content_block_start"] == [0, 1, 2, 3]


def test_only_the_first_choice_is_told() -> None:
    assert told(chunk(index=1, content="x")) == []


def test_a_call_without_an_id_or_arguments_is_still_a_block() -> None:
    function = FunctionDelta()
    events = told(chunk(tool_calls=[ToolCallDelta(index=0, function=function)]))
    assert events[0]["content_block"] == {"type": "tool_use", "id": "", "name": "", "input": {}}


def sdk(status: int, body: bytes, kind: str = "application/json") -> anthropic.Anthropic:
    answer = httpx2.Response(status, headers={"content-type": kind}, content=body)
    client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    return anthropic.Anthropic(api_key="sk-test", max_retries=0, http_client=client)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (422, "invalid_request_error", anthropic.UnprocessableEntityError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (500, "api_error", anthropic.InternalServerError),
        (502, "api_error", anthropic.InternalServerError),
        (503, "overloaded_error", anthropic.InternalServerError),
    ],
)
def test_the_anthropic_sdk_raises_the_right_error(status: int, kind: str, error: type[Exception]) -> None:
    body = encode_error(NotFound("Nope."), status=status, request_id="req_1")
    with pytest.raises(error, match="Nope") as caught:
        sdk(status, body).messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    assert getattr(caught.value, "type", None) == kind


def test_the_anthropic_sdk_raises_an_error_in_a_stream() -> None:
    fault = UpstreamError("Broke off.", status=502, kind="server_error")
    events = MessageEvents()
    wire = events.encode([chunk(content="x")]) + encode_error_event(fault, status=502, request_id="req_1")
    with (
        pytest.raises(anthropic.APIStatusError, match="Broke off"),
        sdk(200, wire, "text/event-stream").messages.stream(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}]
        ) as stream,
    ):
        stream.until_done()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (BadInput("Too hot.", param="temperature"), "temperature: Too hot."),
        (BadInput("'temperature' is too high.", param="temperature"), "'temperature' is too high."),
        (TunewayError("Failed."), "Failed."),
    ],
)
def test_an_error_names_its_field(fault: TunewayError, message: str) -> None:
    told_error = json.loads(encode_error(fault, status=400, request_id="req_1"))
    assert told_error == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": message},
        "request_id": "req_1",
    }
