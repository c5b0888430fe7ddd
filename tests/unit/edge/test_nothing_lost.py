"""What a caller sends reaches its target or is told of, through the whole door; what was spent is counted."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import GEMINI, RESOURCE, Predict
from tuneway.edge.surfaces.completions import COMPLETIONS
from tuneway.routing.routes import Target

BOX = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1")
TGI = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1", profile="tgi")
MISTRAL = Target(provider="custom_openai", dialect="openai", model="m", base_url="http://box/v1", profile="mistral")
CONVERSE = Target(provider="bedrock", dialect="bedrock", model="amazon.nova-lite-v1:0", region="eu-west-1")
FLASH = Target(resource=RESOURCE + "1", model="gemini-3.5-flash")
FILTERED = {**GEMINI, "candidates": [{"content": {"parts": [{"text": "I"}]}, "finishReason": "SAFETY"}]}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
HEAD = {"id": "1", "created": 5, "model": "served", "usage": USAGE}
SAID = {"message": {"role": "assistant", "content": "Hi", "refusal": None}, "logprobs": None, "finish_reason": "stop"}
CHAT = {**HEAD, "object": "chat.completion", "choices": [{"index": 0, **SAID}]}
TEXT = {"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop"}
TEXTS = {**HEAD, "object": "text_completion", "choices": [TEXT]}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
}
both = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop", FLASH)
    return made


def says(told: Any) -> Any:
    async def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=told) if isinstance(told, bytes) else httpx.Response(200, json=told)

    return reply


def sent(predict: Predict) -> Any:
    return json.loads(predict.host.asked[-1].content)


def seen(*urls: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}} for url in urls]}]


@both
async def test_hints_without_a_place_are_told_of(predict: Predict, *, stream: bool) -> None:
    answer = await predict.chat(prompt_cache_key="k", safety_identifier="s", user="u", stream=stream)
    assert answer.headers["x-tuneway-dropped-params"] == "prompt_cache_key, safety_identifier"
    assert sent(predict)["labels"] == {"user": "u"}


async def test_so_are_those_that_a_server_does_not_take(predict: Predict) -> None:
    predict.state.route("shop", MISTRAL)
    predict.host.reply = says(CHAT)
    answer = await predict.chat(user="u", stream_options=None)
    assert (answer.headers["x-tuneway-dropped-params"], "user" in sent(predict)) == ("user", False)


async def test_choices_asked_for_one_by_one_keep_fields_that_nobody_here_knows(predict: Predict) -> None:
    predict.state.route("shop", TGI)
    predict.host.reply = says(CHAT)
    answer = await predict.chat(n=2, repetition_penalty=1.5)
    assert (answer.status_code, len(predict.host.asked)) == (200, 2)
    assert (sent(predict)["repetition_penalty"], "n" in sent(predict)) == (1.5, False)


async def test_a_picture_of_the_web_is_fetched_for_a_host_that_fetches_none(predict: Predict) -> None:
    predict.state.route("shop", CONVERSE)
    predict.host.files["a.png"] = b"png"
    predict.host.reply = says(CONVERSED)
    answer = await predict.chat(messages=seen("https://pictures.example/a.png"))
    assert answer.status_code == 200
    assert sent(predict)["messages"][0]["content"] == [{"image": {"format": "png", "source": {"bytes": "cG5n"}}}]


@both
async def test_a_picture_in_a_bucket_is_fetched_for_a_server_of_ones_own(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", BOX)
    predict.host.files["a.png"] = b"png"
    predict.host.reply = says(CHAT)
    answer = await predict.chat(messages=seen("gs://bucket/a.png"), stream=stream, min_p=0.1)
    [part] = sent(predict)["messages"][0]["content"]
    assert (answer.status_code, part["image_url"]["url"]) == (200, "data:image/png;base64,cG5n")
    assert sent(predict)["min_p"] == 0.1


async def test_a_picture_that_is_not_there_names_its_part(predict: Predict) -> None:
    predict.state.route("shop", CONVERSE)
    answer = await predict.chat(messages=seen("https://pictures.example/none.png"))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages[0].content[0].image_url.url")


@both
async def test_a_messages_picture_is_fetched_too(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", CONVERSE)
    source = {"type": "url", "url": "https://pictures.example/none.png"}
    said = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    body = {"model": "shop", "max_tokens": 9, "messages": said, "stream": stream}
    answer = await predict.call("POST", "/v1/messages", json=body)
    assert (answer.status_code, "could not be fetched" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("target", [BOX, CONVERSE, FLASH])
@pytest.mark.parametrize("field", ["container", "mcp_servers", "context_management"])
async def test_what_only_claude_knows_is_refused_by_name(
    predict: Predict, path: str, target: Target, field: str
) -> None:
    predict.state.route("shop", target)
    limit = {"max_tokens": 9} if path == "/v1/messages" else {}
    body = {"model": "shop", **limit, "messages": [{"role": "user", "content": "Hi"}], field: {"x": 1}}
    answer = await predict.call("POST", path, json=body)
    assert (answer.status_code, field in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize(("target", "answer", "place"), [(BOX, CHAT, {"user"}), (FLASH, GEMINI, set[str]())])
async def test_whom_anthropics_clients_speak_for_stops_no_request(
    predict: Predict, target: Target, answer: Any, place: set[str]
) -> None:
    predict.state.route("shop", target)
    predict.host.reply = says(answer)
    body = {"model": "shop", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    told = await predict.call("POST", "/v1/messages", json={**body, "metadata": {"user_id": "User_" + "f" * 90}})
    assert (told.status_code, {"user", "labels", "metadata"} & sent(predict).keys()) == (200, place)


async def test_texts_that_are_missing_are_an_error_too(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    predict.host.reply = says(TEXTS)
    for prompt, given in (("Once", 200), ([1, 2], 200), (["a", "b"], 400)):
        body = {"model": "shop", "prompt": prompt, "n": 1 if given == 200 else 2}
        answer = await predict.call("POST", COMPLETIONS, json=body)
        assert answer.status_code == given
    answer = await predict.call("POST", COMPLETIONS, json={"model": "shop", "prompt": [1, 2], "n": 2})
    assert "1 of the 2 choices" in answer.json()["error"]["message"]


async def test_missing_texts_of_a_stream_are_an_error_event_at_its_end(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    predict.host.reply = says(b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(TEXTS).encode())
    answer = await predict.call("POST", COMPLETIONS, json={"model": "shop", "prompt": "Once", "n": 2, "stream": True})
    *_, last = answer.text.strip().split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["param"] == "n"


def filtered_at(*endpoints: int, failing: int = 0) -> Any:
    async def reply(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.partition("/endpoints/")[2].partition(":")[0])
        if number == failing:
            return httpx.Response(500, json={"error": {"code": 500}})
        told = FILTERED if number in endpoints else GEMINI
        if "alt=sse" not in str(request.url):
            return httpx.Response(200, json=told)
        empty = {**told, "candidates": [{"finishReason": "SAFETY"}]} if told is FILTERED else told
        return httpx.Response(200, content=b"data: %b\n\n" % json.dumps(empty).encode())

    return reply


@both
async def test_what_a_withheld_answer_cost_is_counted(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", FLASH, content_fallbacks=("mild",))
    predict.state.route("mild", Target(resource=RESOURCE + "2", model="gemini-3.5-flash"))
    predict.host.reply = filtered_at(1)
    await predict.chat(stream=stream)
    line = predict.lines()[-1]
    assert (line["gen_ai.usage.input_tokens"], line["gen_ai.usage.output_tokens"]) == (6, 2)
    assert line["cost_usd"] == pytest.approx(2 * (3 * 1.5 + 9) / 1_000_000)


@both
async def test_one_that_is_given_after_all_is_counted_once(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", FLASH, content_fallbacks=("mild",))
    predict.state.route("mild", Target(resource=RESOURCE + "2"), content_fallbacks=("long",))
    predict.state.route("long", Target(resource=RESOURCE + "3"))
    predict.host.reply = filtered_at(1, failing=2)
    answer = await predict.chat(stream=stream)
    assert "content_filter" in answer.text
    assert predict.lines()[-1]["gen_ai.usage.input_tokens"] == 3


async def test_a_price_that_is_not_known_makes_the_sum_unknown(predict: Predict) -> None:
    predict.state.route("shop", FLASH, content_fallbacks=("mild",))
    predict.state.route("mild", Target(resource=RESOURCE + "2"))
    predict.host.reply = filtered_at(1)
    await predict.chat()
    assert "cost_usd" not in predict.lines()[-1]


@both
async def test_a_fallbacks_own_fallbacks_hold_as_well(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", FLASH, fallbacks=("mild",))
    predict.state.route("mild", Target(resource=RESOURCE + "2"), content_fallbacks=("long",))
    predict.state.route("long", Target(resource=RESOURCE + "3"))
    predict.host.reply = filtered_at(2, failing=1)
    answer = await predict.chat(stream=stream)
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/3"


@both
async def test_a_route_without_such_fallbacks_gives_what_it_has(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", FLASH, fallbacks=("mild",))
    predict.host.reply = filtered_at(1)
    answer = await predict.chat(stream=stream)
    assert "content_filter" in answer.text


async def test_an_own_bucket_is_refused_before_any_host_reads_it(predict: Predict) -> None:
    part = {"type": "image_url", "image_url": {"url": "gs://ours/a.png"}}
    answer = await predict.chat(messages=[{"role": "user", "content": [part]}])
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages[0].content[0].image_url.url")
