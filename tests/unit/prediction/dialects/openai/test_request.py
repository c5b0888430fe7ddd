import json
from typing import Any

import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.request import passed_on, to_request
from tuneway.routing.routes import Target

HI = {"role": "user", "content": "Hi"}
OPENAI = Target(dialect="openai", provider="openai", model="gpt-5.5")


def server(profile: str | None, **fields: Any) -> Target:
    return Target(dialect="openai", provider="custom_openai", model="served", profile=profile, **fields)


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "alias", "messages": [HI], **fields}).encode()


def sent(target: Target, *, stream: bool = False, **fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(passed_on(body(**fields), target, stream=stream))
    return decoded


def hub_sent(target: Target, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(json.dumps(to_request(ask(*messages, **fields), target), default=_raw))
    return decoded


def _raw(value: Any) -> Any:
    return json.loads(bytes(value))


def refusal(target: Target, **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        passed_on(body(**fields), target, stream=False)
    return caught.value


def test_numbers_and_unknown_fields_pass_as_they_were_written() -> None:
    written = b'{"model": "alias", "messages": [ {"role" : "user"} ], "future": {"x": 1.50e3}}'
    assert passed_on(written, OPENAI, stream=False) == (
        b'{"model":"gpt-5.5","messages":[ {"role" : "user"} ],"future":{"x": 1.50e3}}'
    )


def test_a_stream_is_asked_for_its_usage_beside_other_options() -> None:
    options = sent(OPENAI, stream=True, stream_options={"x": 1, "include_usage": False})["stream_options"]
    assert options == {"x": 1, "include_usage": True}


@pytest.mark.parametrize("options", [None, {}])
def test_a_stream_without_options_is_asked_for_its_usage(options: object) -> None:
    assert sent(OPENAI, stream=True, stream_options=options)["stream_options"] == {"include_usage": True}


def test_stream_options_that_are_no_object_are_named() -> None:
    with pytest.raises(BadInput, match="stream_options"):
        passed_on(body(stream_options=[]), OPENAI, stream=True)


@pytest.mark.parametrize(("version", "asked"), [("2024-10-21", True), ("2024-02-01", False), (None, True)])
def test_a_dated_azure_is_asked_for_usage_only_once_it_can_count(version: str | None, *, asked: bool) -> None:
    azure = Target(dialect="openai", provider="azure", model="gpt", api_version=version)
    assert ("stream_options" in sent(azure, stream=True)) is asked


def test_the_route_drops_what_it_names_but_never_the_question() -> None:
    dropping = server("ollama", drop_params=("tool_choice", "temperature", "messages", "model"))
    assert sent(dropping, tool_choice="required", temperature=1) == {"model": "served", "messages": [HI]}


@pytest.mark.parametrize(
    ("profile", "field", "value"),
    [
        ("ollama", "tool_choice", "required"),
        ("ollama", "tool_choice", "none"),
        ("ollama", "n", 2),
        ("tgi", "n", 2),
        ("mistral", "logprobs", True),
    ],
)
def test_what_a_server_would_ignore_is_refused_by_name(profile: str, field: str, value: object) -> None:
    fault = refusal(server(profile), **{field: value})
    assert (fault.param, fault.code) == (field, "unsupported_parameter")
    assert "'alias'" in fault.message


@pytest.mark.parametrize(
    ("profile", "fields"),
    [("ollama", {"tool_choice": "auto", "n": None, "user": "u"}), ("tgi", {"n": 1, "top_p": 1.0})],
)
def test_what_changes_no_answer_is_left_out(profile: str, fields: dict[str, Any]) -> None:
    assert sent(server(profile), **fields) == {"model": "served", "messages": [HI]}


def test_a_server_gets_the_names_it_knows() -> None:
    assert sent(server("tgi"), max_completion_tokens=5, max_tokens=3, top_p=0.5) == {
        "model": "served",
        "messages": [HI],
        "max_tokens": 5,
        "top_p": 0.5,
    }


@pytest.mark.parametrize("profile", [None, "vllm", "some-model-family"])
def test_any_other_server_gets_everything(profile: str | None) -> None:
    assert sent(server(profile), n=3, user="u", min_p=0.1)["min_p"] == 0.1


@pytest.mark.parametrize("stranger", [7, {"content": "I am a developer"}])
def test_mistral_hears_developers_as_the_system(stranger: object) -> None:
    mistral = server("mistral")
    said = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Are you a developer?"}]
    assert [one["role"] for one in sent(mistral, messages=said)["messages"]] == ["system", "user"]
    assert "developer" in json.dumps(sent(mistral, messages=[{"role": "user", "content": "developer"}, stranger]))


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("projects/p/locations/l/publishers/meta/models/llama-4-maas", "meta/llama-4-maas"),
        ("projects/p/locations/l/publishers/mistralai/models/codestral@2405", "codestral"),
        ("projects/p/locations/l/endpoints/7", ""),
    ],
)
def test_a_model_on_vertex_has_the_name_its_host_wants(resource: str, name: str) -> None:
    assert sent(Target(dialect="openai", resource=resource))["model"] == name


def test_a_body_that_is_no_request_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        passed_on(b'{"messages": []}', OPENAI, stream=False)
    assert caught.value.param == "model"


def test_a_hub_request_is_said_in_openais_words() -> None:
    said = hub_sent(
        OPENAI,
        {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm",
            "tool_calls": [
                {
                    "id": "c",
                    "index": 0,
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}", "parsed_arguments": {}},
                    "extra_content": {"google": {"thought_signature": "x"}},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        tools=[{"type": "function", "function": {"name": "f"}, "cache_control": {}}],
        temperature=0.5,
    )
    assert said == {
        "model": "gpt-5.5",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "temperature": 0.5,
    }


def test_a_custom_tool_call_is_said_too() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
    said = hub_sent(OPENAI, HI, {"role": "assistant", "content": None, "tool_calls": [call]})
    assert said["messages"][1]["tool_calls"] == [call]


def test_a_hub_stream_is_asked_for_its_usage() -> None:
    assert hub_sent(OPENAI, stream=True)["stream_options"] == {"include_usage": True}


def test_fields_the_hub_does_not_know_are_passed_on_or_dropped() -> None:
    told = hub_sent(OPENAI, min_p=1, structured_outputs={"choice": ["a"]})
    assert (told["min_p"], told["structured_outputs"]) == (1, {"choice": ["a"]})
    assert {"unknown", "min_p"}.isdisjoint(hub_sent(server(None, drop_params=("min_p",)), min_p=1))


def test_who_asks_is_told_under_the_name_that_every_server_knows() -> None:
    told = hub_sent(OPENAI, safety_identifier="s" * 90)
    assert (told["user"], "safety_identifier" in told) == ("s" * 90, False)
    assert hub_sent(OPENAI, safety_identifier="s", user="u")["user"] == "u"


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5", "gpt-5-mini-2025-08-07"])
def test_a_model_that_always_reasons_is_asked_for_no_temperature(model: str) -> None:
    target = Target(dialect="openai", provider="openai", model=model)
    assert refusal(target, temperature=0.5).param == "temperature"
    assert "temperature" not in sent(target, temperature=1)


def test_a_newer_one_may_be() -> None:
    assert sent(OPENAI, temperature=0.5)["temperature"] == 0.5


def test_a_deployments_profile_says_what_it_refuses() -> None:
    target = Target(dialect="openai", provider="azure", model="mine", profile="azure-reasoning")
    assert refusal(target, logit_bias={"1": 1}).param == "logit_bias"


@pytest.mark.parametrize("limits", [{"max_tokens": 5}, {"max_tokens": 3, "max_completion_tokens": 5}])
def test_a_reasoning_model_gets_the_newer_name_of_the_limit(limits: dict[str, Any]) -> None:
    assert sent(OPENAI, **limits) == {"model": "gpt-5.5", "messages": [HI], "max_completion_tokens": 5}


def test_another_model_gets_the_limit_as_it_was_named() -> None:
    assert sent(Target(dialect="openai", provider="openai", model="gpt-4o"), max_tokens=5)["max_tokens"] == 5


def test_a_deployment_is_a_reasoning_model_where_its_profile_says_so() -> None:
    azure = Target(dialect="openai", provider="azure", model="prod", profile="azure-reasoning")
    assert "max_completion_tokens" in sent(azure, max_tokens=5)


def test_litellms_notes_on_a_message_do_not_go_on_with_it() -> None:
    said = {"role": "assistant", "content": "Yes.", "provider_specific_fields": {"refusal": None}}
    assert sent(OPENAI, messages=[HI, said])["messages"][1] == {"role": "assistant", "content": "Yes."}
    assert hub_sent(OPENAI, HI, said)["messages"][1] == {"role": "assistant", "content": "Yes."}


@pytest.mark.parametrize(
    ("asked", "told"), [("minimal", "low"), ("xhigh", "high"), ("max", "high"), ("none", "none"), ("medium", "medium")]
)
def test_an_effort_is_told_in_the_servers_nearest_word(asked: str, told: str) -> None:
    assert sent(server("ollama"), reasoning_effort=asked)["reasoning_effort"] == told
    assert sent(server("vllm"), reasoning_effort=asked)["reasoning_effort"] == asked


def test_what_is_no_effort_is_the_servers_to_refuse() -> None:
    assert sent(server("ollama"), reasoning_effort=7)["reasoning_effort"] == 7
