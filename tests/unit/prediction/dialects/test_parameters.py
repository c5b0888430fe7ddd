"""Nothing is dropped in silence: every field of OpenAI's chat request, for every dialect."""

import json
from typing import Any, get_type_hints

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from tests.golden.openai_document import DOCUMENT
from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.dialects.openai.servers import server_of
from tuneway.prediction.hub.fit import HARMLESS
from tuneway.routing.routes import Dialect, Target

TOOL = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
# What asks for something by each field, and what must stand beside it.
ASKED: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 1,
    "function_call": {"name": "f"},
    "functions": [{"name": "f", "description": "older"}],
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
    "function_call": {"functions": [{"name": "f"}]},
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
    dialect: {"audio", "logit_bias", "modalities", "moderation", "parallel_tool_calls"}
    | {"prediction", "store", "verbosity", "web_search_options"}
    for dialect in ("gemini", "anthropic", "bedrock", "instances")
}
REFUSED["openai"] = set()
REFUSED["gemini"] |= {"service_tier"}
REFUSED["anthropic"] |= {"frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed", "service_tier"}
REFUSED["anthropic"] -= {"parallel_tool_calls"}
REFUSED["bedrock"] |= {"frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed"}
REFUSED["instances"] |= {"logprobs", "top_logprobs", "reasoning_effort", "response_format", "service_tier"}
REFUSED["instances"] |= {"tools", "tool_choice", "functions", "function_call"}


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
    beside = BESIDE.get(name, {}) if name == "function_call" or name not in REFUSED[dialect] else {}
    try:
        body = told(dialect, **{**beside, name: ASKED[name]})
    except BadInput as fault:
        return f"refused as {fault.param}: {fault.code}"
    if body != told(dialect, **beside):
        return "mapped"
    return "hint" if name in DIALECTS[dialect].hints else "lost"


def test_every_field_of_openais_document_and_of_its_sdk_is_asked_for_here() -> None:
    of_the_sdk = get_type_hints(CompletionCreateParamsStreaming)
    assert fields_of_openai() | {*of_the_sdk} == {*ASKED, *ELSEWHERE}


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


# Servers that are sent the caller's own body: what each would ignore is refused, what changes no answer left out.
SERVERS = {
    "mistral": Target(
        dialect="openai", resource="projects/p/locations/us-central1/publishers/mistralai/models/mistral-medium-3"
    ),
    **{
        name: Target(dialect="openai", provider="custom_openai", model="m", profile=name)
        for name in ("vllm", "sglang", "tgi", "ollama", "llama.cpp", "lm-studio")
    },
}
NOT_PASSED: dict[str, set[str]] = {
    "mistral": {"audio", "functions", "function_call", "logit_bias", "logprobs", "top_logprobs", "modalities"}
    | {"moderation", "service_tier", "store", "verbosity", "web_search_options"},
    "tgi": {"reasoning_effort", "logit_bias", "parallel_tool_calls", "verbosity"},
    "ollama": {"tool_choice", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls"},
}
LEFT_OUT: dict[str, set[str]] = {
    "mistral": {"user", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"},
    "ollama": {"user"},
}


def fate_when_passed(server: str, name: str) -> str:
    beside = {} if name in NOT_PASSED.get(server, ()) else BESIDE.get(name, {})
    asked, plain = ({"model": "m", "messages": [], **more} for more in ({**beside, name: ASKED[name]}, beside))
    try:
        body = passed_on(json.dumps(asked).encode(), SERVERS[server], stream=False)
    except BadInput as fault:
        return f"refused as {fault.param}"
    same = body == passed_on(json.dumps(plain).encode(), SERVERS[server], stream=False)
    return "left out" if same else "passed"


@pytest.mark.parametrize("name", sorted(ASKED))
@pytest.mark.parametrize("server", sorted(SERVERS))
def test_every_field_is_passed_to_a_server_or_refused_by_name_or_a_documented_hint(server: str, name: str) -> None:
    refused, left_out = name in NOT_PASSED.get(server, ()), name in LEFT_OUT.get(server, ())
    expected = f"refused as {name}" if refused else "left out" if left_out else "passed"
    assert fate_when_passed(server, name) == expected
    assert not left_out or name in server_of(SERVERS[server]).hints
