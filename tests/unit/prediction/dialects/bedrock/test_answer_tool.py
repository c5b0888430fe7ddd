"""An answer that keeps to a schema, of models that can only be made to use a tool for it."""

import json
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.request import to_request
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.routing.routes import Target

# Keeps to no schema by itself, and may think.
CLAUDE_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
MYTHOS = "anthropic.claude-mythos-1-v1:0"  # chooses itself how long to think
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "f"}}
NAMED = {"type": "function", "function": {"name": "f"}}


def body(*, model: str = CLAUDE_3_7, **fields: Any) -> dict[str, Any]:
    target = Target(dialect="bedrock", provider="bedrock", model=model, region="eu-west-1")
    told: dict[str, Any] = json.loads(msgspec.json.encode(to_request(ask(response_format=FORMAT, **fields), target)))
    return told


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, {"tool": {"name": ANSWER_TOOL}}),
        ({"tools": [TOOL], "tool_choice": "none"}, {"tool": {"name": ANSWER_TOOL}}),
        ({"tools": [TOOL]}, {"any": {}}),
        ({"tools": [TOOL], "tool_choice": "auto"}, {"any": {}}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"any": {}}),
        ({"tools": [TOOL], "tool_choice": NAMED}, {"tool": {"name": "f"}}),
    ],
)
def test_a_tool_that_takes_the_answer_must_be_used_or_the_callers_choice(fields: Any, choice: Any) -> None:
    config = body(**fields)["toolConfig"]
    assert config["tools"][-1]["toolSpec"]["name"] == ANSWER_TOOL
    assert config["tools"][-1]["toolSpec"]["inputSchema"] == {"json": SCHEMA}
    assert len(config["tools"]) == len(fields.get("tools", [])) + 1
    assert config["toolChoice"] == choice


@pytest.mark.parametrize("model", [CLAUDE_3_7, MYTHOS])
def test_who_thinks_cannot_be_made_to_use_a_tool(model: str) -> None:
    with pytest.raises(BadInput, match="cannot think and keep to a JSON schema at once") as caught:
        body(model=model, reasoning_effort="low")
    assert (caught.value.param, caught.value.code) == ("reasoning_effort", "unsupported_parameter")
    assert body(reasoning_effort="none")["toolConfig"]["toolChoice"] == {"tool": {"name": ANSWER_TOOL}}


def test_whoever_may_call_nothing_is_not_told_to_leave_the_answers_tool_alone() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    earlier = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    ]
    told = body(messages=earlier, tools=[TOOL], tool_choice="none")
    assert "system" not in told
    assert told["toolConfig"]["toolChoice"] == {"tool": {"name": ANSWER_TOOL}}
