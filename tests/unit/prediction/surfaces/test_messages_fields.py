"""Nothing of Anthropic's API is dropped in silence: every field, block and tool of its SDK, for every other dialect."""

import json
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from anthropic.types import (
    CacheControlEphemeralParam,
    ContentBlockParam,
    OutputConfigParam,
    ThinkingConfigParam,
    ToolChoiceParam,
    ToolParam,
    ToolUnionParam,
)
from anthropic.types.beta.message_create_params import MessageCreateParamsBase as BetaParams
from anthropic.types.message_create_params import MessageCreateParamsBase as Params

from tuneway.errors import BadInput
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.hub.fit import hints_in
from tuneway.prediction.surfaces.messages.chat import refuse_foreign, to_chat
from tuneway.prediction.surfaces.messages.request import decode_messages_request
from tuneway.routing.routes import Dialect, Target

VERTEX = "projects/p/locations/us-central1"
TARGETS: dict[Dialect, Target] = {
    "gemini": Target(resource=f"{VERTEX}/publishers/google/models/gemini-3.5-flash"),
    "bedrock": Target(dialect="bedrock", provider="bedrock", model="anthropic.claude-sonnet-4-6-v1:0"),
    "instances": Target(resource=f"{VERTEX}/endpoints/1", dialect="instances"),
    "openai": Target(dialect="openai", provider="openai", model="gpt-4.1"),
}
HI = {"role": "user", "content": "Hi"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
# What asks for something by each field that every model may have; those sampling parameters the SDK no longer has.
SAID: dict[str, Any] = {
    "max_tokens": 77,
    "messages": [{"role": "user", "content": "Ho"}],
    "output_config": {"effort": "high"},
    "stop_sequences": ["x"],
    "system": "Be brief.",
    "temperature": 0.5,
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "tool_choice": {"type": "any"},
    "tools": [TOOL],
    "top_k": 3,
    "top_p": 0.5,
}
HINTS: dict[str, Any] = {
    "cache_control": {"type": "ephemeral"},
    "metadata": {"user_id": "u"},
    "service_tier": "standard_only",
}
CLAUDES_ALONE: dict[str, Any] = {
    "billing_policy": "x",
    "compaction": {"type": "x"},
    "container": "c",
    "context_management": {"edits": []},
    "diagnostics": {"on": True},
    "fallback_credit_token": "t",
    "fallbacks": [{"model": "m"}],
    "inference_geo": "us",
    "mcp_servers": [{"type": "url", "url": "https://h", "name": "n"}],
    "speed": "fast",
    "thread": "t",
    "user_profile_id": "u",
    "workspace_id": "w",
}
ELSEWHERE = {"betas", "model"}  # a header, and the route's to find
BESIDE: dict[str, Any] = {"tool_choice": {"tools": [TOOL]}, "thinking": {"max_tokens": 9000}}
REFUSED: dict[Dialect, dict[str, str]] = {
    "instances": {
        "tools": "tools",
        "tool_choice": "tool_choice",
        "thinking": "thinking",
        "output_config": "output_config",
    },
    "openai": {},
    "gemini": {},
    "bedrock": {},
}
BLOCKS = {"text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use", "tool_result"}


def told(dialect: Dialect, **fields: Any) -> tuple[Any, tuple[str, ...]]:
    body = {"model": "m", "max_tokens": 50, "messages": [HI], **fields}
    target = TARGETS[dialect]
    chat = to_chat(decode_messages_request(json.dumps(body).encode()))
    if dialect == "openai":
        refuse_foreign(chat, target)
    sent = json.loads(msgspec.json.encode(DIALECTS[dialect].to_request(chat, target)))
    return sent, hints_in(chat, DIALECTS[dialect].hints)


def fate(dialect: Dialect, name: str, value: Any) -> str:
    beside = BESIDE.get(name, {})
    try:
        sent, hints = told(dialect, **{**beside, name: value})
    except BadInput as fault:
        return f"refused as {fault.param}"
    if name in hints:
        return "hint"
    return "said" if sent != told(dialect, **beside)[0] else "lost"


def kind_of(param: Any) -> str:
    return str(get_args(get_type_hints(param)["type"])[0])


def test_every_field_of_the_sdk_is_decided_here() -> None:
    of_the_sdk = {*get_type_hints(Params), *get_type_hints(BetaParams)}
    no_longer = {"temperature", "top_k", "top_p"}
    assert of_the_sdk | no_longer == {*SAID, *HINTS, *CLAUDES_ALONE, *ELSEWHERE}


@pytest.mark.parametrize("name", sorted(SAID))
@pytest.mark.parametrize("dialect", sorted(TARGETS))
def test_what_every_model_may_have_is_said_or_refused_by_the_callers_own_name(dialect: Dialect, name: str) -> None:
    refused = REFUSED[dialect].get(name)
    assert fate(dialect, name, SAID[name]) == (f"refused as {refused}" if refused else "said")


@pytest.mark.parametrize("name", sorted(HINTS))
@pytest.mark.parametrize("dialect", sorted(TARGETS))
def test_what_changes_no_answer_is_said_or_told_of(dialect: Dialect, name: str) -> None:
    assert fate(dialect, name, HINTS[name]) == ("said" if (dialect, name) == ("openai", "metadata") else "hint")


@pytest.mark.parametrize("name", sorted(CLAUDES_ALONE))
@pytest.mark.parametrize("dialect", sorted(TARGETS))
def test_what_claude_alone_has_is_refused_by_name(dialect: Dialect, name: str) -> None:
    assert fate(dialect, name, CLAUDES_ALONE[name]) == f"refused as {name}"


def test_every_block_of_the_sdk_is_told_or_refused_by_its_type() -> None:
    kinds = {kind_of(block) for block in get_args(ContentBlockParam)}
    assert kinds >= BLOCKS
    for kind in sorted(kinds - BLOCKS):
        for role in ("user", "assistant"):
            with pytest.raises(BadInput) as caught:
                told("gemini", messages=[{"role": role, "content": [{"type": kind}]}])
            assert caught.value.param == "messages[0].content[0].type"


def test_every_tool_of_anthropics_own_is_refused_by_its_type() -> None:
    own = [tool for tool in get_args(ToolUnionParam) if tool is not ToolParam]
    assert own
    for tool in own:
        with pytest.raises(BadInput) as caught:
            told("gemini", tools=[TOOL, {"type": kind_of(tool), "name": "x"}])
        assert caught.value.param == "tools[1].type"


# What asks for something by each field of a tool, and what becomes of it.
OF_A_TOOL: dict[str, tuple[Any, str]] = {
    "allowed_callers": (["code_execution_20260521"], "refused as tools[0].allowed_callers[0]"),
    "cache_control": ({"type": "ephemeral"}, "lost"),  # the hint travels on to hosts that keep prompts by it
    "defer_loading": (True, "refused as tools[0].defer_loading"),
    "description": ("What it does.", "said"),
    "eager_input_streaming": (True, "lost"),  # how its input is streamed, not what
    "input_examples": ([{"a": 1}], "refused as tools[0].input_examples"),
    "input_schema": ({"type": "object", "properties": {"a": {}}}, "said"),
    "name": ("g", "said"),
    "strict": (True, "said"),
    "type": ("custom", "lost"),  # what it is anyway
}


def fate_of_a_tool(**fields: Any) -> str:
    try:
        sent, _ = told("gemini", tools=[{**TOOL, **fields}])
    except BadInput as fault:
        return f"refused as {fault.param}"
    return "said" if sent != told("gemini", tools=[TOOL])[0] else "lost"


def test_every_field_of_a_tool_is_decided() -> None:
    assert set(get_type_hints(ToolParam)) == set(OF_A_TOOL)
    fates = {name: fate_of_a_tool(**{name: value}) for name, (value, _) in OF_A_TOOL.items()}
    assert fates == {name: expected for name, (_, expected) in OF_A_TOOL.items()}


@pytest.mark.parametrize("choice", [kind_of(one) for one in get_args(ToolChoiceParam)])
def test_every_choice_of_a_tool_is_said(choice: str) -> None:
    named = {"name": "f"} if choice == "tool" else {}
    assert "toolConfig" in told("gemini", tools=[TOOL], tool_choice={"type": choice, **named})[0]


@pytest.mark.parametrize("kind", [kind_of(one) for one in get_args(ThinkingConfigParam)])
def test_every_way_to_think_is_said(kind: str) -> None:
    budget = {"budget_tokens": 2000} if kind == "enabled" else {}
    sent, _ = told("gemini", max_tokens=9000, thinking={"type": kind, **budget})
    assert "thinkingConfig" in sent["generationConfig"]


def test_every_field_of_the_output_and_of_the_hint_is_known() -> None:
    assert set(get_type_hints(OutputConfigParam)) == {"effort", "format"}
    assert set(get_type_hints(CacheControlEphemeralParam)) == {"type", "ttl"}
