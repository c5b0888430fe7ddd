import json
from typing import Any

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.fan_out import sum_of
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    Usage,
)
from tuneway.prediction.surfaces.completions.passing import passed_on_completion, to_fim_request, way_to
from tuneway.prediction.surfaces.completions.request import (
    CompletionRequest,
    completion_to_chats,
    decode_completion_request,
    prompts_of,
)
from tuneway.prediction.surfaces.completions.response import ChunkTeller, chat_to_completion
from tuneway.prediction.surfaces.completions.templates import TEMPLATES, template_of
from tuneway.routing.routes import Target

GEMINI = Target(resource="projects/p/locations/l/endpoints/1")
CODESTRAL = Target(dialect="openai", resource="projects/p/locations/l/publishers/mistralai/models/codestral@2405")
MISTRAL = Target(dialect="openai", resource="projects/p/locations/l/publishers/mistralai/models/mistral-medium-3")
USAGE = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
GUESS = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3, estimated=True)


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "prompt": "p", **fields}).encode()


def ask(**fields: Any) -> CompletionRequest:
    return decode_completion_request(body(**fields))


def fault(raw: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        decode_completion_request(raw)
    return caught.value


def refusal(target: Target, **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        completion_to_chats(ask(**fields), target)
    return caught.value


def vllm(model: str, **fields: Any) -> Target:
    return Target(dialect="openai", provider="custom_openai", profile="vllm", model=model, **fields)


def passed(target: Target, **fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(passed_on_completion(body(**fields), target, stream=False))
    return decoded


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"prompt": None}, "prompt", "invalid_type"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["a", 1]}, "prompt", "invalid_type"),
        ({"prompt": [[1], [2.5]]}, "prompt[1][0]", "invalid_type"),
        ({"max_tokens": -1}, "max_tokens", "invalid_value"),
        ({"logprobs": 6}, "logprobs", "invalid_value"),
        ({"best_of": 21}, "best_of", "invalid_value"),
        ({"model": ""}, "model", "invalid_value"),
        ({"stop": [1]}, "stop[0]", "invalid_type"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str, code: str) -> None:
    error = fault(body(**fields))
    assert (error.param, error.code) == (param, code)


def test_a_missing_prompt_is_named() -> None:
    assert fault(b'{"model": "m"}').param == "prompt"


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"prompt": "\xff"}', b'{"x":' + b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_bad_input(raw: bytes) -> None:
    assert fault(raw).code == "invalid_json"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"best_of": 3, "n": 2}, "best_of"),
        ({"echo": True, "logprobs": 0}, "echo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1], [2]]}, "prompt"),
        ({"prompt": ["x"] * 33}, "prompt"),
        ({"min_p": 0.5}, "min_p"),
    ],
)
def test_what_a_chat_cannot_express_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    error = refusal(GEMINI, **fields)
    assert error.param == param
    assert param in error.message


def test_what_a_route_drops_is_dropped() -> None:
    dropping = Target(resource=GEMINI.resource, drop_params=("suffix", "min_p", "prompt", "best_of"))
    (chat,) = completion_to_chats(ask(suffix="x", min_p=1, best_of=4), dropping)
    assert chat.model == "m"


def test_defaults_that_an_sdk_spells_out_are_fine() -> None:
    assert completion_to_chats(ask(suffix="", best_of=1, echo=False, n=1, min_p=None), GEMINI)


def test_every_prompt_is_a_chat_of_its_own() -> None:
    chats = completion_to_chats(ask(prompt=["a", "b"], logprobs=0), GEMINI)
    assert [str(chat.messages[0].content) for chat in chats] == ["a", "b"]
    assert (chats[0].logprobs, chats[0].top_logprobs) == (True, 0)


@pytest.mark.parametrize(
    ("target", "way"),
    [
        (GEMINI, "chat"),
        (CODESTRAL, "fim"),
        (MISTRAL, "chat"),
        (Target(dialect="anthropic", model="claude"), "chat"),
        (Target(dialect="openai", resource="projects/p/locations/l/publishers/meta/models/llama-4-maas"), "chat"),
        (vllm("any"), "passed"),
    ],
)
def test_the_target_decides_the_way(target: Target, way: str) -> None:
    assert way_to(target) == way


@pytest.mark.parametrize(
    ("model", "prompt"),
    [
        ("mistralai/Codestral-22B", "[SUFFIX]S[PREFIX]P"),
        ("google/codegemma-2b", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("codellama/CodeLlama-7b-hf", "<PRE> P <SUF>S <MID>"),
        (
            "deepseek-ai/deepseek-coder-6.7b-base",
            "<\uff5cfim▁begin\uff5c>P<\uff5cfim▁hole\uff5c>S<\uff5cfim▁end\uff5c>",
        ),
        ("Qwen/Qwen2.5-Coder-7B", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("bigcode/starcoder2-15b", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
    ],
)
def test_a_suffix_is_told_in_the_models_own_words(model: str, prompt: str) -> None:
    sent = passed(vllm(model), prompt="P", suffix="S")
    assert sent["prompt"] == prompt
    assert "suffix" not in sent
    assert passed(vllm(model), prompt=["P"], suffix="S", stop="x")["prompt"] == [prompt]


def test_braces_in_code_stay_braces() -> None:
    sent = passed(vllm("starcoder"), prompt="{suffix}{}", suffix="{prefix}")
    assert sent["prompt"] == "<fim_prefix>{suffix}{}<fim_suffix>{prefix}<fim_middle>"


def test_the_words_that_end_the_middle_go_with_the_callers() -> None:
    assert passed(vllm("codegemma"), suffix="S", stop=["x"])["stop"] == ["x", *TEMPLATES["codegemma"].stop]
    assert "stop" not in passed(vllm("codestral"), suffix="S")


@pytest.mark.parametrize("fields", [{}, {"suffix": ""}, {"suffix": None}])
def test_without_a_suffix_nothing_is_told(fields: dict[str, Any]) -> None:
    assert passed(vllm("codegemma"), **fields)["prompt"] == "p"


def test_a_dropped_suffix_is_dropped() -> None:
    sent = passed(vllm("codegemma", drop_params=("suffix",)), suffix="S")
    assert sent == {"model": "codegemma", "prompt": "p"}


def test_tokens_cannot_be_told_around_a_suffix() -> None:
    with pytest.raises(BadInput, match="tokens"):
        passed(vllm("codegemma"), prompt=[1], suffix="S")


def test_a_model_of_no_known_family_gets_the_suffix_as_it_is() -> None:
    assert passed(vllm("house-model"), suffix="S")["suffix"] == "S"


def test_a_server_that_fills_in_itself_gets_the_suffix() -> None:
    ollama = Target(dialect="openai", provider="custom_openai", profile="ollama", model="codegemma")
    assert passed(ollama, suffix="S")["suffix"] == "S"


def test_a_profile_names_the_family() -> None:
    assert template_of(Target(model="house-model", profile="starcoder")) is TEMPLATES["starcoder"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"best_of": 2}, "best_of"),
        ({"echo": True}, "echo"),
        ({"logprobs": 0}, "logprobs"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"min_p": 1}, "min_p"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1]}, "prompt"),
    ],
)
def test_what_fill_in_the_middle_lacks_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_fim_request(ask(**fields), body(**fields), CODESTRAL)
    assert caught.value.param == param


def test_fill_in_the_middle_drops_what_the_route_drops() -> None:
    dropping = Target(dialect="openai", resource=CODESTRAL.resource, drop_params=("n", "seed", "min_p", "model"))
    fields = {"n": 2, "seed": 1, "min_p": 1, "suffix": "s"}
    assert to_fim_request(ask(**fields), body(**fields), dropping) == {
        "model": "codestral",
        "prompt": "p",
        "suffix": "s",
    }


def answer(*texts: str, usage: Usage = USAGE) -> ChatCompletion:
    choices = [
        Choice(index=index, message=AnswerMessage(content=text), finish_reason="tool_calls")
        for index, text in enumerate(texts)
    ]
    return ChatCompletion(id="chatcmpl-1", created=1, model="m", choices=choices, usage=usage)


def test_answers_are_numbered_through_prompts_and_choices() -> None:
    told = chat_to_completion([answer("a", "b"), answer("c", "d")], ask(prompt=["1", "2"], n=2))
    assert [(choice.index, choice.text) for choice in told.choices] == [(0, "a"), (1, "b"), (2, "c"), (3, "d")]
    assert told.choices[0].finish_reason == "stop"


def test_an_answer_without_words_is_an_empty_text() -> None:
    empty = Choice(index=0, message=AnswerMessage(content=None), finish_reason="content_filter")
    only = ChatCompletion(id="chatcmpl-1", created=1, model="m", choices=[empty], usage=USAGE)
    (told,) = chat_to_completion([only], ask()).choices
    assert (told.text, told.finish_reason) == ("", "content_filter")


def test_the_tokens_of_all_answers_are_summed() -> None:
    told = chat_to_completion([answer("a"), answer("b", usage=GUESS)], ask(prompt=["1", "2"]))
    assert told.usage == sum_of([USAGE, GUESS])
    assert told.usage.estimated is True


def chunk(**delta: Any) -> Chunk:
    return Chunk(id="chatcmpl-1", created=1, model="m", choices=[ChunkChoice(index=0, delta=Delta(**delta))])


def test_a_stream_echoes_the_prompt_first() -> None:
    teller = ChunkTeller(ask(prompt=["a", "b"], echo=True, n=3), prompt=1)
    told = [one for content in ("x", "", "y") for one in teller.told(chunk(content=content))]
    assert [(one.choices[0].index, one.choices[0].text) for one in told] == [(3, "bx"), (3, "y")]


def test_thoughts_have_no_place_in_a_text() -> None:
    assert ChunkTeller(ask()).told(chunk(reasoning_content="Hm")) == []


def test_the_usage_comes_last_for_who_asked() -> None:
    last = chunk(content="x")
    assert ChunkTeller(ask()).closing(last, USAGE) == []
    (closing,) = ChunkTeller(ask(stream_options={"include_usage": True})).closing(last, USAGE)
    assert (closing.id, closing.choices, closing.usage) == ("cmpl-1", [], USAGE)


def test_prompts_are_texts() -> None:
    assert prompts_of(ask(prompt=["a"])) == ["a"]
