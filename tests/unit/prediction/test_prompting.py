"""A caller's words in a route's prompts: around instructions, the user's last words, and completions."""

import json
from typing import Any

import pytest

from tuneway.prediction.prompting import chat_prompted, completion_prompted, messages_prompted
from tuneway.routing.routes import Prompt

HELLO = {"role": "user", "content": "Hello"}
BRIEF = {"role": "system", "content": "Be brief."}


def chat(prompt: Prompt, *messages: object, **more: object) -> Any:
    return json.loads(chat_prompted(json.dumps({"model": "m", "messages": messages, **more}).encode(), prompt))


def messages(prompt: Prompt, *turns: object, **more: object) -> Any:
    return json.loads(messages_prompted(json.dumps({"model": "m", "messages": turns, **more}).encode(), prompt))


def completion(template: str, **fields: object) -> Any:
    body = json.dumps({"model": "m", **fields}).encode()
    return json.loads(completion_prompted(body, Prompt(completion=template)))


def test_a_system_prompt_comes_first() -> None:
    told = chat(Prompt(system="You are a lawyer."), HELLO)
    assert told["messages"] == [{"role": "system", "content": "You are a lawyer."}, HELLO]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_callers_own_instructions_follow_it(role: str) -> None:
    told = chat(Prompt(system="You are a lawyer."), {**BRIEF, "role": role}, HELLO)
    assert told["messages"][0] == {"role": role, "content": "You are a lawyer.\n\nBe brief."}


def test_or_they_stand_where_the_template_wants_them() -> None:
    prompt = Prompt(system="<rules>{{system}}</rules> Obey.")
    assert chat(prompt, BRIEF, HELLO)["messages"][0]["content"] == "<rules>Be brief.</rules> Obey."
    assert chat(prompt, HELLO)["messages"][0]["content"] == "<rules></rules> Obey."


def test_instructions_in_parts_stay_parts() -> None:
    parts = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    told = chat(Prompt(system="First. {{system}} Last."), {"role": "system", "content": parts}, HELLO)
    assert told["messages"][0]["content"] == [
        {"type": "text", "text": "First."},
        *parts,
        {"type": "text", "text": "Last."},
    ]


def test_the_users_last_words_stand_in_the_template() -> None:
    told = chat(
        Prompt(user="<q>{{input}}</q>"), HELLO, {"role": "assistant", "content": "Hi"}, {**HELLO, "content": "Why?"}
    )
    assert [turn["content"] for turn in told["messages"]] == ["Hello", "Hi", "<q>Why?</q>"]


def test_a_tools_result_is_no_word_of_the_user() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": "4"}
    assert chat(Prompt(user="<q>{{input}}</q>"), HELLO, result)["messages"] == [
        {**HELLO, "content": "<q>Hello</q>"},
        result,
    ]


def test_of_several_parts_the_last_text_is_meant() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    content = [{"type": "text", "text": "See"}, {"type": "text", "text": "what?"}, picture]
    told = chat(Prompt(user="Q: {{input}}"), {"role": "user", "content": content})
    assert told["messages"][0]["content"] == [content[0], {"type": "text", "text": "Q: what?"}, picture]


def test_what_a_caller_writes_is_no_template() -> None:
    told = chat(
        Prompt(system="S {{system}}", user="U {{input}}"),
        {**BRIEF, "content": "{{input}}"},
        {**HELLO, "content": "{{system}} {{input}}"},
    )
    assert [turn["content"] for turn in told["messages"]] == ["S {{input}}", "U {{system}} {{input}}"]


def test_everything_else_stays_as_it_came() -> None:
    more = {"tools": [{"type": "function"}], "seed": 7, "own_field": {"a": [1, None]}}
    told = chat(Prompt(system="S"), HELLO, **more)
    assert {name: told[name] for name in more} == more


def test_anthropics_system_is_a_field_of_its_own() -> None:
    assert messages(Prompt(system="S"), HELLO)["system"] == "S"
    assert messages(Prompt(system="S"), HELLO, system="Be brief.")["system"] == "S\n\nBe brief."
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert messages(Prompt(system="S"), HELLO, system=blocks)["system"] == [{"type": "text", "text": "S"}, *blocks]
    assert "system" not in messages(Prompt(user="{{input}}!"), HELLO)


def test_anthropics_tool_results_are_passed_over() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "4"}]}
    told = messages(Prompt(user="{{input}}!"), HELLO, {"role": "assistant", "content": "Hi"}, result)
    assert (told["messages"][0]["content"], told["messages"][2]) == ("Hello!", result)


def test_a_completion_stands_in_its_template() -> None:
    assert completion("[INST] {{prompt}} [/INST]", prompt="def f")["prompt"] == "[INST] def f [/INST]"
    assert completion("# {{prompt}}", prompt=["a", "b"])["prompt"] == ["# a", "# b"]
    assert completion("# {{prompt}}", prompt=[1, 2])["prompt"] == [1, 2]


def test_a_template_with_a_suffix_fills_the_middle_itself() -> None:
    told = completion("<PRE> {{prompt}} <SUF>{{suffix}} <MID>", prompt="a", suffix="b")
    assert (told["prompt"], "suffix" in told) == ("<PRE> a <SUF>b <MID>", False)
    assert completion("{{prompt}}", prompt="a", suffix="b")["suffix"] == "b"


@pytest.mark.parametrize("put", [chat_prompted, messages_prompted, completion_prompted])
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": 3}', b'{"messages": ["x"]}', b"\xff", b"{}"])
def test_a_body_that_is_none_is_left_for_its_reader(put: Any, body: bytes) -> None:
    assert put(body, Prompt(system="S", user="{{input}}", completion="{{prompt}}")) == body
