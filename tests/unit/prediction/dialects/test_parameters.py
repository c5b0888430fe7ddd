"""Nothing is dropped in silence: every field of OpenAI's chat request, for every dialect."""

import json
from typing import Any

import msgspec
import pytest

from tests.golden.openai_document import DOCUMENT
from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.hub.fit import HARMLESS
from tuneway.routing.routes import Dialect, Target

TOOL = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
# What asks for something by each field, and what must stand beside it.
ASKED: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 1,
    "function_call": {"name": "f"},
    "functions": [{"name": "f"}],
    "logit_bias": {"1": 5},
    "logprobs": True,
    "max_completion_tokens": 2000,
    "max_tokens": 2000,
    "metadata": {"a": "b"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "x"},
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 1,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "x"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": SCHEMA,
    "safety_identifier": "s",
    "seed": 7,
    "service_tier": "flex",
    "stop": "x",
    "store": True,
    "temperature": 0.5,
    "tool_choice": "required",
    "tools": [TOOL],
    "top_logprobs": 3,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {},
}
BESIDE: dict[str, Any] = {
    "tool_choice": {"tools": [TOOL]},
    "parallel_tool_calls": {"tools": [TOOL]},
    "top_logprobs": {"logprobs": True},
}
# Not the dialect's to say: the route finds the model, the URL asks for a stream, the journey asks several times, and
# what a stream holds besides is done by whoever tells it.
ELSEWHERE = {"model", "messages", "stream", "stream_options", "n"}
TARGETS: dict[Dialect, Target] = {
    "gemini": Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash"),
    "anthropic": Target(dialect="anthropic", provider="anthropic", model="claude-opus-4-6"),
    "bedrock": Target(
        dialect="bedrock", provider="bedrock", model="anthropic.claude-opus-4-6-v1:0", region="eu-west-1"
    ),
    "instances": Target(resource="projects/p/locations/us-central1/endpoints/1", dialect="instances"),
    "openai": Target(dialect="openai", provider="openai", model="gpt-4.1"),
}
REFUSED: dict[Dialect, set[str]] = {
    dialect: {"audio", "function_call", "functions", "logit_bias", "modalities", "moderation", "parallel_tool_calls"}
    | {"prediction", "store", "verbosity", "web_search_options"}
    for dialect in ("gemini", "anthropic", "bedrock", "instances")
}
REFUSED["openai"] = set()
REFUSED["gemini"] |= {"service_tier"}
REFUSED["anthropic"] |= {"frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed", "service_tier"}
REFUSED["anthropic"] -= {"parallel_tool_calls"}
REFUSED["bedrock"] |= {"frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed"}
REFUSED["instances"] |= {"logprobs", "top_logprobs", "reasoning_effort", "response_format", "service_tier"}
REFUSED["instances"] |= {"tools", "tool_choice"}


def fields_of_openai() -> set[str]:
    schemas = json.loads(DOCUMENT.read_bytes())["components"]["schemas"]
    return set(_properties({"$ref": "#/components/schemas/CreateChatCompletionRequest"}, schemas))


def _properties(schema: Any, schemas: Any) -> dict[str, Any]:
    if "$ref" in schema:
        return _properties(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= _properties(part, schemas)
    return found


def told(dialect: Dialect, **fields: Any) -> Any:
    return json.loads(msgspec.json.encode(DIALECTS[dialect].to_request(ask(**fields), TARGETS[dialect])))


def fate(dialect: Dialect, name: str) -> str:
    beside = BESIDE.get(name, {}) if name not in REFUSED[dialect] else {}
    try:
        body = told(dialect, **{**beside, name: ASKED[name]})
    except BadInput as fault:
        return f"refused as {fault.param}: {fault.code}"
    if body != told(dialect, **beside):
        return "mapped"
    return "hint" if name in DIALECTS[dialect].hints else "lost"


def test_every_field_of_openais_document_is_asked_for_here() -> None:
    assert fields_of_openai() == {*ASKED, *ELSEWHERE}


@pytest.mark.parametrize("name", sorted(ASKED))
@pytest.mark.parametrize("dialect", sorted(TARGETS))
def test_every_field_is_said_or_refused_by_name_or_a_documented_hint(dialect: Dialect, name: str) -> None:
    refused = f"refused as {name}: unsupported_parameter"
    expected = refused if name in REFUSED[dialect] else "hint" if name in DIALECTS[dialect].hints else "mapped"
    if (dialect, name) == ("anthropic", "metadata"):
        assert told(dialect, metadata={"user_id": "u"})["metadata"] == {"user_id": "u"}
    assert fate(dialect, name) == expected


@pytest.mark.parametrize("dialect", sorted(TARGETS))
def test_a_hint_is_never_what_changes_an_answer(dialect: Dialect) -> None:
    assert not set(DIALECTS[dialect].hints) & {*HARMLESS, *REFUSED[dialect]}
