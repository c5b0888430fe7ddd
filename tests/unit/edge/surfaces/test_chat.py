"""Chat completions through the whole door, with OpenAI's manners."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.unit.edge.predict_door import MESSAGES, RESOURCE, SSE, Caller, Predict
from tuneway.access.keys import Scope
from tuneway.edge.surfaces.chat import CHAT
from tuneway.routing.routes import Target


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop")
    return made


def error(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = body["error"]
    return found


async def test_a_chat_is_answered_in_openais_shape(predict: Predict) -> None:
    answer = await predict.chat()
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Hi"
    assert answer.json()["model"] == "shop"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req-")


async def test_the_models_host_follows_from_the_route(predict: Predict) -> None:
    await predict.chat()
    [asked] = predict.host.asked
    assert str(asked.url) == f"https://us-central1-aiplatform.googleapis.com/v1/{RESOURCE}1:generateContent"
    assert asked.headers["authorization"] == "Bearer google"


async def test_a_stream_ends_with_done(predict: Predict) -> None:
    answer = await predict.chat(stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    texts = [chunk["choices"][0]["delta"].get("content") or "" for chunk in map(json.loads, events[:-1])]
    assert "".join(texts) == "Hello"


@pytest.mark.parametrize("stream", [False, True])
async def test_one_log_line_tells_of_a_request(predict: Predict, *, stream: bool) -> None:
    answer = await predict.chat(stream=stream)
    [line] = predict.lines()
    assert line["severity"] == "INFO"
    assert line["request"] == answer.headers["x-request-id"]
    assert (line["owner"], line["gen_ai.request.model"], line["target"]) == ("acme", "shop", RESOURCE + "1")
    assert (line["status"], line["gen_ai.usage.input_tokens"], line["gen_ai.usage.output_tokens"]) == (200, 3, 1)
    assert (line["gen_ai.operation.name"], line["gen_ai.provider.name"]) == ("chat", "gcp.vertex_ai")
    assert (line["gen_ai.response.model"], line["attempts"]) == ("1", 1)
    assert line.get("stream", False) is stream
    assert line["ms"] >= line["ms_upstream"] >= 0


async def test_neither_prompt_nor_key_is_logged(predict: Predict) -> None:
    predict.state.key("tw-secret-key", "acme")
    await predict.chat(key="tw-secret-key", messages=[{"role": "user", "content": "my password"}])
    assert "tw-secret-key" not in predict.log.read_text()
    assert "password" not in predict.log.read_text()


async def test_an_estimate_is_marked_in_the_log(predict: Predict) -> None:
    predict.state.route("box", Target(resource=RESOURCE + "2", dialect="instances"))
    assert (await predict.chat("box")).json()["choices"][0]["message"]["content"] == "Hi"
    assert predict.lines()[-1]["estimated"] is True


@pytest.mark.parametrize("key", [None, "unknown"])
async def test_without_a_known_key_nothing_is_answered(predict: Predict, key: str | None) -> None:
    answer = await predict.chat(key=key)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error(answer)["code"] in {"missing_api_key", "invalid_api_key"}
    assert predict.host.asked == []


async def test_an_expired_key_opens_nothing(predict: Predict) -> None:
    predict.state.key("old", "acme", expires_at=1.0)
    assert (await predict.chat(key="old")).status_code == 401


async def test_a_key_for_tuning_may_not_predict(predict: Predict) -> None:
    predict.state.key("tuner", "acme", Scope.TUNE)
    answer = await predict.chat(key="tuner")
    assert answer.status_code == 403
    assert error(answer)["code"] == "insufficient_scope"


async def test_a_new_key_and_a_new_route_work_at_once(predict: Predict) -> None:
    await predict.chat()
    predict.state.key("new", "acme")
    predict.state.route("fresh")
    assert (await predict.chat("fresh", key="new")).status_code == 200
    predict.state.route("fresher")
    assert (await predict.chat("fresher", key="new")).status_code == 200


async def test_another_tenants_alias_looks_like_none(predict: Predict) -> None:
    predict.state.route("secret", owner="rival")
    theirs, none = await predict.chat("secret"), await predict.chat("nonexx")
    assert theirs.status_code == none.status_code == 404
    assert error(theirs)["code"] == "model_not_found"
    assert error(theirs)["message"].replace("secret", "nonexx") == error(none)["message"]
    assert error(theirs)["param"] == "model"


async def test_another_tenants_endpoint_cannot_be_called_around_its_alias(predict: Predict) -> None:
    predict.state.route("secret", Target(resource=RESOURCE + "9"), owner="rival")
    for name in ("9", "vertex_ai/endpoints/9", f"vertex_ai/{RESOURCE}9", "vertex_ai/123/us-central1/endpoints/9"):
        assert (await predict.chat(name)).status_code == 404
    assert predict.host.asked == []


@pytest.mark.parametrize(
    "name", ["9", "vertex_ai/endpoints/9", f"vertex_ai/{RESOURCE}9", "vertex_ai/123/us-central1/endpoints/9"]
)
async def test_a_tenants_endpoint_stays_its_own_without_a_route(predict: Predict, name: str) -> None:
    predict.state.place("us-central1/endpoints/9", "rival")
    predict.state.key("theirs", "rival")
    predict.host.endpoints["9"] = {"deployedModels": [{"model": "projects/p/locations/us-central1/models/1"}]}
    refused = await predict.chat(name)
    assert (refused.status_code, error(refused)["code"]) == (404, "model_not_found")
    assert predict.host.asked == []
    assert (await predict.chat(name, key="theirs")).status_code == 200


async def test_a_tenants_endpoint_that_everybodys_route_leads_to_is_everybodys(predict: Predict) -> None:
    predict.state.place("us-central1/endpoints/9", "rival")
    predict.state.route("open", Target(resource=RESOURCE + "9"))
    assert (await predict.chat("vertex_ai/endpoints/9")).status_code == 200


async def test_an_admin_may_call_every_alias(predict: Predict) -> None:
    predict.state.route("secret", owner="rival")
    predict.state.key("root", "ops", Scope.ADMIN)
    assert (await predict.chat("secret", key="root")).status_code == 200


async def test_an_identifier_uses_the_route_that_describes_it(predict: Predict) -> None:
    predict.state.route("box", Target(resource=RESOURCE + "2", dialect="instances"))
    await predict.chat("vertex_ai/endpoints/2")
    assert [asked.url.path for asked in predict.host.asked] == [f"/v1/{RESOURCE}2:predict"]


async def test_an_endpoint_no_route_describes_is_asked_about_once(predict: Predict) -> None:
    predict.host.endpoints["77"] = {"name": RESOURCE + "77", "deployedModels": [{"id": "1"}]}
    answers = await asyncio.gather(*(predict.chat("vertex_ai/p/us-central1/endpoints/77") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    await predict.chat("77")
    asked = [call.url.path for call in predict.host.asked]
    assert asked.count(f"/v1/{RESOURCE}77") == 1
    assert asked.count(f"/v1/{RESOURCE}77:generateContent") == 6


async def test_a_container_behind_a_dedicated_endpoint_is_found(predict: Predict) -> None:
    dns = "78.us-central1-123.prediction.vertexai.goog"
    predict.host.endpoints["78"] = {
        "dedicatedEndpointEnabled": True,
        "dedicatedEndpointDns": dns,
        "deployedModels": [{"dedicatedResources": {"minReplicaCount": 1}}],
    }
    await predict.chat("vertex_ai/endpoints/78")
    assert str(predict.host.asked[-1].url) == f"https://{dns}/v1/{RESOURCE}78:predict"


async def test_an_endpoint_that_is_not_there_is_no_model(predict: Predict) -> None:
    answer = await predict.chat("vertex_ai/endpoints/404")
    assert answer.status_code == 404
    assert error(answer)["code"] == "model_not_found"
    assert "projects/" not in error(answer)["message"]


@pytest.mark.parametrize("name", ["vertex_ai/p/evil.com/endpoints/1", "vertex_ai/a/b/c/d/e", "nobody/x"])
async def test_a_malformed_identifier_names_the_model_field(predict: Predict, name: str) -> None:
    answer = await predict.chat(name)
    assert answer.status_code == 400
    assert error(answer)["param"] == "model"
    assert predict.host.asked == []


@pytest.mark.parametrize(
    ("body", "param"),
    [(b"{", None), (b"[]", None), (b'{"model": 7, "messages": []}', "model"), (b'{"model": "shop"}', "messages")],
)
async def test_a_wrong_body_names_the_field(predict: Predict, body: bytes, param: str | None) -> None:
    answer = await predict.call("POST", CHAT, content=body)
    assert answer.status_code == 400
    assert error(answer)["type"] == "invalid_request_error"
    assert error(answer)["param"] == param


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_the_content_type_is_not_looked_at(predict: Predict, kind: str) -> None:
    body = json.dumps({"model": "shop", "messages": MESSAGES}).encode()
    assert (await predict.call("POST", CHAT, content=body, headers={"content-type": kind})).status_code == 200


async def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    predict = Predict(tmp_path, max_body=1000)
    predict.state.key("k", "acme")

    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 1001, pieces()):
        answer = await predict.call("POST", CHAT, content=content)
        assert answer.status_code == 413
        assert error(answer)["code"] == "request_too_large"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hosts_error_has_a_status_and_its_wait(predict: Predict, *, stream: bool) -> None:
    async def busy(_: httpx.Request) -> httpx.Response:
        fault = {"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}
        return httpx.Response(429, json=fault, headers={"retry-after": "7"})

    predict.host.reply = busy
    answer = await predict.chat(stream=stream)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert error(answer)["type"] == "rate_limit_error"
    assert predict.lines()[-1]["error.type"] == "rate_limit_exceeded"


async def test_a_fault_of_ours_is_a_500_that_says_nothing(predict: Predict) -> None:
    async def bug(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("secret detail")

    predict.host.reply = bug
    answer = await predict.chat()
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert error(answer)["code"] == "internal_error"
    assert "secret detail" in predict.lines()[0]["stack_trace"]


async def test_half_a_stream_ends_without_done_and_is_logged(predict: Predict) -> None:
    async def half(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=SSE[: len(SSE) // 2], headers={"content-type": "text/event-stream"})

    predict.host.reply = half
    answer = await predict.chat(stream=True)
    assert "[DONE]" not in answer.text
    assert predict.lines()[-1]["error.type"] == "upstream_broke"


class Slow(httpx.AsyncByteStream):
    """A body that sends one event and then waits for ever; ``closed`` once nobody reads it any more."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.closed = asyncio.Event()

    @override
    async def __aiter__(self) -> Any:
        yield self.first
        await asyncio.sleep(60)

    @override
    async def aclose(self) -> None:
        self.closed.set()


async def test_a_client_that_leaves_a_stream_ends_the_upstream_call(predict: Predict) -> None:
    body = Slow(SSE[: SSE.index(b"\n\n") + 2])

    async def slow(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=body, headers={"content-type": "text/event-stream"})

    predict.host.reply = slow
    client = Caller(predict, {"model": "shop", "messages": MESSAGES, "stream": True})
    await asyncio.wait_for(client.arrived.wait(), 2)
    client.leave()
    await asyncio.wait_for(client.call, 2)
    assert body.closed.is_set()
    assert (predict.lines()[-1]["status"], predict.lines()[-1]["error.type"]) == (499, "client_left")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_before_the_answer_ends_the_upstream_call(predict: Predict, *, stream: bool) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def silent(_: httpx.Request) -> httpx.Response:
        asked.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return httpx.Response(200)

    predict.host.reply = silent
    client = Caller(predict, {"model": "shop", "messages": MESSAGES, "stream": stream})
    await asyncio.wait_for(asked.wait(), 2)
    client.leave()
    await asyncio.wait_for(client.call, 2)
    assert ended.is_set()
    assert predict.lines()[-1]["status"] == 499


async def test_an_endpoint_that_was_still_empty_is_asked_about_again(predict: Predict) -> None:
    predict.host.endpoints["77"] = {"name": f"{RESOURCE}77"}
    await predict.chat("vertex_ai/endpoints/77")
    predict.host.endpoints["77"] = {"deployedModels": [{"dedicatedResources": {"minReplicaCount": 1}}]}
    await predict.chat("vertex_ai/endpoints/77")
    assert predict.host.asked[-1].url.path.endswith("77:predict")


async def test_a_compressed_body_is_refused_by_name(predict: Predict) -> None:
    answer = await predict.call("POST", CHAT, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert (answer.status_code, error(answer)["code"]) == (400, "compressed_body")
