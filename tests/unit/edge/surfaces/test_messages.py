"""Messages through the whole door, with Anthropic's manners."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import SSE, Predict
from tuneway.edge.surfaces.messages import MESSAGES
from tuneway.routing.routes import Target

USER = [{"role": "user", "content": "Hello"}]
CLAUDE = Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-4-5", secret="env:KEY")
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Hi", "newer": True}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop")
    made.state.route("claude", CLAUDE)
    return made


async def say(predict: Predict, model: str = "shop", *, key: str | None = "k", **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    body = {"model": model, "max_tokens": 9, "messages": USER, **fields}
    return await predict.call("POST", MESSAGES, key=key, json=body, headers=headers)


def kind(answer: httpx.Response) -> str:
    body = answer.json()
    assert (body["type"], body["request_id"]) == ("error", answer.headers["request-id"])
    return str(body["error"]["type"])


def events(answer: httpx.Response) -> list[str]:
    return [line.removeprefix("event: ") for line in answer.text.split("\n") if line.startswith("event: ")]


async def test_gemini_answers_as_a_message(predict: Predict) -> None:
    answer = await say(predict)
    assert (answer.json()["content"], answer.json()["model"]) == ([{"type": "text", "text": "Hi"}], "shop")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] == predict.lines()[-1]["request"]
    assert predict.lines()[-1]["gen_ai.operation.name"] == "chat"


@pytest.mark.parametrize("model", ["shop", "claude"])
@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
async def test_a_thread_is_refused_in_the_code_that_lets_clients_go_on_without(
    predict: Predict, model: str, thread: dict[str, str]
) -> None:
    answer = await say(predict, model, thread=thread)
    assert (answer.status_code, kind(answer)) == (400, "invalid_request_error")
    assert answer.json()["error"]["details"] == {"error_code": "thread_unsupported_request"}


async def test_no_thread_is_none(predict: Predict) -> None:
    assert (await say(predict, thread=None)).status_code == 200


async def test_claude_gets_the_callers_own_body_and_headers(predict: Predict) -> None:
    async def claude(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://api.anthropic.com/v1/messages"
        assert json.loads(request.content)["newest"] == {"a": 1}
        assert (request.headers["anthropic-version"], request.headers["anthropic-beta"]) == ("2026-10-21", "b-1")
        return httpx.Response(200, json=ANSWER)

    predict.host.reply = claude
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "b-1"}
    answer = await say(predict, "claude", newest={"a": 1}, headers=headers)
    assert answer.json() == {**ANSWER, "model": "claude"}
    assert predict.lines()[-1]["gen_ai.usage.input_tokens"] == 3


async def test_a_stream_has_anthropics_events_and_a_good_end(predict: Predict) -> None:
    told = events(await say(predict, stream=True))
    assert (told[0], told[-1]) == ("message_start", "message_stop")
    assert "error.type" not in predict.lines()[-1]


async def test_claudes_events_pass_as_they_came(predict: Predict) -> None:
    news: list[dict[str, Any]] = [
        {"type": "message_start", "message": ANSWER},
        {"type": "newer_event"},
        {"type": "message_stop"},
    ]

    async def claude(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in news))

    predict.host.reply = claude
    answer = await say(predict, "claude", stream=True)
    assert events(answer) == [one["type"] for one in news]
    assert '"model":"claude"' in answer.text
    assert "error.type" not in predict.lines()[-1]


async def test_half_a_stream_ends_with_an_error_event_and_is_logged(predict: Predict) -> None:
    async def half(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=SSE[: len(SSE) // 2], headers={"content-type": "text/event-stream"})

    predict.host.reply = half
    assert events(await say(predict, stream=True))[-1] == "error"
    assert predict.lines()[-1]["error.type"] == "upstream_broke"


async def test_the_key_may_stand_in_anthropics_header(predict: Predict) -> None:
    assert (await say(predict, key=None, headers={"x-api-key": "k"})).status_code == 200
    assert (await say(predict, key="for the platform", headers={"x-api-key": "k"})).status_code == 200
    assert (await say(predict, headers={"x-api-key": "unknown"})).status_code == 401


async def test_a_fault_of_ours_says_nothing_in_anthropics_shape(predict: Predict) -> None:
    async def bug(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("secret detail")

    predict.host.reply = bug
    answer = await say(predict)
    assert (answer.status_code, kind(answer)) == (500, "api_error")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"key": None}, 401, "authentication_error"),
        ({"model": "nosuch"}, 404, "not_found_error"),
        ({"max_tokens": None}, 400, "invalid_request_error"),
        ({"headers": {"anthropic-version": "soon"}}, 400, "invalid_request_error"),
        ({"system": "x" * 100_001}, 413, "request_too_large"),
    ],
)
async def test_what_is_refused_has_anthropics_shape(
    predict: Predict, asked: dict[str, Any], *, status: int, told: str
) -> None:
    answer = await say(predict, **asked)
    assert (answer.status_code, kind(answer)) == (status, told)


async def test_other_methods_and_paths_below_are_refused_alike(predict: Predict) -> None:
    assert kind(await predict.call("GET", MESSAGES)) == "invalid_request_error"
    assert kind(await predict.call("POST", f"{MESSAGES}/batches")) == "not_found_error"


async def test_a_hosts_refusal_is_told_with_its_wait(predict: Predict) -> None:
    async def busy(_: httpx.Request) -> httpx.Response:
        fault = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}
        return httpx.Response(429, json=fault, headers={"retry-after": "7"})

    predict.host.reply = busy
    answer = await say(predict, "claude")
    assert (answer.status_code, answer.headers["retry-after"], kind(answer)) == (429, "7", "rate_limit_error")
