"""Completions through the whole door."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.edge.surfaces.completions import COMPLETIONS
from tuneway.routing.routes import Target

TEXT = {
    "id": "cmpl-9",
    "object": "text_completion",
    "created": 7,
    "model": "served",
    "choices": [{"index": 0, "text": "there was", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}

CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 7,
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "upon"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
PUBLISHERS = "projects/p/locations/us-central1/publishers"


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop")
    made.state.route("box", Target(provider="custom_openai", dialect="openai", model="m", base_url="http://box/v1"))
    return made


async def complete(predict: Predict, model: str = "shop", **fields: Any) -> httpx.Response:
    return await predict.call("POST", COMPLETIONS, json={"model": model, "prompt": "Once", **fields})


def chunks(answer: httpx.Response) -> list[Any]:
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert events.pop() == "[DONE]"
    return [json.loads(event) for event in events]


async def test_a_chat_is_told_as_a_text(predict: Predict) -> None:
    answer = (await complete(predict)).json()
    assert (answer["object"], answer["id"][:5], answer["choices"][0]["text"]) == ("text_completion", "cmpl-", "Hi")
    assert predict.lines()[-1]["gen_ai.operation.name"] == "text_completion"


async def test_each_prompt_is_a_call_and_all_are_counted(predict: Predict) -> None:
    answer = (await complete(predict, prompt=["a", "b", "c"])).json()
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"]["total_tokens"] == 12
    assert len(predict.host.asked) == 3
    assert predict.lines()[-1]["gen_ai.usage.input_tokens"] == 9


async def test_streams_of_several_prompts_are_one(predict: Predict) -> None:
    told = chunks(await complete(predict, prompt=["a", "b"], stream=True, stream_options={"include_usage": True}))
    said = ["", ""]
    for chunk in told[:-1]:
        for choice in chunk["choices"]:
            said[choice["index"]] += choice["text"]
    assert said == ["Hello", "Hello"]
    assert (told[-1]["choices"], told[-1]["usage"]["total_tokens"]) == ([], 8)
    assert len({chunk["id"] for chunk in told}) == 1
    [line] = predict.lines()
    assert (line["gen_ai.usage.input_tokens"], line.get("error.type")) == (6, None)


async def test_a_server_of_completions_gets_the_callers_own_body(predict: Predict) -> None:
    async def served(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://box/v1/completions"
        assert json.loads(request.content) == {"model": "m", "prompt": "Once", "min_p": 0.1}
        return httpx.Response(200, json=TEXT)

    predict.host.reply = served
    answer = await complete(predict, "box", min_p=0.1)
    assert (answer.json()["model"], answer.json()["choices"][0]["text"]) == ("box", "there was")
    assert predict.lines()[-1]["gen_ai.usage.output_tokens"] == 1


async def test_its_stream_passes_under_the_callers_name(predict: Predict) -> None:
    async def served(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(TEXT).encode())

    predict.host.reply = served
    told = chunks(await complete(predict, "box", stream=True))
    assert [(chunk["model"], chunk["choices"][0]["text"]) for chunk in told] == [("box", "there was")]
    assert "error.type" not in predict.lines()[-1]


@pytest.mark.parametrize("name", ["codestral", "vertex_ai/codestral", "codestral-2"])
async def test_a_bare_codestral_is_served_under_its_newest_name(predict: Predict, name: str) -> None:
    async def codestral(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/publishers/mistralai/models/codestral-2:rawPredict")
        assert json.loads(request.content)["model"] == "codestral-2"
        return httpx.Response(200, json=CHAT)

    predict.host.reply = codestral
    answer = await complete(predict, name, suffix="end")
    assert (answer.status_code, answer.json()["model"]) == (200, name)
    assert (await predict.chat(name)).json()["model"] == name


async def test_a_route_says_which_codestral_is_meant(predict: Predict) -> None:
    older = Target(resource=f"{PUBLISHERS}/mistralai/models/codestral@2405", dialect="openai")
    predict.state.route("codestral", older)

    async def codestral(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/models/codestral@2405:rawPredict")
        return httpx.Response(200, json=CHAT)

    predict.host.reply = codestral
    assert (await complete(predict, "codestral", suffix="end")).status_code == 200


async def test_codestral_fills_in_the_middle(predict: Predict) -> None:
    async def filled(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/models/codestral@2405:rawPredict")
        assert json.loads(request.content) == {"model": "codestral", "prompt": "Once", "suffix": "end"}
        message = {"role": "assistant", "content": "upon"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return httpx.Response(200, json={**TEXT, "object": "chat.completion", "choices": [choice]})

    predict.host.reply = filled
    answer = await complete(predict, "vertex_ai/codestral@2405", suffix="end")
    assert answer.json()["choices"][0]["text"] == "upon"


@pytest.mark.parametrize("stream", [False, True])
async def test_one_prompts_refusal_is_the_answer(predict: Predict, *, stream: bool) -> None:
    async def busy(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})

    predict.host.reply = busy
    assert (await complete(predict, prompt=["a", "b"], stream=stream)).status_code == 429


@pytest.mark.parametrize(
    ("fields", "param"), [({"prompt": 7}, "prompt"), ({"suffix": "s"}, "suffix"), ({"model": ""}, "model")]
)
async def test_a_wrong_body_names_the_field(predict: Predict, fields: dict[str, Any], param: str) -> None:
    answer = await complete(predict, **{"model": "shop", **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_what_the_route_drops_is_told(predict: Predict) -> None:
    predict.state.route("lax", Target(resource=RESOURCE + "1", drop_params=("best_of",)))
    answer = await complete(predict, "lax", best_of=3)
    assert (answer.status_code, answer.headers["x-tuneway-dropped-params"]) == (200, "best_of")
