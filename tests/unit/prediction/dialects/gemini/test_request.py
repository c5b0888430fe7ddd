from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import GEMINI, ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.request import to_request

HI = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f"}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def body(*messages: dict[str, Any], **fields: Any) -> Any:
    return msgspec.to_builtins(to_request(ask(*messages, **fields), GEMINI))


def fault(*messages: dict[str, Any], **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        body(*messages, **fields)
    return caught.value


def parts(*messages: dict[str, Any]) -> list[Any]:
    return [(turn["role"], turn["parts"]) for turn in body(*messages)["contents"]]


def picture(url: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, None),
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TOOL]}},
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_every_tool_choice_has_its_mode(choice: Any, config: Any) -> None:
    sent = body(tools=[TOOL], tool_choice=choice)
    assert sent.get("toolConfig") == (config and {"functionCallingConfig": config})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "x"}}}, "tool_choice"),
        ({"tools": [TOOL, {"type": "custom", "custom": {"name": "x"}}]}, "tools[1]"),
        ({"tools": [TOOL], "parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
    ],
)
def test_what_gemini_has_no_word_for_is_refused(fields: dict[str, Any], param: str) -> None:
    assert fault(**fields).param == param


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": "Hi", "name": "Ann"}, "messages[1].name"),
        ({"role": "tool", "tool_call_id": "nobody", "content": "x"}, "messages[1].tool_call_id"),
        ({"role": "assistant", "audio": {"id": "x"}}, "messages[1].audio"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]},
            "messages[1].tool_calls[0]",
        ),
        (
            {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "["}}]},
            "messages[1].tool_calls[0].function.arguments",
        ),
        (picture("ftp://x/y.png"), "messages[1].content[0].image_url.url"),
        (picture("data:image/png;base64,*"), "messages[1].content[0].image_url.url"),
        (
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]},
            "messages[1].content[0].file.file_id",
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "?", "format": "mp3"}}]},
            "messages[1].content[0].input_audio.data",
        ),
    ],
)
def test_a_message_that_cannot_be_told_is_named(message: dict[str, Any], param: str) -> None:
    assert fault(HI, message).param == param


def test_a_route_may_drop_names() -> None:
    target = msgspec.structs.replace(GEMINI, drop_params=("name",))
    sent = to_request(ask({"role": "user", "content": "Hi", "name": "Ann"}), target)
    assert sent.get("contents") == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_results_are_a_turn_of_their_own_before_the_next_question() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "{broken"}], "name": "f"}
    assert parts(HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, result, HI) == [
        ("user", [{"text": "Hi"}]),
        ("model", [{"functionCall": {"name": "f", "args": {}}}]),
        ("user", [{"functionResponse": {"name": "f", "response": {"result": "{broken"}}}]),
        ("user", [{"text": "Hi"}]),
    ]


def test_results_at_the_end_are_sent() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "1"}
    assert parts(HI, {"role": "assistant", "tool_calls": [CALL]}, result)[-1][0] == "user"


def test_refusals_and_signed_texts_are_told_again() -> None:
    signed = {"role": "assistant", "content": "A", "extra_content": {"google": {"thought_signature": "c2ln"}}}
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "!"}]}
    silent = {"role": "assistant", "content": None, "refusal": "Never."}
    assert parts(HI, signed, refused, silent)[1] == (
        "model",
        [{"text": "A", "thoughtSignature": "c2ln"}, {"text": "No."}, {"text": "!"}, {"text": "Never."}],
    )


@pytest.mark.parametrize("role", ["assistant", "system"])
def test_what_is_no_turn_parts_no_turns(role: str) -> None:
    assert parts(HI, {"role": role, "content": ""}, HI) == [("user", [{"text": "Hi"}, {"text": "Hi"}])]


def test_a_foreign_extra_is_not_told() -> None:
    answer = {"role": "assistant", "content": "A", "extra_content": {"other": 1}}
    assert parts(HI, answer)[1] == ("model", [{"text": "A"}])


@pytest.mark.parametrize(
    ("effort", "level"),
    [("none", "MINIMAL"), ("minimal", "MINIMAL"), ("low", "LOW"), ("medium", "MEDIUM"), ("high", "HIGH"),
     ("xhigh", "HIGH"), ("max", "HIGH")],
)  # fmt: skip
def test_every_effort_has_its_level(effort: str, level: str) -> None:
    thinking = body(reasoning_effort=effort)["generationConfig"]["thinkingConfig"]
    assert thinking == {"thinkingLevel": level, "includeThoughts": effort != "none"}


def test_the_finest_detail_counts() -> None:
    images = [
        {"type": "image_url", "image_url": {"url": "gs://b/a.png", "detail": detail}} for detail in ("low", "high")
    ]
    sent = body({"role": "user", "content": images})
    assert sent["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}


def test_logprobs_alone_ask_for_the_chosen_tokens() -> None:
    assert body(logprobs=True)["generationConfig"] == {"responseLogprobs": True}


def test_a_schema_format_without_a_schema_is_json() -> None:
    sent = body(response_format={"type": "json_schema", "json_schema": {"name": "x"}})
    assert sent["generationConfig"] == {"responseMimeType": "application/json"}


@pytest.mark.parametrize(("given", "told"), [({}, "image/jpeg"), ({"format": "image/webp"}, "image/webp")])
def test_a_picture_without_an_ending_is_what_the_caller_calls_it(given: dict[str, str], told: str) -> None:
    part = {"type": "image_url", "image_url": {"url": "gs://shop/photo", **given}}
    ((_, sent),) = parts({"role": "user", "content": [part]})
    assert sent == [{"fileData": {"mimeType": told, "fileUri": "gs://shop/photo"}}]
