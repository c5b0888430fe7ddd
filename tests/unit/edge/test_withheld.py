"""Answers that a filter emptied or that found no room, on routes that name other models for them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.unit.edge.predict_door import GEMINI, RESOURCE, SSE, Predict
from tuneway.routing.routes import Limits, Target

FILTERED = {**GEMINI, "candidates": [{"content": {"parts": [{"text": "I"}]}, "finishReason": "SAFETY"}]}
BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}}
CLAUDE = Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-5-5")
BOX = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1")
ASKED = {"model": "shop", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
both = pytest.mark.parametrize("stream", [False, True])


def sse(*events: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def gemini(text: str | None, finish: str | None = None) -> dict[str, Any]:
    parts = {} if text is None else {"content": {"parts": [{"text": text}]}}
    return {"candidates": [{**parts, **({"finishReason": finish} if finish else {})}]}


def message(stop: str, *texts: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text} for text in texts]
    usage = {"input_tokens": 3, "output_tokens": 0}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "usage": usage}
    return {**head, "content": content, "stop_reason": stop}


def events(stop: str, *texts: str) -> bytes:
    told: list[dict[str, Any]] = [{"type": "message_start", "message": {**message(stop), "stop_reason": None}}]
    for index, text in enumerate(texts):
        told += [
            {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": index},
        ]
    told += [{"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 0}}]
    return sse(*told, {"type": "message_stop"})


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "served"}
    return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("mild", Target(resource=RESOURCE + "2"))
    made.state.route("long", Target(resource=RESOURCE + "3"))
    return made


def first_says(body: Any, *, second: Any = None) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
    """The first host says ``body``, any other ``second``: a status, or without it what suits the call."""

    async def reply(request: httpx.Request) -> httpx.Response:
        other = any(f"/endpoints/{place}:" in request.url.path for place in (2, 3))
        told = (second or (SSE if "alt=sse" in str(request.url) else GEMINI)) if other else body
        if isinstance(told, int):
            return httpx.Response(told, json={"error": {"message": "No.", "code": told}})
        return httpx.Response(200, content=told) if isinstance(told, bytes) else httpx.Response(200, json=told)

    return reply


def texts(answer: httpx.Response) -> str:
    """What a chat said, whole or in chunks."""
    if answer.headers["content-type"].startswith("application/json"):
        return str(answer.json()["choices"][0]["message"]["content"])
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for one in told for choice in one["choices"])


@pytest.mark.parametrize(
    ("body", "stream"),
    [
        (FILTERED, False),
        (BLOCKED, False),
        (sse(BLOCKED), True),
        (sse(gemini(None, "SAFETY")), True),
        (sse(gemini(""), gemini("", "SAFETY")), True),
    ],
)
async def test_an_answer_that_a_filter_took_is_asked_of_another_model(
    predict: Predict, body: Any, *, stream: bool
) -> None:
    predict.state.route("shop", content_fallbacks=("mild",))
    predict.host.reply = first_says(body)
    answer = await predict.chat(stream=stream)
    assert texts(answer) == ("Hello" if stream else "Hi")
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/2"
    assert (answer.headers["x-tuneway-attempts"], predict.lines()[-1]["status"]) == ("2", 200)


@pytest.mark.parametrize("stream", [False, True])
async def test_without_such_fallbacks_the_filtered_answer_is_the_answer(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", fallbacks=("mild",))
    predict.host.reply = first_says(sse(BLOCKED) if stream else FILTERED)
    answer = await predict.chat(stream=stream)
    assert (answer.status_code, "content_filter" in answer.text) == (200, True)
    assert len(predict.host.asked) == 1


async def test_a_stream_that_has_begun_to_speak_is_the_answer(predict: Predict) -> None:
    predict.state.route("shop", content_fallbacks=("mild",))
    predict.host.reply = first_says(sse(gemini("I"), gemini("", "SAFETY")))
    answer = await predict.chat(stream=True)
    assert (texts(answer), "content_filter" in answer.text) == ("I", True)
    assert len(predict.host.asked) == 1


@both
@pytest.mark.parametrize("second", [503, 404])
async def test_when_nobody_else_answers_the_filtered_answer_is_told_after_all(
    predict: Predict, second: int, *, stream: bool
) -> None:
    predict.state.route("shop", content_fallbacks=("mild", "gone"))
    predict.host.reply = first_says(sse(BLOCKED) if stream else FILTERED, second=second)
    answer = await predict.chat(stream=stream)
    assert (answer.status_code, "content_filter" in answer.text) == (200, True)
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/1"
    line = predict.lines()[-1]
    assert (line["gen_ai.usage.input_tokens"], line.get("error.type")) == (3, None)
    assert ("[DONE]" in answer.text) is stream


@pytest.mark.parametrize(
    ("stream", "body"),
    [
        (False, message("refusal")),
        (True, events("refusal")),
        (False, message("model_context_window_exceeded")),
        (True, events("model_context_window_exceeded")),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/completions"])
async def test_claudes_silence_has_its_fallback_on_every_surface(
    predict: Predict, path: str, body: Any, *, stream: bool
) -> None:
    predict.state.route("shop", CLAUDE, content_fallbacks=("mild",), context_fallbacks=("long",))
    predict.host.reply = first_says(body)
    words = {"prompt": "Hello"} if path == "/v1/completions" else {"messages": ASKED["messages"]}
    answer = await predict.call("POST", path, json={"model": "shop", "max_tokens": 9, "stream": stream, **words})
    other = "2" if "refusal" in str(body) else "3"
    assert answer.headers["x-tuneway-target"] == f"vertex/us-central1/endpoints/{other}"
    assert answer.status_code == 200


@both
async def test_a_full_window_after_some_words_is_an_answer(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", CLAUDE, context_fallbacks=("long",))
    end = "model_context_window_exceeded"
    predict.host.reply = first_says(events(end, "Hm") if stream else message(end, "Hm"))
    answer = await predict.chat(stream=stream)
    assert texts(answer) == "Hm"
    assert '"native_finish_reason":"model_context_window_exceeded"' in answer.text
    assert len(predict.host.asked) == 1


@both
async def test_a_limit_of_the_callers_own_is_no_full_window(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", CLAUDE, context_fallbacks=("long",), content_fallbacks=("mild",))
    predict.host.reply = first_says(events("max_tokens") if stream else message("max_tokens"))
    answer = await predict.chat(stream=stream)
    assert (texts(answer), len(predict.host.asked)) == ("", 1)


async def test_a_passed_stream_is_held_back_until_it_speaks(predict: Predict) -> None:
    predict.state.route("shop", BOX, content_fallbacks=("mild",))
    filtered = sse(
        {**chunk({}), "choices": []}, chunk({"role": "assistant", "content": ""}), chunk({}, "content_filter")
    )
    predict.host.reply = first_says(filtered + b"data: [DONE]\n\n")
    assert texts(await predict.chat(stream=True)) == "Hello"
    spoken = sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "Ho"}), chunk({}, "stop"))
    predict.host.reply = first_says(spoken + b"data: [DONE]\n\n")
    assert texts(await predict.chat(stream=True)) == "Ho"


async def test_a_call_is_something_said(predict: Predict) -> None:
    predict.state.route("shop", BOX, content_fallbacks=("mild",))
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    told = sse(chunk({"role": "assistant", "tool_calls": [call]}), chunk({}, "content_filter"))
    predict.host.reply = first_says(told + b"data: [DONE]\n\n")
    assert '"name": "f"' in (await predict.chat(stream=True)).text
    assert len(predict.host.asked) == 1


async def test_a_used_tool_is_something_said_to_anthropics_clients(predict: Predict) -> None:
    predict.state.route("shop", CLAUDE, content_fallbacks=("mild",))
    tool = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}}
    start, rest = events("refusal").split(b"\n\n", 1)
    predict.host.reply = first_says(start + b"\n\n" + sse(tool) + rest)
    answer = await predict.call("POST", "/v1/messages", json={**ASKED, "stream": True})
    assert ("tool_use" in answer.text, len(predict.host.asked)) == (True, 1)


async def test_an_error_before_the_first_word_is_the_callers_to_see(predict: Predict) -> None:
    predict.state.route("shop", BOX, content_fallbacks=("mild",))
    broken = sse(chunk({"role": "assistant", "content": ""}), {"error": {"message": "CUDA", "code": 500}})
    predict.host.reply = first_says(broken)
    answer = await predict.chat(stream=True)
    assert ('"error"' in answer.text, len(predict.host.asked)) == (True, 1)


@pytest.mark.parametrize("finishes", [("content_filter", "stop"), ("content_filter", "content_filter")])
async def test_of_several_choices_all_must_be_withheld(predict: Predict, finishes: tuple[str, str]) -> None:
    predict.state.route("shop", BOX, content_fallbacks=("mild",))
    said = {"role": "assistant", "content": "Hm", "refusal": None}
    choices = [
        {"index": index, "message": said, "logprobs": None, "finish_reason": finish}
        for index, finish in enumerate(finishes)
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "served"}
    predict.host.reply = first_says({**head, "choices": choices, "usage": usage})
    answer = await predict.chat(n=2)
    assert texts(answer) == ("Hi" if set(finishes) == {"content_filter"} else "Hm")


async def test_a_stream_that_is_silent_for_too_long_is_ended(predict: Predict) -> None:
    closed: list[bool] = []

    class Silent(httpx.AsyncByteStream):
        @override
        async def __aiter__(self) -> Any:
            yield sse(chunk({"role": "assistant", "content": ""}))
            await asyncio.sleep(60)

        @override
        async def aclose(self) -> None:
            closed.append(True)

    async def silent(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Silent())

    predict.state.route("shop", BOX, content_fallbacks=("mild",), timeouts=Limits(first=0.05))
    predict.host.reply = silent
    answer = await asyncio.wait_for(predict.chat(stream=True), 5)
    assert (answer.status_code, closed) == (504, [True])
