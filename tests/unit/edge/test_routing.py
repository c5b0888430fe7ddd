"""Routing on the way through the whole door: several targets, fallbacks, what the headers and the log line say."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.unit.edge.predict_door import GEMINI, MESSAGES, RESOURCE, SSE, Predict
from tuneway.routing.routes import Limits, Target

ONE, TWO = Target(resource=RESOURCE + "1"), Target(resource=RESOURCE + "2", order=1)
BOX = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1", secret="env:BOX")
COMPLETION = {
    "id": "chatcmpl-theirs",
    "object": "chat.completion",
    "created": 5,
    "model": "served",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
Reply = Callable[[httpx.Request], Awaitable[httpx.Response]]


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    return made


def replies(**by_end: Any) -> Reply:
    """Answers by the part of the URL they belong to: a status, a JSON body, or bytes."""

    async def reply(request: httpx.Request) -> httpx.Response:
        told = next(told for part, told in by_end.items() if part.strip("_") in str(request.url))
        if isinstance(told, int):
            return httpx.Response(told, json={"error": {"message": "No."}}, headers={"retry-after": "7"})
        return httpx.Response(200, content=told) if isinstance(told, bytes) else httpx.Response(200, json=told)

    return reply


@pytest.mark.parametrize("stream", [False, True])
async def test_the_headers_tell_who_answered_after_how_many_attempts(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", ONE, TWO)
    predict.host.reply = _first_fails(SSE if stream else GEMINI)
    answer = await predict.chat(stream=stream)
    assert answer.status_code == 200
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/2"
    assert answer.headers["x-tuneway-attempts"] == "2"
    assert 0 <= float(answer.headers["x-tuneway-overhead-ms"]) < 5000
    line = predict.lines()[-1]
    assert (line["target"], line["attempts"], line["status"]) == (RESOURCE + "2", 2, 200)


def _first_fails(told: Any) -> Reply:
    async def reply(request: httpx.Request) -> httpx.Response:
        if "/endpoints/1:" in request.url.path:
            return httpx.Response(503, json={"error": {"message": "Away."}})
        return httpx.Response(200, content=told) if isinstance(told, bytes) else httpx.Response(200, json=told)

    return reply


async def test_no_header_tells_a_project(predict: Predict) -> None:
    predict.state.route("shop")
    answer = await predict.chat()
    assert "projects/" not in str(answer.headers)


async def test_a_failed_call_tells_its_attempts_and_how_long_to_wait(predict: Predict) -> None:
    predict.state.route("shop", ONE, TWO, retries=1)
    predict.host.reply = replies(__=429)
    answer = await predict.chat()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["x-tuneway-attempts"] == "4"
    assert predict.pauses == [7.0]


async def test_our_own_time_does_not_hold_the_hosts(predict: Predict) -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.3)
        return httpx.Response(200, json=GEMINI)

    predict.state.route("shop")
    predict.host.reply = slow
    answer = await predict.chat()
    assert float(answer.headers["x-tuneway-overhead-ms"]) < 250


async def test_a_stream_that_broke_is_never_asked_for_again(predict: Predict) -> None:
    predict.state.route("shop", ONE, TWO, retries=3, fallbacks=("shop",))
    predict.host.reply = replies(__=SSE[: SSE.index(b"\n\n") + 2])
    answer = await predict.chat(stream=True)
    assert "error" in json.loads(answer.text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert len(predict.host.asked) == 1


async def test_a_fallback_may_be_an_identifier_and_obeys_the_callers_rights(predict: Predict) -> None:
    predict.state.route("secret", TWO, owner="rival")
    predict.state.route("shop", fallbacks=("secret", "vertex_ai/gemini-3.5-flash"))
    predict.host.reply = _first_fails(GEMINI)
    answer = await predict.chat()
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/gemini-3.5-flash"
    assert not [asked for asked in predict.host.asked if "endpoints/2" in asked.url.path]


async def test_a_target_of_the_same_words_gets_the_callers_own_json(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    predict.host.reply = replies(box=COMPLETION)
    answer = await predict.chat(brand_new={"field": 1})
    [asked] = predict.host.asked
    assert str(asked.url) == "http://box/v1/chat/completions"
    assert json.loads(asked.content) == {"model": "served", "messages": MESSAGES, "brand_new": {"field": 1}}
    assert asked.headers["authorization"] == "Bearer bearer"
    assert answer.json() == {**COMPLETION, "model": "shop"}
    assert answer.headers["x-tuneway-target"] == "custom_openai/served"


async def test_a_vendors_model_is_called_by_its_name(predict: Predict) -> None:
    predict.host.reply = replies(box=COMPLETION)
    assert (await predict.chat("custom_openai/org/served")).status_code == 200
    assert json.loads(predict.host.asked[0].content)["model"] == "org/served"


async def test_another_tenants_model_of_a_vendor_cannot_be_called_around_its_alias(predict: Predict) -> None:
    predict.state.route("secret", BOX, owner="rival")
    assert (await predict.chat("custom_openai/served")).status_code == 404
    assert predict.host.asked == []


async def test_choices_that_a_target_gives_one_by_one_are_asked_for_at_once(predict: Predict) -> None:
    predict.state.route("shop", Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-5-5"))
    predict.host.reply = replies(anthropic=CLAUDE)
    answer = await predict.chat(n=3)
    assert [choice["index"] for choice in answer.json()["choices"]] == [0, 1, 2]
    assert answer.json()["usage"]["total_tokens"] == 12
    assert len(predict.host.asked) == 3
    assert answer.headers["x-tuneway-attempts"] == "1"


async def test_what_a_route_drops_is_told(predict: Predict) -> None:
    predict.state.route("shop", Target(resource=RESOURCE + "1", drop_params=("logit_bias", "store", "name")))
    named = [{"role": "user", "content": "Hello", "name": "Ann"}]
    answer = await predict.chat(logit_bias={"1": 1}, messages=named)
    assert answer.headers["x-tuneway-dropped-params"] == "logit_bias, name"
    assert "x-tuneway-dropped-params" not in (await predict.chat()).headers


async def test_a_price_that_is_known_stands_in_the_line(predict: Predict) -> None:
    predict.state.route("shop", Target(resource=RESOURCE + "1", model="gemini-3.5-flash"))
    await predict.chat()
    assert predict.lines()[-1]["cost_usd"] == pytest.approx((3 * 1.5 + 9) / 1_000_000)
    assert predict.lines()[-1]["gen_ai.response.model"] == "gemini-3.5-flash"
    predict.state.route("plain")
    await predict.chat("plain")
    assert "cost_usd" not in predict.lines()[-1]


async def test_a_prompt_stands_in_the_log_only_where_its_route_asks(predict: Predict) -> None:
    predict.state.route("open", log_prompts=True)
    predict.state.route("closed")
    for name in ("open", "closed"):
        await predict.chat(name, messages=[{"role": "user", "content": f"for {name}\neyes"}])
    opened, closed = predict.lines()
    assert opened["prompt"] == {"messages": [{"role": "user", "content": "for open\neyes"}]}
    assert "prompt" not in closed


async def test_a_token_that_ran_out_is_renewed_unseen(predict: Predict) -> None:
    async def strict(request: httpx.Request) -> httpx.Response:
        fresh = request.headers["authorization"] == "Bearer google1"
        return httpx.Response(200, json=GEMINI) if fresh else httpx.Response(401, json={"error": {"code": 401}})

    predict.state.route("shop")
    predict.badges.renewable, predict.host.reply = True, strict
    answer = await predict.chat()
    assert (answer.status_code, answer.headers["x-tuneway-attempts"]) == (200, "2")


async def test_chunks_that_stop_coming_end_the_stream_with_an_error(predict: Predict) -> None:
    class Stalled(httpx.AsyncByteStream):
        @override
        async def __aiter__(self) -> Any:
            yield SSE[: SSE.index(b"\n\n") + 2]
            await asyncio.sleep(60)

    async def stalled(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Stalled())

    for limits in (Limits(between=0.05), Limits(total=0.3)):
        predict.state.route("shop", timeouts=limits)
        predict.host.reply = stalled
        answer = await asyncio.wait_for(predict.chat(stream=True), 5)
        *_, last = answer.text.strip().split("\n\n")
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "timeout"


async def test_a_vllm_container_behind_a_bare_endpoint_is_found_by_one_probe(predict: Predict) -> None:
    predict.host.endpoints["5"] = {"deployedModels": [{"dedicatedResources": {"minReplicaCount": 1}}]}

    async def vllm(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content) == {}:
            return httpx.Response(400, json={"error": {"message": "missing: messages"}})
        return httpx.Response(200, json=COMPLETION)

    predict.host.reply = vllm
    for _ in range(2):
        assert (await predict.chat("vertex_ai/endpoints/5")).json()["model"] == "vertex_ai/endpoints/5"
    assert [asked.method for asked in predict.host.asked] == ["GET", "POST", "POST", "POST"]


def chunk(content: str | None, *, finish: str | None = None, **more: Any) -> bytes:
    delta = {"role": "assistant", "content": content} if content is not None else {}
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "served"}
    return b"data: " + json.dumps({**head, "choices": choices, **more}).encode() + b"\n\n"


LAST = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "served", "choices": []}
USAGE = b"data: %b\n\n" % json.dumps({**LAST, "usage": COMPLETION["usage"]}).encode()


async def test_a_stream_of_the_same_words_passes_and_is_counted(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    predict.host.reply = replies(box=chunk("Hi") + chunk(None, finish="stop") + USAGE + b"data: [DONE]\n\n")
    answer = await predict.chat(stream=True)
    *chunks, done = [event.removeprefix("data: ") for event in answer.text.strip().split("\n\n")]
    assert (done, {json.loads(one)["model"] for one in chunks}) == ("[DONE]", {"shop"})
    line = predict.lines()[-1]
    assert (line["gen_ai.usage.input_tokens"], line["status"], line.get("error.type")) == (3, 200, None)
    assert line["gen_ai.provider.name"] == "custom_openai"


async def test_a_passed_stream_that_breaks_ends_with_one_error_event(predict: Predict) -> None:
    predict.state.route("shop", BOX, retries=3)
    predict.host.reply = replies(box=chunk("Hi") + b'data: {"error": {"message": "CUDA", "code": 500}}\n\n')
    first, last = (await predict.chat(stream=True)).text.strip().split("\n\n")
    assert ("Hi" in first, set(json.loads(last.removeprefix("data: ")))) == (True, {"error"})
    assert (len(predict.host.asked), predict.lines()[-1]["error.type"]) == (1, "upstream_broke")


@pytest.mark.parametrize("body", [b"", b"<html>", b"data: [DONE]\n\n", b'{"error": {"message": "No.", "code": 500}}'])
async def test_a_passed_stream_that_is_none_has_a_status_and_may_be_tried_again(predict: Predict, body: bytes) -> None:
    predict.state.route("shop", BOX, retries=1)
    predict.host.reply = replies(box=body)
    answer = await predict.chat(stream=True)
    assert answer.status_code >= 500
    assert len(predict.host.asked) == 2


async def test_a_server_that_gives_one_choice_is_asked_for_each(predict: Predict) -> None:
    ollama = Target(provider="custom_openai", dialect="openai", model="m", base_url="http://box/v1", profile="ollama")
    predict.state.route("shop", ollama)
    predict.host.reply = replies(box=COMPLETION)
    answer = await predict.chat(n=2)
    assert [choice["index"] for choice in answer.json()["choices"]] == [0, 1]
    assert len(predict.host.asked) == 2


def _claude(*words: str) -> bytes:
    start = {"type": "message_start", "message": {**CLAUDE, "content": [], "stop_reason": None}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words
    ]
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
    stop = {"type": "content_block_stop", "index": 0}
    events: list[dict[str, Any]] = [start, block, *deltas, stop, end, {"type": "message_stop"}]
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(e["type"]).encode(), json.dumps(e).encode()) for e in events)


async def test_choices_are_streamed_side_by_side(predict: Predict) -> None:
    predict.state.route("shop", Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-5-5"))
    predict.host.reply = replies(anthropic=_claude("He", "llo"))
    answer = await predict.chat(stream=True, n=2, stream_options={"include_usage": True})
    *events, done = [event.removeprefix("data: ") for event in answer.text.strip().split("\n\n")]
    *chunks, closing = [json.loads(event) for event in events]
    said = {0: "", 1: ""}
    for one in chunks:
        said[one["choices"][0]["index"]] += one["choices"][0]["delta"].get("content") or ""
    assert (said, done) == ({0: "Hello", 1: "Hello"}, "[DONE]")
    assert (closing["usage"]["prompt_tokens"], closing["usage"]["completion_tokens"]) == (6, 4)
    assert predict.lines()[-1]["gen_ai.usage.output_tokens"] == 4


@pytest.mark.parametrize("body", [{"temperature": "hot"}, {"messages": "hi"}])
async def test_a_wrong_body_is_told_before_a_model_that_is_not_there(predict: Predict, body: dict[str, Any]) -> None:
    answer = await predict.chat("nobody-here", **body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(body)))
    assert (await predict.chat("")).json()["error"]["param"] == "model"


async def test_a_route_to_what_google_publishes_takes_it_from_nobody(predict: Predict) -> None:
    flash = Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash")
    predict.state.route("theirs", flash, owner="rival")
    assert (await predict.chat("vertex_ai/gemini-3.5-flash")).status_code == 200
    assert (await predict.chat("theirs")).status_code == 404
