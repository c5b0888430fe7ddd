"""A route's prompts on every surface: the model hears its family's, and the answer says which was used."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.edge.surfaces.completions import COMPLETIONS
from tuneway.edge.surfaces.messages import MESSAGES
from tuneway.routing.routes import Prompt, Target

HEADER = "x-tuneway-prompt-family"
CLAUDE = {"anthropic": Prompt(system="You are Claude.", user="<q>{{input}}</q>")}
BOX = Target(provider="custom_openai", dialect="openai", model="org/Llama-3-8B", base_url="http://box/v1")
VERTEX = Target(resource="projects/p/locations/us-east5/publishers/anthropic/models/claude-x@1", dialect="anthropic")
BEDROCK = Target(
    provider="bedrock", dialect="anthropic", model="eu.anthropic.claude-x-v1:0", region="eu-west-1", secret="env:K"
)
FOUNDRY = Target(
    provider="azure", dialect="anthropic", model="claude-x", base_url="https://my.services.ai.azure.com", secret="env:K"
)
OWN = Target(provider="anthropic", dialect="anthropic", model="claude-x", base_url="http://claude", secret="env:K")
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "shop")

    async def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=COMPLETION if "box" in request.url.host else MESSAGE)

    made.host.reply = reply
    return made


def heard(predict: Predict) -> Any:
    return json.loads(predict.host.asked[-1].content)


@pytest.mark.parametrize("target", [OWN, VERTEX, BEDROCK, FOUNDRY], ids=["anthropic", "vertex", "bedrock", "foundry"])
async def test_what_was_written_for_claude_holds_wherever_it_is_served(predict: Predict, target: Target) -> None:
    predict.state.route("shop", target, prompts=CLAUDE)
    answer = await predict.chat("shop")
    assert (answer.status_code, answer.headers[HEADER]) == (200, "anthropic")
    said = json.dumps(heard(predict))
    assert "You are Claude." in said
    assert "<q>Hello</q>" in said


async def test_a_message_of_anthropics_own_stands_in_it_too(predict: Predict) -> None:
    predict.state.route("shop", VERTEX, prompts=CLAUDE)
    body = {"model": "shop", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    answer = await predict.call("POST", MESSAGES, json=body)
    assert answer.headers[HEADER] == "anthropic"
    assert (heard(predict)["system"], heard(predict)["messages"][0]["content"]) == ("You are Claude.", "<q>Hello</q>")


async def test_a_completion_stands_in_its_familys_template(predict: Predict) -> None:
    predict.state.route("shop", BOX, prompts={"llama": Prompt(completion="<s>{{prompt}}<fill>{{suffix}}")})
    answer = await predict.call("POST", COMPLETIONS, json={"model": "shop", "prompt": "a", "suffix": "b"})
    assert answer.headers[HEADER] == "llama"
    assert (heard(predict)["prompt"], "suffix" in heard(predict)) == ("<s>a<fill>b", False)


async def test_each_target_hears_its_own_prompt(predict: Predict) -> None:
    async def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=COMPLETION) if "box" in request.url.host else httpx.Response(503, json={})

    predict.host.reply = reply
    first, second = VERTEX, Target(**{**{f: getattr(BOX, f) for f in BOX.__struct_fields__}, "order": 1})
    predict.state.route("shop", first, second, prompts={**CLAUDE, "llama": Prompt(system="You are Llama.")})
    answer = await predict.chat("shop")
    assert (answer.headers[HEADER], answer.headers["x-tuneway-attempts"]) == ("llama", "2")
    assert heard(predict)["messages"][0] == {"role": "system", "content": "You are Llama."}


async def test_a_family_without_a_prompt_hears_the_caller_alone(predict: Predict) -> None:
    predict.state.route("shop", BOX, prompts=CLAUDE)
    answer = await predict.chat("shop")
    assert answer.headers[HEADER] == "none"
    assert [turn["role"] for turn in heard(predict)["messages"]] == ["user"]


async def test_a_route_without_prompts_has_no_such_header(predict: Predict) -> None:
    predict.state.route("shop", BOX)
    assert HEADER not in (await predict.chat("shop")).headers


async def test_a_stream_is_prompted_too(predict: Predict) -> None:
    predict.host.reply = None
    predict.state.route("shop", Target(resource=RESOURCE + "1"), prompts={"gemini": Prompt(system="Be Gemini.")})
    answer = await predict.chat("shop", stream=True)
    assert (answer.headers[HEADER], "Be Gemini." in json.dumps(heard(predict))) == ("gemini", True)


async def test_a_bad_body_is_refused_as_ever(predict: Predict) -> None:
    predict.state.route("shop", VERTEX, prompts=CLAUDE)
    answer = await predict.call("POST", "/v1/chat/completions", json={"model": "shop", "messages": "none"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages")
