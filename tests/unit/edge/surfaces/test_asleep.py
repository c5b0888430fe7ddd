"""Models that are asleep, on every surface: whole and streamed, by alias and by identifier."""

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from tests.unit.edge.predict_door import MESSAGES, RESOURCE, Predict
from tuneway.routing.fragments import Asleep
from tuneway.routing.routes import Target

PLACE = "us-central1/endpoints/1"
SURFACES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Hello"},
    "/v1/embeddings": {"input": "Hello"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 9},
}
STREAMS = [path for path in SURFACES if path != "/v1/embeddings"]


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop")
    made.state.asleep(PLACE, Asleep(seconds=240.0))
    return made


async def asked(predict: Predict, path: str, **fields: Any) -> httpx.Response:
    return await predict.call("POST", path, json={"model": "shop", **SURFACES[path], **fields})


def told(path: str, answer: httpx.Response) -> str:
    body = answer.json()
    if path == "/v1/messages":
        assert (body["type"], body["error"]["type"]) == ("error", "overloaded_error")
    else:
        assert (body["error"]["type"], body["error"]["code"]) == ("server_error", "model_asleep")
    return str(body["error"]["message"])


@pytest.mark.parametrize("path", SURFACES)
async def test_who_calls_is_told_when_to_come_back(predict: Predict, path: str) -> None:
    answer = await asked(predict, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "240")
    assert "This call wakes it. Try again in about 240 seconds." in told(path, answer)
    assert predict.host.asked == []


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_is_refused_before_it_begins(predict: Predict, path: str) -> None:
    answer = await asked(predict, path, stream=True)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
    told(path, answer)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", STREAMS)
async def test_another_target_answers_meanwhile(predict: Predict, path: str, *, stream: bool) -> None:
    predict.state.route("shop", Target(resource=RESOURCE + "1"), Target(resource=RESOURCE + "2", order=1))
    answer = await asked(predict, path, stream=stream)
    assert answer.status_code == 200
    assert answer.headers["x-tuneway-target"].endswith("endpoints/2")
    assert predict.lines()[-1]["asleep"] == [RESOURCE + "1"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_answers_meanwhile(predict: Predict, *, stream: bool) -> None:
    predict.state.route("other", Target(resource=RESOURCE + "2"))
    predict.state.route("shop", fallbacks=("other",))
    answer = await predict.chat(stream=stream)
    assert (answer.status_code, answer.headers["x-tuneway-attempts"]) == (200, "1")
    line = predict.lines()[-1]
    assert (line["target"], line["asleep"]) == (RESOURCE + "2", [RESOURCE + "1"])
    assert "failed" not in line


async def test_the_line_says_who_was_wanted(predict: Predict) -> None:
    await predict.chat()
    line = predict.lines()[-1]
    assert (line["status"], line["error.type"], line["asleep"]) == (503, "model_asleep", [RESOURCE + "1"])
    assert "target" not in line
    assert (line["gen_ai.request.model"], bool(line["key"])) == ("shop", True)


@pytest.mark.parametrize("model", ["vertex_ai/endpoints/1", f"vertex_ai/{RESOURCE}1", "vertex_ai/openai/1"])
async def test_an_identifier_of_its_endpoint_is_told_the_same_and_nobody_is_asked(tmp_path: Path, model: str) -> None:
    predict = Predict(tmp_path)
    predict.state.key("k", "acme")
    predict.state.place(PLACE, "acme")
    predict.state.asleep(PLACE, Asleep(seconds=240.0))
    answer = await predict.chat(model)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "240")
    assert (predict.host.asked, predict.lines()[-1]["asleep"]) == ([], [RESOURCE + "1"])


async def test_another_tenant_neither_learns_of_it_nor_wakes_it(tmp_path: Path) -> None:
    predict = Predict(tmp_path)
    predict.state.key("k", "other")
    predict.state.place(PLACE, "acme")
    predict.state.asleep(PLACE, Asleep(seconds=240.0))
    assert (await predict.chat("vertex_ai/endpoints/1")).status_code == 404
    assert "asleep" not in predict.lines()[-1]


async def test_a_model_that_sleeps_is_listed(predict: Predict) -> None:
    listed = (await predict.call("GET", "/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["shop"]
    assert (await predict.call("GET", "/v1/models/shop")).status_code == 200


async def test_others_are_called_as_ever(predict: Predict) -> None:
    predict.state.route("awake", Target(resource=RESOURCE + "2"))
    assert (await predict.chat("awake")).status_code == 200
    assert "asleep" not in predict.lines()[-1]


async def test_openais_client_sees_its_own_error(predict: Predict) -> None:
    transport = httpx2.AsyncClient(transport=httpx2.ASGITransport(predict.app), base_url="http://door")
    client = openai.AsyncOpenAI(api_key="k", base_url="http://door/v1", max_retries=0, http_client=transport)
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(model="shop", messages=[{"role": "user", "content": "Hello"}])
    assert (caught.value.status_code, caught.value.code) == (503, "model_asleep")
    assert caught.value.response.headers["retry-after"] == "240"
    await client.close()


async def test_anthropics_client_sees_its_own_error(predict: Predict) -> None:
    transport = httpx2.AsyncClient(transport=httpx2.ASGITransport(predict.app), base_url="http://door")
    client = anthropic.AsyncAnthropic(api_key="k", base_url="http://door", max_retries=0, http_client=transport)
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(model="shop", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])
    assert caught.value.status_code == 503
    assert json.loads(caught.value.response.text)["error"]["type"] == "overloaded_error"
    await client.close()
