"""Embeddings through the whole door."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.edge.surfaces.embeddings import EMBEDDINGS
from tuneway.routing.routes import Target

GOOGLE = "projects/p/locations/us-central1/publishers/google/models/"
TITAN = Target(provider="bedrock", dialect="bedrock", model="amazon.titan-embed-text-v2:0", region="us-east-1")


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("vectors", Target(resource=GOOGLE + "text-embedding-005"))
    made.state.route("titan", TITAN)
    made.host.reply = vertex
    return made


async def vertex(request: httpx.Request) -> httpx.Response:
    asked = json.loads(request.content)["instances"]
    found = {"values": [0.5, 1.0], "statistics": {"token_count": 2}}
    return httpx.Response(200, json={"predictions": [{"embeddings": found} for _ in asked]})


async def embed(predict: Predict, model: str = "vectors", **fields: Any) -> httpx.Response:
    return await predict.call("POST", EMBEDDINGS, json={"model": model, "input": ["a", "b"], **fields})


async def test_vectors_come_in_openais_shape(predict: Predict) -> None:
    answer = (await embed(predict)).json()
    assert [one["embedding"] for one in answer["data"]] == [[0.5, 1.0], [0.5, 1.0]]
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    [line] = predict.lines()
    assert (line["gen_ai.operation.name"], line["gen_ai.usage.input_tokens"]) == ("embeddings", 4)
    assert predict.host.asked[0].url.path == f"/v1/{GOOGLE}text-embedding-005:predict"


@pytest.mark.parametrize("dialect", ["gemini", "instances"])
async def test_a_tuned_model_embeds_at_its_endpoint(predict: Predict, dialect: Any) -> None:
    predict.state.route("tuned", Target(resource=RESOURCE + "1", dialect=dialect))
    assert (await embed(predict, "tuned")).status_code == 200
    assert predict.host.asked[0].url.path == f"/v1/{RESOURCE}1:predict"


async def test_a_host_of_one_input_a_call_is_asked_for_each(predict: Predict) -> None:
    async def titan(request: httpx.Request) -> httpx.Response:
        text = json.loads(request.content)["inputText"]
        return httpx.Response(200, json={"embedding": [float(text)], "inputTextTokenCount": 1})

    predict.host.reply = titan
    texts = [str(number) for number in range(40)]
    answer = (await embed(predict, "titan", input=texts)).json()
    assert [one["embedding"] for one in answer["data"]] == [[float(text)] for text in texts]
    assert (len(predict.host.asked), answer["usage"]["total_tokens"]) == (40, 40)
    assert predict.lines()[-1]["attempts"] == 1


async def test_one_refusal_of_many_is_the_answer(predict: Predict) -> None:
    async def busy(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["inputText"] == "b":
            return httpx.Response(429, json={"message": "Slow down"}, headers={"retry-after": "3"})
        return httpx.Response(200, json={"embedding": [1.0], "inputTextTokenCount": 1})

    predict.host.reply = busy
    answer = await embed(predict, "titan")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"input": []}, "input"), ({"stream": True}, "stream"), ({"model": "chats"}, "model"), ({"foo": 1}, "foo")],
)
async def test_what_cannot_be_is_refused_by_name(predict: Predict, fields: dict[str, Any], param: str) -> None:
    predict.state.route("chats", Target(resource=GOOGLE + "gemini-3.5-flash"))
    answer = await embed(predict, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert predict.host.asked == []
