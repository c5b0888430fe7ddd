from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.anthropic.request import to_request
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.prediction.hub.request import JsonSchema, JsonSchemaFormat
from tuneway.routing.routes import Target

OPUS = Target(model="claude-opus-4-8", dialect="anthropic", provider="anthropic")
HI = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f"}}
OTHER = {"type": "function", "function": {"name": "g"}}
CUSTOM = {"type": "custom", "custom": {"name": "x"}}
NAMED = {"type": "function", "function": {"name": "f"}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "string"}}}


def claude(model: str, *drop: str) -> Target:
    return msgspec.structs.replace(OPUS, model=model, drop_params=drop)


def body(*messages: dict[str, Any], to: Target = OPUS, **fields: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(to_request(ask(*messages, **fields), to)))


def fault(*messages: dict[str, Any], to: Target = OPUS, **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        body(*messages, to=to, **fields)
    return caught.value


def turns(*messages: dict[str, Any]) -> list[Any]:
    return [(turn["role"], turn["content"]) for turn in body(*messages)["messages"]]


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def part(**fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": [fields]}


def picture(url: str) -> dict[str, Any]:
    return part(type="image_url", image_url={"url": url})


def document(**file: str) -> dict[str, Any]:
    return part(type="file", file=file)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (NAMED, {"type": "tool", "name": "f"}),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}, {"type": "any"}),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}, {"type": "auto"}),
    ],
)
def test_every_tool_choice_has_its_word(choice: Any, told: Any) -> None:
    assert body(tools=[TOOL, OTHER], tool_choice=choice).get("tool_choice") == told


def test_only_allowed_tools_are_told() -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}
    assert [tool["name"] for tool in body(tools=[OTHER, TOOL], tool_choice=choice)["tools"]] == ["f"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time_is_said_beside_the_choice(choice: Any, told: Any) -> None:
    assert body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=False)["tool_choice"] == told


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"seed": 1}, "seed"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"verbosity": "low"}, "verbosity"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"temperature": 0.2}, "temperature"),
        ({"top_p": 0.2}, "top_p"),
        ({"top_k": 2}, "top_k"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": CUSTOM}, "tool_choice"),
        ({"tools": [TOOL, CUSTOM]}, "tools[1]"),
        ({"user": "ann@example.com"}, "user"),
        ({"safety_identifier": "ann@example.com"}, "safety_identifier"),
        ({"not_openai": 1}, "not_openai"),
        ({"tools": [TOOL], "tool_choice": NAMED, "reasoning_effort": "low"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "required", "reasoning_effort": "low"}, "tool_choice"),
    ],
)
def test_what_claude_has_no_word_for_is_refused(fields: dict[str, Any], param: str) -> None:
    assert fault(**fields).param == param


def test_what_a_route_drops_is_left_out() -> None:
    sent = body(
        part(type="text", text="Hi"), to=claude("claude-opus-4-8", "temperature", "seed"), temperature=0, seed=1
    )
    assert set(sent) == {"model", "max_tokens", "messages"}


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        ("claude-sonnet-4-0", {"temperature": 1.5}, "temperature"),
        ("claude-sonnet-4-5", {"temperature": 0.5, "top_p": 0.5}, "top_p"),
        ("claude-sonnet-4-0", {"temperature": 0.5, "reasoning_effort": "low"}, "temperature"),
        ("claude-sonnet-4-0", {"top_k": 5, "reasoning_effort": "low"}, "top_k"),
        ("claude-sonnet-4-0", {"max_tokens": 1024, "reasoning_effort": "low"}, "max_tokens"),
        ("claude-sonnet-4-0", {"max_completion_tokens": 9, "reasoning_effort": "low"}, "max_completion_tokens"),
        ("claude-sonnet-4-0", {"response_format": SCHEMA, "reasoning_effort": "low"}, "reasoning_effort"),
        ("claude-3-5-haiku-20241022", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("claude-fable-5", {"reasoning_effort": "none"}, "reasoning_effort"),
        ("claude-opus-5-5", {"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        ("claude-sonnet-5-5", {"tools": [TOOL], "tool_choice": NAMED}, "tool_choice"),
    ],
)
def test_what_one_claude_does_not_take_is_refused(model: str, fields: dict[str, Any], param: str) -> None:
    assert fault(to=claude(model), **fields).param == param


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": "Hi", "name": "Ann"}, "messages[1].name"),
        ({"role": "assistant", "audio": {"id": "x"}}, "messages[1].audio"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]},
            "messages[1].tool_calls[0]",
        ),
        (
            {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "["}}]},
            "messages[1].tool_calls[0].function.arguments",
        ),
        (picture("gs://b/y.png"), "messages[1].content[0].image_url.url"),
        (picture("data:image/png;base64,*"), "messages[1].content[0].image_url.url"),
        (picture("data:image/bmp;base64,AAAA"), "messages[1].content[0].image_url.url"),
        (document(file_id="file-1"), "messages[1].content[0].file.file_id"),
        (document(filename="a.pdf"), "messages[1].content[0].file.file_id"),
        (document(file_data="data:application/zip;base64,AAAA"), "messages[1].content[0].file.file_data"),
        (document(file_data="data:text/plain;base64,/w=="), "messages[1].content[0].file.file_data"),
        (part(type="input_audio", input_audio={"data": "AAAA", "format": "mp3"}), "messages[1].content[0]"),
    ],
)
def test_a_message_that_cannot_be_told_is_named(message: dict[str, Any], param: str) -> None:
    assert fault(HI, message).param == param


def test_a_tools_name_beside_its_result_is_no_speaker() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "", "name": "f"}
    told = turns(HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, result)
    assert told[-1] == ("user", [{"type": "tool_result", "tool_use_id": "c", "content": ""}])


def test_a_result_opens_the_turn_wherever_it_stood() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}]}
    told = turns(HI, {"role": "assistant", "tool_calls": [CALL]}, {"role": "system", "content": "S"}, HI, result)
    assert told[-1] == ("user", [{"type": "tool_result", "tool_use_id": "c", "content": [text("1")]}, text("Hi")])


def test_refusals_are_told_again() -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": ""}]}
    silent = {"role": "assistant", "content": None, "refusal": "Never."}
    assert turns(HI, refused, silent)[1] == ("assistant", [text("No."), text("Never.")])


@pytest.mark.parametrize("role", ["assistant", "system", "user"])
def test_empty_texts_are_not_told(role: str) -> None:
    assert turns(HI, {"role": role, "content": ""}, {"role": "assistant", "content": None}, HI) == [
        ("user", [text("Hi"), text("Hi")])
    ]


def test_thoughts_that_cannot_be_verified_stay_at_home() -> None:
    blocks = [{"type": "thinking", "thinking": "a"}, {"type": "thinking", "thinking": "b", "signature": "c2ln"}]
    answer = {"role": "assistant", "content": "A", "extra_content": {"anthropic": {"thinking_blocks": blocks}}}
    foreign = {"role": "assistant", "content": "B", "extra_content": {"google": {"thought_signature": "c2ln"}}}
    thought = {"type": "thinking", "thinking": "b", "signature": "c2ln"}
    assert turns(HI, answer, HI, foreign)[1::2] == [("assistant", [thought, text("A")]), ("assistant", [text("B")])]


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("claude-opus-4-6", "xhigh", {"thinking": "adaptive", "effort": "high"}),
        ("claude-opus-5", "xhigh", {"thinking": "adaptive", "effort": "xhigh"}),
        ("claude-opus-5", "minimal", {"thinking": "adaptive", "effort": "low"}),
        ("claude-opus-5", "none", {"thinking": "disabled", "effort": None}),
        ("claude-sonnet-5-5", "none", {"thinking": "between_tools", "effort": None}),
        ("claude-sonnet-4-0", "none", {"thinking": None, "effort": None}),
        ("claude-sonnet-4-0", "max", {"thinking": "enabled", "effort": None}),
    ],
)
def test_every_effort_is_told_as_the_model_wants(model: str, effort: str, told: Any) -> None:
    sent = body(to=claude(model), reasoning_effort=effort)
    thinking, config = sent.get("thinking", {}), sent.get("output_config", {})
    assert {"thinking": thinking.get("type"), "effort": config.get("effort")} == told


@pytest.mark.parametrize(("limit", "budget"), [(None, 4096), (1025, 1024), (4000, 2000), (9000, 4096)])
def test_a_budget_leaves_room_for_the_answer(limit: int | None, budget: int) -> None:
    sent = body(to=claude("claude-sonnet-4-0"), reasoning_effort="high", max_tokens=limit)
    assert sent["thinking"]["budget_tokens"] == budget


def test_defaults_spelled_out_are_left_out() -> None:
    assert set(body(temperature=1, top_p=1)) == {"model", "max_tokens", "messages"}
    either = body(to=claude("claude-sonnet-4-5"), temperature=0.5, top_p=1)
    assert (either["temperature"], either.get("top_p")) == (0.5, None)


def test_older_models_are_not_promised_to_be_strict() -> None:
    tool = {"type": "function", "function": {"name": "f", "strict": True}}
    assert body(tools=[tool])["tools"][0]["strict"] is True
    assert "strict" not in body(to=claude("claude-3-5-haiku-20241022"), tools=[tool])["tools"][0]


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, {"type": "tool", "name": ANSWER_TOOL}),
        ({"tools": [TOOL], "tool_choice": "none"}, {"type": "tool", "name": ANSWER_TOOL}),
        ({"tools": [TOOL]}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"tools": [TOOL], "tool_choice": NAMED}, {"type": "tool", "name": "f"}),
        (
            {"tools": [TOOL], "tool_choice": NAMED, "parallel_tool_calls": False},
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_an_older_model_must_use_a_tool_to_answer_in_json(fields: Any, choice: Any) -> None:
    sent = body(to=claude("claude-3-haiku-20240307"), response_format=SCHEMA, **fields)
    assert (sent["tools"][-1]["name"], sent["tool_choice"]) == (ANSWER_TOOL, choice)


def test_a_format_without_a_schema_is_any_object() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "s"}}
    assert body(response_format=wanted)["output_config"]["format"]["schema"] == {
        "type": "object",
        "additionalProperties": False,
    }


def test_a_schema_that_says_what_else_it_takes_is_left_alone() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    assert body(response_format=wanted)["output_config"]["format"]["schema"] == schema


def test_a_schema_without_a_floor_is_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(1_500):
        schema = {"type": "object", "properties": {"a": schema}}
    deep = JsonSchemaFormat(json_schema=JsonSchema("s", schema=schema))
    with pytest.raises(BadInput, match="nested too deeply") as caught:
        to_request(msgspec.structs.replace(ask(), response_format=deep), OPUS)
    assert caught.value.param == "response_format.json_schema.schema"


def test_an_object_that_may_be_null_is_closed_too() -> None:
    schema = {"type": "array", "items": {"type": ["object", "null"]}}
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    closed = body(response_format=wanted)["output_config"]["format"]["schema"]
    assert closed["items"] == {"type": ["object", "null"], "additionalProperties": False}


def test_an_effort_and_claudes_own_thinking_are_one_too_many() -> None:
    caught = fault(thinking={"type": "enabled", "budget_tokens": 2048}, reasoning_effort="low")
    assert (caught.param, caught.code) == ("thinking", "invalid_value")


def test_no_e_mail_address_is_told_wherever_it_stands() -> None:
    assert fault(metadata={"user_id": "a@b.c"}).param == "metadata.user_id"
