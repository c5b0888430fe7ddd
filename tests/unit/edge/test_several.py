"""Several choices: given, asked for one by one, or missed aloud."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.routing.routes import Target

BOX = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1")
CONTAINER = Target(resource=RESOURCE + "1", dialect="instances")
GEMINI_2_5 = Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash")
HEAD = {"id": "chatcmpl-1", "created": 5, "model": "served"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
both = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop", BOX)
    return made


def gives(choices: int, *, stream: bool, finish: str = "stop") -> Any:
    """A server that gives so many, whatever it is asked for."""

    async def reply(_: httpx.Request) -> httpx.Response:
        if stream:
            return httpx.Response(200, content=b"".join(_chunk(index, finish) for index in range(choices)) + DONE)
        told = [{"index": index, **_whole(finish)} for index in range(choices)]
        return httpx.Response(200, json={**HEAD, "object": "chat.completion", "choices": told, "usage": USAGE})

    return reply


DONE = b"data: [DONE]\n\n"


def _whole(finish: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Hi", "refusal": None}
    return {"message": said, "logprobs": None, "finish_reason": finish}


def _chunk(index: int, finish: str) -> bytes:
    choice = {
        "index": index,
        "delta": {"role": "assistant", "content": "Hi"},
        "logprobs": None,
        "finish_reason": finish,
    }
    return b"data: %b\n\n" % json.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode()


@both
async def test_as_many_as_were_asked_for_are_an_answer(predict: Predict, *, stream: bool) -> None:
    predict.host.reply = gives(2, stream=stream)
    answer = await predict.chat(n=2, stream=stream)
    assert (answer.status_code, "error" in answer.text, "[DONE]" in answer.text) == (200, False, stream)


async def test_fewer_are_an_error_that_says_what_to_do(predict: Predict) -> None:
    predict.host.reply = gives(1, stream=False)
    answer = await predict.chat(n=3)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "n", "unsupported_parameter")
    assert "1 of the 3 choices" in error["message"]


async def test_fewer_in_a_stream_are_an_error_event_at_its_end(predict: Predict) -> None:
    predict.host.reply = gives(1, stream=True)
    answer = await predict.chat(n=2, stream=True)
    *_, last = answer.text.strip().split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["param"] == "n"
    assert "[DONE]" not in answer.text
    assert predict.lines()[-1]["error.type"] == "upstream_broke"


async def test_another_target_may_know_better(predict: Predict) -> None:
    predict.state.route("shop", BOX, Target(resource=RESOURCE + "1", order=1))

    async def reply(request: httpx.Request) -> httpx.Response:
        if request.url.host == "box":
            box: httpx.Response = await gives(1, stream=False)(request)
            return box
        parts = {"parts": [{"text": "Hi"}]}
        return httpx.Response(200, json={"candidates": [{"content": parts, "finishReason": "STOP"}]})

    predict.host.reply = reply
    answer = await predict.chat(n=2)
    assert len(answer.json()["choices"]) == 2
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/1"


@both
async def test_what_a_route_drops_is_not_missed(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", Target(**{**_fields(BOX), "drop_params": ("n",)}))
    predict.host.reply = gives(1, stream=stream)
    answer = await predict.chat(n=2, stream=stream)
    assert (answer.status_code, '"error"' in answer.text) == (200, False)
    assert answer.headers["x-tuneway-dropped-params"] == "n"


def _fields(target: Target) -> dict[str, Any]:
    return {name: getattr(target, name) for name in target.__struct_fields__}


@both
async def test_what_a_filter_took_away_counts_as_given(predict: Predict, *, stream: bool) -> None:
    predict.state.route("gemini", GEMINI_2_5)
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}

    async def reply(_: httpx.Request) -> httpx.Response:
        body = json.dumps(blocked).encode()
        return httpx.Response(200, content=b"data: %b\n\n" % body if stream else body)

    predict.host.reply = reply
    answer = await predict.chat("gemini", n=2, stream=stream)
    assert (answer.status_code, "content_filter" in answer.text, '"error"' in answer.text) == (200, True, False)


@both
async def test_a_container_is_asked_for_each_choice(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", CONTAINER)
    answer = await predict.chat(n=3, stream=stream)
    assert answer.status_code == 200
    assert len(predict.host.asked) == 3
    assert all(b"candidate_count" not in asked.content for asked in predict.host.asked)
    if not stream:
        assert [choice["index"] for choice in answer.json()["choices"]] == [0, 1, 2]
