import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.prediction.hub.messages import ExtraContent, GoogleExtra
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest
from tuneway.prediction.surfaces.messages.chat import shows_thoughts, to_chat
from tuneway.prediction.surfaces.messages.request import decode_messages_request, envelope_of
from tuneway.prediction.surfaces.messages.signatures import read_id, signed_id

HI = {"role": "user", "content": "Hi"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
DATA = {"type": "base64", "media_type": "image/png", "data": "AAAA"}


def asked(*messages: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"model": "m", "max_tokens": 9, "messages": list(messages) or [HI], **fields}).encode()


def chat(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return to_chat(decode_messages_request(asked(*messages, **fields)))


def fault(body: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        to_chat(decode_messages_request(body))
    return caught.value


def said(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"model": ""}, "model"),
        ({"temperature": 1.5}, "temperature"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"output_config": {"effort": "tiny"}}, "output_config.effort"),
        ({"output_config": {"task_budget": 5}}, "output_config.task_budget"),
        ({"system": [{"type": "image", "source": DATA}]}, "system[0].type"),
        ({"tools": [TOOL, {"type": "web_search_20260318", "name": "web_search"}]}, "tools[1].type"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tools": [{**TOOL, "name": 5}]}, "tools[0].name"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    error = fault(asked(**fields))
    assert error.param == param
    assert param in error.message


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "tool", "content": "x"}, "messages[0].role"),
        ({"role": "user"}, "messages[0].content"),
        (said({"type": "text"}), "messages[0].content[0].text"),
        (said({"type": "server_tool_use", "id": "s"}, role="assistant"), "messages[0].content[0].type"),
        (said({"type": "image", "source": {"type": "file", "file_id": "f"}}), "messages[0].content[0].source"),
        (said({"type": "image", "source": {**DATA, "data": "?"}}), "messages[0].content[0].source.data"),
        (said(document(type="file", file_id="f")), "messages[0].content[0].source"),
        (said({"type": "text", "text": "x", "colour": 1}), "messages[0].content[0].colour"),
        (
            said({"type": "tool_result", "tool_use_id": "t", "content": [document(type="file", file_id="f")]}),
            "messages[0].content[0].content[0].source",
        ),
    ],
)
def test_a_message_that_cannot_be_told_is_named(message: dict[str, Any], param: str) -> None:
    assert fault(asked(message)).param == param


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"new": ' + b"[" * 100_000])
def test_what_is_no_json_is_said_so(body: bytes) -> None:
    for read in (envelope_of, decode_messages_request):
        with pytest.raises(BadInput) as caught:
            read(body)
        assert caught.value.code == "invalid_json"


def test_what_is_no_object_is_said_so() -> None:
    assert "object" in fault(b"[]").message


def test_an_envelope_needs_no_more_than_a_model_and_a_limit() -> None:
    envelope = envelope_of(b'{"model": "m", "max_tokens": 0, "stream": true, "messages": [{"role": "new"}]}')
    assert (envelope.model, envelope.max_tokens, envelope.stream) == ("m", 0, True)
    with pytest.raises(BadInput) as caught:
        envelope_of(b'{"model": "m"}')
    assert caught.value.param == "max_tokens"


def test_fields_of_tomorrow_are_named_so_that_a_route_may_drop_them() -> None:
    request = chat(speed="fast", container=None)
    assert isinstance(request, ExtendedRequest)
    assert request.unknown == {"speed": "fast"}


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"output_config": {"effort": "max"}}, "max"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2049}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16385}}, "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"effort": "high"}}, "high"),
        ({"thinking": {"type": "adaptive"}}, "medium"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}, "xhigh"),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "between_tools"}}, "none"),
    ],
)
def test_thinking_is_an_effort(fields: dict[str, Any], effort: str | None) -> None:
    assert chat(**fields).reasoning_effort == effort


@pytest.mark.parametrize(
    ("thinking", "shown"),
    [
        (None, True),
        ({"type": "adaptive"}, True),
        ({"type": "disabled"}, True),
        ({"type": "adaptive", "display": "omitted"}, False),
        ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, False),
    ],
)
def test_thoughts_are_shown_unless_the_caller_says_otherwise(thinking: Any, shown: bool) -> None:  # noqa: FBT001
    assert shows_thoughts(decode_messages_request(asked(thinking=thinking))) is shown


@pytest.mark.parametrize(
    ("choice", "told", "parallel"),
    [
        (None, None, None),
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "auto", "disable_parallel_tool_use": False}, "auto", None),
        ({"type": "none"}, "none", None),
    ],
)
def test_every_tool_choice_has_its_word(choice: Any, told: Any, parallel: Any) -> None:
    request = chat(tools=[TOOL], tool_choice=choice)
    assert (request.tool_choice, request.parallel_tool_calls) == (told, parallel)


def told(*messages: dict[str, Any]) -> Any:
    return [msgspec.to_builtins(message) for message in chat(*messages).messages]


def test_documents_are_texts_or_files() -> None:
    blocks = [
        document(type="url", url="https://x/a.pdf"),
        document(type="content", content="Plain."),
        {**document(type="content", content=[{"type": "text", "text": "Parts."}]), "title": "T"},
    ]
    assert told(said(*blocks))[0]["content"] == [
        {"type": "file", "file": {"file_id": "https://x/a.pdf"}},
        {"type": "text", "text": "Plain."},
        {"type": "text", "text": "T\n\nParts."},
    ]


def test_texts_and_empty_turns_are_told_as_they_are() -> None:
    system = {"role": "system", "content": ""}
    answer = {"role": "assistant", "content": "Hello"}
    assert [message["role"] for message in told(HI, system, answer, said(), said(role="assistant"))] == [
        "user",
        "assistant",
        "assistant",
    ]


def test_a_lone_text_is_a_string_and_a_cached_one_a_part() -> None:
    cached = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    plain = {"type": "text", "text": "x"}
    for role in ("user", "assistant", "system"):
        assert told(said(plain, role=role))[0]["content"] == "x"
        assert told(said(cached, role=role))[0]["content"] == [cached]


@given(call_id=st.text("abc_123", min_size=1), signature=st.text(min_size=1))
def test_a_signature_comes_back_out_of_the_id(call_id: str, signature: str) -> None:
    extra = ExtraContent(google=GoogleExtra(thought_signature=signature))
    assert read_id(signed_id(call_id, extra)) == (call_id, extra)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", signed_id(call_id, extra))


def test_an_id_that_only_looks_signed_is_taken_as_it_is() -> None:
    call = {"type": "tool_use", "id": "c__thought__é", "name": "f", "input": {}}
    assert told(said(call, role="assistant"))[0]["tool_calls"][0]["id"] == "c__thought__é"


@pytest.mark.parametrize("within", [False, True])
def test_citations_that_only_claude_can_give_are_refused_by_name(*, within: bool) -> None:
    cited = {**document(type="text", media_type="text/plain", data="x"), "citations": {"enabled": True}}
    block = {"type": "tool_result", "tool_use_id": "t", "content": [cited]} if within else cited
    assert fault(asked(said(block))).param == f"messages[0].content[0].{'content[0].' if within else ''}citations"


def test_citations_that_nobody_wants_ask_for_nothing() -> None:
    uncited = {**document(type="text", media_type="text/plain", data="x"), "citations": {"enabled": False}}
    assert chat(said(uncited)).messages == chat(said({"type": "text", "text": "x"})).messages


@pytest.mark.parametrize("kind", ["server_tool_use", "web_search_tool_result", "mcp_tool_use", "container_upload"])
def test_blocks_of_anthropics_own_are_refused_by_name(kind: str) -> None:
    caught = fault(asked(said({"type": kind})))
    assert (caught.param, kind in caught.message) == ("messages[0].content[0].type", True)


@pytest.mark.parametrize("kind", ["web_search_20250305", "code_execution_20250825", "mcp_toolset", "bash_20250124"])
def test_tools_of_anthropics_own_are_refused_by_name(kind: str) -> None:
    assert fault(asked(tools=[{"type": kind, "name": "x"}])).param == "tools[0].type"


FOUND = {
    "type": "search_result",
    "source": "https://shop/a",
    "title": "Returns",
    "content": [{"type": "text", "text": "30 days."}],
}
FOUND_TEXT = "Returns\nhttps://shop/a\n\n30 days."


def test_what_a_search_found_is_text_wherever_it_stands() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [FOUND, {"type": "text", "text": "That is all."}]}
    request = chat(HI, said({**FOUND, "citations": {"enabled": False}}, result))
    tool, user = json.loads(msgspec.json.encode(request.messages[1:]))
    assert tool["content"] == f"{FOUND_TEXT}\nThat is all."
    assert user["content"] == FOUND_TEXT


def test_a_search_result_that_is_to_be_cited_is_refused() -> None:
    error = fault(asked(said({**FOUND, "citations": {"enabled": True}})))
    assert error.param == "messages[0].content[0].citations"


def test_a_document_of_blocks_keeps_its_pictures_between_its_words() -> None:
    picture = {"type": "image", "source": DATA}
    words = [{"type": "text", "text": text} for text in ("One. ", "Two.")]
    made = document(type="content", content=[*words, picture, words[0]])
    hint = {"type": "ephemeral"}
    request = chat(said({**made, "title": "Guide", "cache_control": hint}))
    first, second, third = json.loads(msgspec.json.encode(request.messages[0]))["content"]
    assert (first["text"], third["text"], third["cache_control"]) == ("Guide\n\nOne. Two.", "One. ", hint)
    assert second["image_url"]["url"] == "data:image/png;base64,AAAA"


def test_a_document_that_is_a_picture_has_its_title_before_it() -> None:
    made = document(type="content", content=[{"type": "image", "source": DATA}])
    told = [json.loads(msgspec.json.encode(chat(said(one)).messages[0])) for one in ({**made, "title": "A"}, made)]
    assert [len(one["content"]) for one in told] == [2, 1]
    assert told[0]["content"][0] == {"type": "text", "text": "A"}


def test_nulls_that_an_sdk_writes_for_anthropics_own_tools_are_nothing() -> None:
    used: dict[str, object] = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    used |= {"caller": None, "toolset_name": None}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x", "toolset_name": None}
    request = chat(
        HI, said(used, role="assistant"), said(result, {"type": "image", "source": DATA, "transformations": None})
    )
    assert len(request.messages) == 4


def test_what_changes_no_answer_is_told_of() -> None:
    request = chat(cache_control={"type": "ephemeral"}, service_tier="standard_only")
    assert isinstance(request, ExtendedRequest)
    assert set(request.left_out) == {"cache_control", "service_tier"}
    plain = chat(service_tier="auto")
    assert isinstance(plain, ExtendedRequest)
    assert plain.left_out == ()
