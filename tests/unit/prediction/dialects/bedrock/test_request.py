import json
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.request import UNSUPPORTED, to_request
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.routing.routes import Target

CLAUDE_3 = "anthropic.claude-3-haiku-20240307-v1:0"
CLAUDE_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
MISTRAL = "mistral.mistral-large-2407-v1:0"
CLAUDE_4_5 = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_4_6 = "eu.anthropic.claude-opus-4-6-v1:0"
CLAUDE_5 = "global.anthropic.claude-opus-5-v1:0"
MYTHOS = "anthropic.claude-mythos-1-v1:0"
LLAMA = "meta.llama3-3-70b-instruct-v1:0"
OLD_MISTRAL = "mistral.mistral-7b-instruct-v0:2"
GPT = "openai.gpt-oss-120b-1:0"
TOOL = {"type": "function", "function": {"name": "f"}}
NAMED = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
USER = {"role": "user", "content": "Hi"}
BROKEN_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "["}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SHOWN = {"type": "adaptive", "display": "summarized"}
CALLING = {"role": "assistant", "tool_calls": [CALL]}


def target(model: str = CLAUDE_4_5, *drop: str, profile: str | None = None) -> Target:
    place = Target(dialect="bedrock", provider="bedrock", model=model, region="eu-west-1", profile=profile)
    return msgspec.structs.replace(place, drop_params=drop)


def body(*messages: dict[str, Any], to: Target | None = None, **fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(to_request(ask(*messages, **fields), to or target())))
    return told


def refusal(*messages: dict[str, Any], to: Target | None = None, **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        body(*messages, to=to, **fields)
    return caught.value


def user(part: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "?"}, part]}


VALUES: dict[str, Any] = {
    "audio": {},
    "frequency_penalty": 1,
    "logit_bias": {"1": 1},
    "logprobs": True,
    "modalities": ["audio"],
    "moderation": {},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {},
    "presence_penalty": 1,
    "seed": 1,
    "store": True,
    "top_logprobs": 1,
    "verbosity": "low",
    "web_search_options": {},
}


@pytest.mark.parametrize("param", UNSUPPORTED)
def test_what_converse_cannot_express_is_refused_or_dropped(param: str) -> None:
    assert refusal(**{param: VALUES[param]}).param == param
    assert body(to=target(CLAUDE_4_5, param), **{param: VALUES[param]}) == body()


@pytest.mark.parametrize(
    ("model", "param", "value"),
    [
        (CLAUDE_5, "temperature", 0.5),
        (CLAUDE_5, "top_k", 3),
        (LLAMA, "top_k", 3),
        (LLAMA, "reasoning_effort", "low"),
        (LLAMA, "tool_choice", "required"),
        (OLD_MISTRAL, "tools", [TOOL]),
        (LLAMA, "response_format", {"type": "json_schema", "json_schema": {"name": "a"}}),
        (MYTHOS, "reasoning_effort", "none"),
        (CLAUDE_4_5, "service_tier", "turbo"),
        (CLAUDE_4_5, "parallel_tool_calls", False),
    ],
)
def test_what_this_model_cannot_express_is_refused_by_name(model: str, param: str, value: object) -> None:
    fields = {"tools": [TOOL], param: value} if param == "tool_choice" else {param: value}
    fault = refusal(to=target(model), **fields)
    assert (fault.param, fault.code) == (param, "unsupported_parameter")


@pytest.mark.parametrize("field", ["guardrailConfig", "performanceConfig"])
def test_converses_own_fields_pass_as_they_are(field: str) -> None:
    own: dict[str, Any] = {field: {"new": 1}}
    wrong: dict[str, Any] = {field: "x"}
    assert body(**own)[field] == {"new": 1}
    assert field not in body(to=target(CLAUDE_4_5, field), **own)
    fault = refusal(**wrong)
    assert (fault.param, fault.code) == (field, "invalid_type")


def test_other_fields_that_nobody_knows_are_refused() -> None:
    assert refusal(promptVariables={}).param == "promptVariables"


@pytest.mark.parametrize(
    ("tier", "fields"),
    [
        ("auto", {}),
        ("default", {}),
        ("priority", {"serviceTier": {"type": "priority"}}),
        ("flex", {"serviceTier": {"type": "flex"}}),
        ("scale", {"serviceTier": {"type": "reserved"}}),
        ("reserved", {"serviceTier": {"type": "reserved"}}),
        ("fast", {"performanceConfig": {"latency": "optimized"}}),
    ],
)
def test_a_tier_of_service_is_told_in_bedrocks_words(tier: str, fields: dict[str, Any]) -> None:
    told = body(service_tier=tier)
    assert {name: told[name] for name in ("serviceTier", "performanceConfig") if name in told} == fields


def test_a_route_may_drop_what_forbids_parallel_calls() -> None:
    lax = target(CLAUDE_4_5, "parallel_tool_calls")
    assert body(to=lax, parallel_tool_calls=False) == body(to=lax)


def test_what_is_harmless_is_left_out_where_it_is_not_taken() -> None:
    assert body(to=target(CLAUDE_5), temperature=1, top_p=1) == body(to=target(CLAUDE_5))
    assert body(to=target(LLAMA), reasoning_effort="none") == body(to=target(LLAMA))


@pytest.mark.parametrize(
    ("fields", "config"),
    [
        ({"temperature": 0.2, "top_p": 1}, {"temperature": 0.2}),
        ({"temperature": 1, "top_p": 0.2}, {"topP": 0.2}),
        ({"top_p": 0.2}, {"topP": 0.2}),
        ({"temperature": 0}, {"temperature": 0}),
    ],
)
def test_temperature_or_top_p(fields: dict[str, Any], config: dict[str, Any]) -> None:
    assert body(**fields)["inferenceConfig"] == config


def test_both_at_once_are_refused_where_the_model_refuses_them() -> None:
    assert refusal(temperature=0.2, top_p=0.2).param == "top_p"
    both = body(to=target(LLAMA), temperature=0.2, top_p=0.2)
    assert both["inferenceConfig"] == {"temperature": 0.2, "topP": 0.2}


def test_too_hot_is_refused() -> None:
    assert refusal(temperature=1.5).param == "temperature"
    assert body(to=target(CLAUDE_4_5, "temperature"), temperature=1.5) == body()


@pytest.mark.parametrize(
    ("model", "effort", "fields", "word"),
    [
        (CLAUDE_4_6, "medium", {"thinking": SHOWN}, "medium"),
        (CLAUDE_4_6, "xhigh", {"thinking": SHOWN}, "high"),
        (CLAUDE_4_6, "none", {"thinking": {"type": "disabled"}}, None),
        (CLAUDE_4_5, "none", None, None),
        (CLAUDE_4_5, "medium", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, None),
        (GPT, "xhigh", {"reasoning_effort": "high"}, None),
    ],
)
def test_an_effort_is_told_in_the_models_way(model: str, effort: str, fields: object, word: str | None) -> None:
    told = body(to=target(model), reasoning_effort=effort)
    assert told.get("additionalModelRequestFields") == fields
    assert told.get("outputConfig", {}).get("effort") == word


def test_an_effort_in_another_dialects_levels_is_refused() -> None:
    assert refusal(to=target(profile="gemini"), reasoning_effort="low").param == "reasoning_effort"


def test_a_budget_leaves_room_for_the_answer() -> None:
    assert body(reasoning_effort="low")["inferenceConfig"] == {"maxTokens": 32_000}
    limited = body(reasoning_effort="high", max_tokens=2000)
    assert limited["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 1999
    assert refusal(reasoning_effort="high", max_tokens=1024).param == "max_completion_tokens"


def test_a_conversation_begins_with_the_user() -> None:
    assert refusal({"role": "assistant", "content": "Hello!"}, USER).param == "messages"


def test_a_conversation_that_says_nothing_is_refused() -> None:
    assert refusal({"role": "user", "content": " "}, response_format={"type": "json_object"}).param == "messages"


def test_a_model_without_system_messages_hears_them_from_the_user() -> None:
    system = {"role": "system", "content": "Be brief."}
    assert body(system, USER, to=target(OLD_MISTRAL)) == {
        "messages": [{"role": "user", "content": [{"text": "Be brief."}, {"text": "Hi"}]}]
    }
    assert body(USER, to=target(OLD_MISTRAL)) == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    told = body(system, {"role": "assistant", "content": "Yes?"}, USER, to=target(OLD_MISTRAL))
    assert [turn["role"] for turn in told["messages"]] == ["user", "assistant", "user"]


def test_a_speakers_name_is_refused_or_dropped() -> None:
    named = {**USER, "name": "ann"}
    assert refusal(named).param == "messages[0].name"
    assert body(named, to=target(CLAUDE_4_5, "name")) == body()


def test_thoughts_go_back_only_to_a_model_that_thinks() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    unsigned = {"type": "thinking", "thinking": "Hm."}
    answer = {
        "role": "assistant",
        "content": "Yes",
        "extra_content": {"anthropic": {"thinking_blocks": [thought, unsigned]}},
    }
    signed = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}
    assert body(USER, answer, USER)["messages"][1]["content"] == [signed, {"text": "Yes"}]
    assert body(USER, answer, USER, to=target(LLAMA))["messages"][1]["content"] == [{"text": "Yes"}]


def test_an_earlier_refusal_is_text() -> None:
    parts = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "So."}]}
    assert body(USER, parts)["messages"][1]["content"] == [{"text": "No."}, {"text": "So."}]
    plain = {"role": "assistant", "content": None, "refusal": "No."}
    assert body(USER, plain)["messages"][1]["content"] == [{"text": "No."}]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "assistant", "content": "a", "audio": {"id": "x"}}, "messages[1].audio"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]},
            "messages[1].tool_calls[0]",
        ),
        (
            {"role": "assistant", "tool_calls": [BROKEN_CALL]},
            "messages[1].tool_calls[0].function.arguments",
        ),
        (
            user({"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}),
            "messages[1].content[1].image_url.url",
        ),
        (user({"type": "image_url", "image_url": {"url": "gs://b/a.png"}}), "messages[1].content[1].image_url.url"),
        (user({"type": "image_url", "image_url": {"url": "s3://bucket/a"}}), "messages[1].content[1].image_url.url"),
        (
            user({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA=="}}),
            "messages[1].content[1].image_url.url",
        ),
        (
            user({"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}}),
            "messages[1].content[1].image_url.url",
        ),
        (
            user({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}),
            "messages[1].content[1].image_url.url",
        ),
        (
            user({"type": "input_audio", "input_audio": {"data": "?", "format": "mp3"}}),
            "messages[1].content[1].input_audio.data",
        ),
        (user({"type": "file", "file": {"file_id": "file-1"}}), "messages[1].content[1].file.file_id"),
        (user({"type": "file", "file": {"file_id": "s3://bucket/a.zip"}}), "messages[1].content[1].file.file_id"),
        (
            user({"type": "file", "file": {"file_data": "data:image/png;base64,AA=="}}),
            "messages[1].content[1].file.file_data",
        ),
    ],
)
def test_what_converse_cannot_say_names_its_place(message: dict[str, Any], param: str) -> None:
    assert refusal(USER, message).param == param


def test_a_file_without_a_name_is_a_pdf_with_a_neutral_one() -> None:
    document = body(user({"type": "file", "file": {"file_data": "JVBERi0="}}))["messages"][0]["content"][1]["document"]
    assert (document["format"], document["name"]) == ("pdf", "document-2")


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, {}),
        ("auto", {}),
        ("required", {"toolChoice": {"any": {}}}),
        ({"type": "function", "function": {"name": "f"}}, {"toolChoice": {"tool": {"name": "f"}}}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
            {},
        ),
    ],
)
def test_every_choice_of_tools(choice: object, config: dict[str, Any]) -> None:
    spec = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
    assert body(tools=[TOOL], tool_choice=choice)["toolConfig"] == {"tools": [spec], **config}


def test_no_calls_without_a_history_is_no_tools() -> None:
    assert "toolConfig" not in body(tools=[TOOL], tool_choice="none")


def test_no_calls_with_a_history_keeps_the_tools_and_says_so() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "1"}
    told = body(USER, CALLING, result, tools=[TOOL], tool_choice="none")
    assert [tool["toolSpec"]["name"] for tool in told["toolConfig"]["tools"]] == ["f"]
    assert told["system"][0]["text"].startswith("Do not call any tool")


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "custom", "custom": {"name": "c"}}]},
        {"tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "c"}}},
        {"tool_choice": "required"},
        {
            "tools": [TOOL],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]},
            },
        },
    ],
)
def test_tools_that_cannot_be_are_refused(fields: dict[str, Any]) -> None:
    assert refusal(**fields).param in {"tools[0]", "tool_choice"}


@pytest.mark.parametrize("metadata", [{"a": "ü"}, {"é": "a"}, {str(number): "a" for number in range(17)}])
def test_metadata_that_the_log_cannot_hold_is_refused(metadata: dict[str, str]) -> None:
    assert (refusal(metadata=metadata).param or "").startswith("metadata")


def test_no_schema_is_any_object() -> None:
    told = body(response_format={"type": "json_schema", "json_schema": {"name": "a"}})
    assert told["outputConfig"]["textFormat"]["structure"]["jsonSchema"] == {
        "name": "a",
        "schema": '{"type":"object","additionalProperties":false}',
    }


@pytest.mark.parametrize(
    ("model", "fields", "tools", "choice"),
    [
        (CLAUDE_3, {}, [ANSWER_TOOL], {"tool": {"name": ANSWER_TOOL}}),
        (MISTRAL, {}, [ANSWER_TOOL], {"any": {}}),
        (CLAUDE_3, {"tools": [TOOL]}, ["f", ANSWER_TOOL], {"any": {}}),
        (CLAUDE_3, {"tools": [TOOL], "tool_choice": "required"}, ["f", ANSWER_TOOL], {"any": {}}),
        (CLAUDE_3, {"tools": [TOOL], "tool_choice": NAMED}, ["f", ANSWER_TOOL], {"tool": {"name": "f"}}),
        (CLAUDE_3, {"tools": [TOOL], "tool_choice": "none"}, ["f", ANSWER_TOOL], {"tool": {"name": ANSWER_TOOL}}),
    ],
)
def test_a_model_that_keeps_to_no_schema_has_a_tool_that_takes_the_answer(
    model: str, fields: dict[str, Any], tools: list[str], choice: dict[str, Any]
) -> None:
    told = body(to=target(model), response_format=SCHEMA, **fields)
    assert [tool["toolSpec"]["name"] for tool in told["toolConfig"]["tools"]] == tools
    assert (told["toolConfig"]["toolChoice"], "outputConfig" in told) == (choice, False)


def test_the_tools_of_earlier_calls_stand_beside_the_one_that_takes_the_answer() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "x"}
    told = body(USER, CALLING, result, to=target(CLAUDE_3), response_format=SCHEMA)
    assert [tool["toolSpec"]["name"] for tool in told["toolConfig"]["tools"]] == ["f", ANSWER_TOOL]


def test_thinking_and_a_tool_that_must_be_used_are_refused_together() -> None:
    fault = refusal(to=target(CLAUDE_3_7), response_format=SCHEMA, reasoning_effort="low")
    assert (fault.param, fault.code) == ("reasoning_effort", "unsupported_parameter")
    assert "thinking" not in body(to=target(CLAUDE_3_7), response_format=SCHEMA, reasoning_effort="none")


def test_cache_hints_are_passed_over_where_the_model_keeps_nothing() -> None:
    hinted = {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}
    assert body(hinted, to=target(LLAMA)) == body(to=target(LLAMA))
    assert body({"role": "system", "content": [{"type": "text", "text": " ", "cache_control": {}}]}, USER) == body()


def test_who_asks_stands_in_the_invocation_log_unless_the_metadata_says_it() -> None:
    assert body(user="a@b.c", metadata={"a": "b"})["requestMetadata"] == {"user": "a@b.c", "a": "b"}
    assert body(user="u", metadata={"user": "v"})["requestMetadata"] == {"user": "v"}


def test_who_asks_must_fit_the_log() -> None:
    with pytest.raises(BadInput) as caught:
        body(user="{}")
    assert caught.value.param == "user"
