"""Counting tokens through the whole door."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.edge.surfaces.count_tokens import COUNT_TOKENS
from tuneway.routing.routes import Target

NOVA = Target(provider="bedrock", dialect="bedrock", model="amazon.nova-pro-v1:0", region="us-east-1")
BOX = Target(provider="custom_openai", dialect="openai", model="served", base_url="http://box/v1")
ASKED = {"model": "shop", "messages": [{"role": "user", "content": "12345678"}]}


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    return made


def says(status: int, body: Any) -> Any:
    async def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body)

    return reply


async def count(predict: Predict, **more: Any) -> httpx.Response:
    return await predict.call("POST", COUNT_TOKENS, json={**ASKED, **more})


async def test_a_host_that_counts_is_believed(predict: Predict) -> None:
    predict.state.route("shop")
    predict.host.reply = says(200, {"totalTokens": 7})
    answer = await count(predict)
    assert (answer.json(), "x-tuneway-estimated" in answer.headers) == ({"input_tokens": 7}, False)
    assert answer.headers["x-tuneway-target"] == "vertex/us-central1/endpoints/1"


async def test_where_nobody_counts_an_estimate_says_that_it_is_one(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    answer = await count(predict)
    assert (answer.json(), answer.headers["x-tuneway-estimated"]) == ({"input_tokens": 2}, "input_tokens")
    assert predict.host.asked == []


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        (NOVA, 400, {"message": "The provided model doesn't support counting tokens."}),
        (NOVA, 400, {"message": "The provided model identifier is invalid."}),
        (Target(resource=RESOURCE + "1"), 501, {"error": {"status": "UNIMPLEMENTED", "message": "No."}}),
    ],
)
async def test_a_host_that_cannot_count_for_this_model_leaves_an_estimate(
    predict: Predict, target: Target, status: int, body: Any
) -> None:
    predict.state.route("shop", target)
    predict.host.reply = says(status, body)
    answer = await count(predict)
    assert (answer.status_code, answer.headers["x-tuneway-estimated"]) == (200, "input_tokens")


async def test_a_hosts_other_faults_are_told_in_anthropics_shape(predict: Predict) -> None:
    predict.state.route("shop")
    predict.host.reply = says(400, {"error": {"status": "INVALID_ARGUMENT", "message": "contents is empty"}})
    answer = await count(predict)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_a_count_has_the_routes_fallbacks(predict: Predict) -> None:
    predict.state.route("shop", fallbacks=("box",))
    predict.state.route("box", BOX)
    predict.host.reply = says(503, {"error": {"message": "Away."}})
    answer = await count(predict)
    assert (answer.json(), answer.headers["x-tuneway-attempts"]) == ({"input_tokens": 2}, "2")


@pytest.mark.parametrize(("fields", "param"), [({"model": ""}, "model"), ({"messages": None}, "messages")])
async def test_a_wrong_body_is_told_in_anthropics_shape(predict: Predict, fields: Any, param: str) -> None:
    predict.state.route("shop", BOX)
    answer = await count(predict, **fields)
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert param in answer.json()["error"]["message"]


async def test_a_get_is_refused(predict: Predict) -> None:
    answer = await predict.call("GET", COUNT_TOKENS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
