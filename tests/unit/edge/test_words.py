"""Callers' own words kept on the way: tools called functions, addresses in Anthropic's blocks, names of fields."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.unit.edge.predict_door import MESSAGES, RESOURCE, Predict
from tuneway.routing.routes import Target

F = {"name": "f", "description": "d", "parameters": {"type": "object"}}
CALL = {"functionCall": {"name": "f", "args": {"a": 1}}}
CALLED = {"candidates": [{"content": {"role": "model", "parts": [CALL, CALL]}, "finishReason": "STOP"}]}
VERTEX = "projects/p/locations/us-east5/publishers"
ON_VERTEX = Target(dialect="anthropic", resource=f"{VERTEX}/anthropic/models/claude-sonnet-4-6")
CLAUDE = Target(dialect="anthropic", provider="anthropic", model="claude-sonnet-4-6")
CONVERSE = Target(dialect="bedrock", provider="bedrock", model="amazon.nova-lite-v1:0", region="eu-west-1")
MISTRAL = Target(dialect="openai", resource=f"{VERTEX}/mistralai/models/mistral-medium-3")
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Red."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
PICTURE = {"type": "image", "source": {"type": "url", "url": "gs://theirs/a.png"}}
BY_VALUE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
whole_or_streamed = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.host.files["a.png"] = b"\x89PNG"
    return made


def always(body: Any, status: int = 200, **headers: str) -> Any:
    async def reply(_: httpx.Request) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return httpx.Response(status, content=body, headers=sent)
        return httpx.Response(status, json=body, headers=sent)

    return reply


def sse(*events: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def sent(predict: Predict) -> Any:
    """What the model's host was asked last."""
    return json.loads([request for request in predict.host.asked if request.method == "POST"][-1].content)


def messages(*blocks: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "shop", "max_tokens": 9, "messages": [{"role": "user", "content": list(blocks)}], **fields}


async def test_who_calls_tools_functions_is_answered_so(predict: Predict) -> None:
    predict.state.route("shop")
    predict.host.reply = always(CALLED)
    answer = ChatCompletion.model_validate((await predict.chat(functions=[F], function_call="auto")).json())
    [choice] = answer.choices
    assert (choice.finish_reason, choice.message.tool_calls) == ("function_call", None)
    assert choice.message.function_call is not None
    assert (choice.message.function_call.name, choice.message.function_call.arguments) == ("f", '{"a":1}')
    assert sent(predict)["tools"][0]["functionDeclarations"][0]["name"] == "f"


async def test_who_calls_tools_functions_is_streamed_to_so(predict: Predict) -> None:
    predict.state.route("shop")
    predict.host.reply = always(sse(CALLED))
    answer = await predict.chat(functions=[F], stream=True)
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    first, *_, last = [ChatCompletionChunk.model_validate_json(line) for line in lines]
    assert first.choices[0].delta.function_call is not None
    assert first.choices[0].delta.tool_calls is None
    assert last.choices[0].finish_reason == "function_call"


async def test_a_server_that_knows_but_tools_is_told_tools(predict: Predict) -> None:
    predict.state.route("shop", MISTRAL)
    call = {"id": "a1b2c3d4e", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    predict.host.reply = always({"id": "1", "choices": [choice], "usage": {"prompt_tokens": 1}})
    answer = (await predict.chat(functions=[F], function_call={"name": "f"})).json()
    assert answer["choices"][0]["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert sent(predict)["tools"] == [{"type": "function", "function": F}]
    assert "functions" not in sent(predict)
    await predict.chat(tools=[{"type": "function", "function": F}])
    assert "tools" in sent(predict)


@whole_or_streamed
async def test_a_picture_by_its_address_reaches_claude_by_value(predict: Predict, *, stream: bool) -> None:
    predict.state.route("shop", ON_VERTEX)
    predict.host.reply = always(MESSAGE)
    result = {"type": "tool_result", "tool_use_id": "t", "content": [PICTURE]}
    await predict.call("POST", "/v1/messages", json=messages(result, PICTURE, stream=stream))
    [turn] = sent(predict)["messages"]
    assert turn["content"] == [{**result, "content": [BY_VALUE]}, BY_VALUE]


@pytest.mark.parametrize("target", [ON_VERTEX, CLAUDE])
async def test_it_is_counted_by_value_too(predict: Predict, target: Target) -> None:
    predict.state.route("shop", target)
    predict.host.reply = always({"input_tokens": 77})
    body = {name: value for name, value in messages(PICTURE).items() if name != "max_tokens"}
    answer = await predict.call("POST", "/v1/messages/count_tokens", json=body)
    assert (answer.json(), sent(predict)["messages"][0]["content"]) == ({"input_tokens": 77}, [BY_VALUE])


async def test_a_picture_that_is_not_there_is_told_in_anthropics_words(predict: Predict) -> None:
    predict.state.route("shop", ON_VERTEX)
    gone = {"type": "image", "source": {"type": "url", "url": "gs://theirs/gone.png"}}
    answer = await predict.call("POST", "/v1/messages", json=messages(gone))
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "messages[0].content[0].source.url" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [PICTURE]}]}]},
        {"system": [{"type": "document", "source": {"type": "content", "content": [PICTURE]}}]},
    ],
)
async def test_the_installations_own_bucket_is_closed_wherever_it_stands(predict: Predict, fields: Any) -> None:
    predict.state.route("shop", CLAUDE)
    body = json.dumps(messages({"type": "text", "text": "Hi"}) | fields).replace("gs://theirs", "gs://ours")
    answer = await predict.call("POST", "/v1/messages", content=body.encode())
    assert (answer.status_code, "own bucket" in answer.text, predict.host.asked) == (400, True, [])


async def test_what_a_message_leaves_out_is_told_under_the_callers_names(predict: Predict) -> None:
    predict.state.route("shop", Target(resource=RESOURCE + "1", drop_params=("parallel_tool_calls",)))
    asked = messages(
        {"type": "text", "text": "Hi"},
        metadata={"user_id": "u"},
        service_tier="standard_only",
        cache_control={"type": "ephemeral"},
        tools=[{"name": "f", "input_schema": {}}],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    answer = await predict.call("POST", "/v1/messages", json=asked)
    assert answer.status_code == 200
    told = set(answer.headers["x-tuneway-dropped-params"].split(", "))
    assert told == {"metadata", "service_tier", "cache_control", "tool_choice.disable_parallel_tool_use"}


async def test_an_endpoints_number_is_called_as_the_route_to_it_knows_it(predict: Predict) -> None:
    predict.state.route("shop", Target(resource=RESOURCE + "1", model="gemini-2.5-flash"), owner="acme")
    name = "vertex_ai/" + (RESOURCE + "1").removeprefix("projects/").replace("/locations/", "/")
    for model in ("shop", name):
        answer = await predict.chat(model, reasoning_effort="low")
        assert answer.status_code == 200, answer.text
        assert sent(predict)["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 1024


async def test_an_answer_in_a_fence_is_json(predict: Predict) -> None:
    predict.state.route("shop", CLAUDE)
    fenced = {**MESSAGE, "content": [{"type": "text", "text": '```json\n{"a": 1}\n```'}]}
    predict.host.reply = always(fenced)
    answer = (await predict.chat(response_format={"type": "json_object"})).json()
    assert answer["choices"][0]["message"]["content"] == '{"a": 1}'
    assert MESSAGES
