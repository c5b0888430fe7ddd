"""What only some hosts have, through the SDKs: documents, names without a version, signatures, tiers, refusals."""

from typing import Any

import openai
import pytest

from tests.integration.surfaces.asking import ask
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.vendors.script import Reply, Text, refusal

both = pytest.mark.parametrize("stream", [False, True])
PDF: Any = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
SOUND: Any = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}


def user(*parts: Any) -> Any:
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *parts]}]


@pytest.mark.parametrize("model", ["mistral-small", "vertex_ai/codestral", "codestral-2", "vertex_ai/codestral@2405"])
def test_a_model_of_mistrals_answers_to_its_bare_name(door: Door, behind: Behind, model: str) -> None:
    assert door.sdk().chat.completions.create(**ask(model)).choices[0].message.content == "How are you?"
    [asked] = behind("mistral").requests
    served = {"mistral-small": "mistral-small-2503", "vertex_ai/codestral": "codestral-2"}
    assert f"/mistralai/models/{served.get(model, model.removeprefix('vertex_ai/'))}:" in asked.path


def test_a_bare_name_fills_in_the_middle_too(door: Door, behind: Behind) -> None:
    behind("codestral").answers(Text("a + b"))
    answer = door.sdk().completions.create(model="codestral-2", prompt="def add(a, b): return ", suffix="\n")
    assert answer.choices[0].text == "a + b"
    assert behind("codestral").bodies[-1]["model"] == "codestral-2"


@pytest.mark.parametrize("alias", ["mistral", "gemini", "anthropic", "bedrock", "openai"])
def test_a_document_arrives(door: Door, behind: Behind, alias: str) -> None:
    answer = door.sdk().chat.completions.create(model=alias, messages=user(PDF))
    assert answer.choices[0].finish_reason == "stop"
    assert b"JVBERg==" in behind(alias).requests[-1].raw


@pytest.mark.parametrize("alias", ["mistral", "gemini", "openai", "vllm"])
def test_a_sound_arrives(door: Door, behind: Behind, alias: str) -> None:
    door.sdk().chat.completions.create(model=alias, messages=user(SOUND))
    assert b"UklGRg==" in behind(alias).requests[-1].raw


@pytest.mark.parametrize(("alias", "part"), [("anthropic", SOUND), ("tgi", PDF), ("ollama", SOUND)])
def test_a_part_that_a_host_has_not_is_named(door: Door, alias: str, part: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        door.sdk().chat.completions.create(model=alias, messages=user(part))
    assert str(caught.value.param).startswith("messages[0].content[1]")


@pytest.mark.parametrize("alias", ["mistral", "openai", "vllm", "gemini", "anthropic", "bedrock"])
def test_an_answer_goes_back_as_the_sdk_has_it(door: Door, behind: Behind, alias: str) -> None:
    """The SDK writes the nulls of what was absent, which not every host takes."""
    behind(alias).answers(Text("A cat."), Text("A dog."))
    messages: list[Any] = user()
    for said in ("A cat.", "A dog."):
        message = door.sdk().chat.completions.create(model=alias, messages=messages).choices[0].message
        assert message.content == said
        messages += [message, {"role": "user", "content": "And what else?"}]


@both
def test_a_texts_signature_goes_out_and_comes_back(door: Door, behind: Behind, *, stream: bool) -> None:
    signature = Reply().signature
    behind("gemini").answers(Text("Four."), Text("Six."))
    answer: Any = door.sdk().chat.completions.create(**ask("gemini"), stream=stream)
    if stream:
        deltas = [choice.delta for chunk in answer for choice in chunk.choices]
        [extra] = [delta.extra_content for delta in deltas if getattr(delta, "extra_content", None)]
    else:
        extra = answer.choices[0].message.extra_content
    assert extra == {"google": {"thought_signature": signature}}
    said: Any = {"role": "assistant", "content": "Four.", "extra_content": extra}
    door.sdk().chat.completions.create(model="gemini", messages=[*user(), said, *user()])
    assert behind("gemini").bodies[-1]["contents"][1]["parts"][-1]["thoughtSignature"] == signature


def test_bedrock_gets_its_guardrail_and_its_tier(door: Door, behind: Behind) -> None:
    guard = {"guardrailIdentifier": "abc", "guardrailVersion": "1"}
    tier: Any = "flex"
    door.sdk().chat.completions.create(**ask("bedrock"), service_tier=tier, extra_body={"guardrailConfig": guard})
    body = behind("bedrock").bodies[-1]
    assert (body["guardrailConfig"], body["serviceTier"]) == (guard, {"type": "flex"})
    with pytest.raises(openai.BadRequestError) as caught:
        door.sdk().chat.completions.create(**ask("gemini"), extra_body={"guardrailConfig": guard})
    assert caught.value.param == "guardrailConfig"


@both
def test_a_container_that_gives_one_answer_is_asked_for_each(door: Door, behind: Behind, *, stream: bool) -> None:
    answer: Any = door.sdk().chat.completions.create(**ask("container"), n=3, stream=stream)
    ends = [choice for part in (answer if stream else [answer]) for choice in part.choices if choice.finish_reason]
    assert sorted(choice.index for choice in ends) == [0, 1, 2]
    assert len(behind("container").requests) == 3


@both
@pytest.mark.parametrize("alias", ["openai", "azure"])
def test_a_refusal_in_the_models_words_stays_one(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(refusal("I will not."))
    answer: Any = door.sdk().chat.completions.create(**ask(alias), stream=stream)
    if stream:
        pieces = [choice.delta.refusal or "" for chunk in answer for choice in chunk.choices]
        assert "".join(pieces) == "I will not."
    else:
        assert (answer.choices[0].message.refusal, answer.choices[0].message.content) == ("I will not.", None)


@both
def test_anthropics_clients_read_a_refusal_as_text(door: Door, behind: Behind, *, stream: bool) -> None:
    behind("openai").answers(refusal("I will not."))
    asked: Any = {"model": "openai", "max_tokens": 99, "messages": [{"role": "user", "content": "?"}]}
    if stream:
        with door.claude().messages.stream(**asked) as events:
            message: Any = events.get_final_message()
    else:
        message = door.claude().messages.create(**asked)
    assert [block.text for block in message.content] == ["I will not."]
