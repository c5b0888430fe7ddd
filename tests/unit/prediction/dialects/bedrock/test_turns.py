import json
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.blocks import Document
from tuneway.prediction.dialects.bedrock.documents import with_documents
from tuneway.prediction.dialects.bedrock.request import to_request
from tuneway.prediction.dialects.bedrock.tools import NO_CALLS
from tuneway.routing.routes import Target

SONNET = Target(
    dialect="bedrock", provider="bedrock", model="eu.anthropic.claude-sonnet-4-5-20250929-v1:0", region="eu-west-1"
)
HI = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f"}}
CALLING = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "1"}


def body(*messages: dict[str, Any], model: str = SONNET.model, **fields: Any) -> dict[str, Any]:
    to = msgspec.structs.replace(SONNET, model=model)
    told: dict[str, Any] = json.loads(msgspec.json.encode(to_request(ask(*messages, **fields), to)))
    return told


def file(name: str | None = None) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": "JVBERi0=", **({} if name is None else {"filename": name})}}


def says(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def names(*messages: dict[str, Any]) -> list[str]:
    blocks = [block for turn in body(*messages)["messages"] for block in turn["content"]]
    return [block["document"]["name"] for block in blocks if "document" in block]


WORD = {"type": "text", "text": "Read."}


def test_documents_have_different_names_in_a_turn_and_over_turns() -> None:
    answer = {"role": "assistant", "content": "Yes."}
    first = says(WORD, file("a.pdf"), file("a.txt"))
    told = names(first, answer, says(WORD, file("A.pdf"), file()), answer, says(WORD, file(), file("a (2).pdf")))
    assert told[:3] == ["a", "a (2)", "A (3)"]
    assert len({name.lower() for name in told}) == len(told) == 6


def test_earlier_documents_keep_their_names_when_the_conversation_goes_on() -> None:
    first, answer = says(WORD, file(), file()), {"role": "assistant", "content": "Yes."}
    assert names(first, answer, says(WORD, file()))[:2] == names(first)


def test_a_long_name_stays_within_its_limit() -> None:
    told = names(says(WORD, file("x" * 250), file("x" * 250)))
    assert [len(name) for name in told] == [200, 200]
    assert told[1].endswith(" (2)")


def test_a_long_name_is_cut_for_its_number_without_a_second_blank_in_a_row() -> None:
    cut_at_a_blank = f"{'x' * 195} tail.pdf"
    assert names(says(WORD, file(cut_at_a_blank), file(cut_at_a_blank)))[1] == f"{'x' * 195} (2)"


def test_long_names_that_differ_at_their_ends_are_numbered_apart() -> None:
    one, other = f"{'x' * 198}-1.pdf", f"{'x' * 198}-2.pdf"
    told = names(says(WORD, *map(file, (one, other, one, other))))
    assert told[:2] == [one.removesuffix(".pdf"), other.removesuffix(".pdf")]
    assert told[2:] == [f"{'x' * 196} (2)", f"{'x' * 196} (3)"]


def test_a_number_that_a_file_bears_already_is_left_out() -> None:
    assert names(says(WORD, *map(file, ("a.pdf", "a (2).pdf", "a.pdf", "a.pdf")))) == ["a", "a (2)", "a (3)", "a (4)"]


def test_very_many_documents_of_one_name_are_numbered_in_one_pass() -> None:
    many = 80_000  # a look at all earlier names for each would take half an hour
    document: Document = {"format": "pdf", "name": "a", "source": {"bytes": "AA=="}}
    (told,) = with_documents([[{"document": document} for _ in range(many)]])
    assert [told[at]["document"]["name"] for at in (0, 1, many - 1)] == ["a", "a (2)", f"a ({many})"]


def test_a_document_without_a_word_gets_a_full_stop() -> None:
    assert body(says(file("a.pdf")))["messages"][0]["content"][-1] == {"text": "."}
    assert [[*block] for block in body(says(WORD, file("a.pdf")))["messages"][0]["content"]] == [["text"], ["document"]]


def test_results_open_their_turn() -> None:
    told = body(HI, CALLING, HI, {**RESULT, "content": [{**WORD, "cache_control": {"type": "ephemeral"}}]})
    assert [[*block] for block in told["messages"][-1]["content"]] == [["toolResult"], ["cachePoint"], ["text"]]


def test_an_answer_that_is_to_go_on_ends_without_blanks() -> None:
    begun = {"role": "assistant", "content": "<list>\n"}
    assert body(HI, begun)["messages"][-1]["content"] == [{"text": "<list>"}]
    assert body(HI, begun, HI)["messages"][1]["content"] == [{"text": "<list>\n"}]


def test_no_thought_is_the_last_word() -> None:
    thought = {"type": "thinking", "thinking": "t", "signature": "s", "index": 7}
    calling = {**CALLING, "content": "A", "extra_content": {"anthropic": {"thinking_blocks": [thought]}}}
    told = body(HI, calling, RESULT)["messages"][1]["content"]
    assert [[*block] for block in told] == [["text"], ["reasoningContent"], ["toolUse"]]


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", {"temperature": 0.5}, "temperature"),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", {"top_p": 0.5}, "top_p"),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", {"top_k": 5}, "top_k"),
        ("eu.anthropic.claude-opus-4-6-v1:0", {"temperature": 0.5}, "temperature"),
        (SONNET.model, {"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        (SONNET.model, {"tools": [TOOL], "tool_choice": TOOL}, "tool_choice"),
    ],
)
def test_claude_thinks_under_no_other_sampling_nor_towards_a_tool(model: str, fields: Any, param: str) -> None:
    with pytest.raises(BadInput, match="not both") as caught:
        body(model=model, reasoning_effort="low", **fields)
    assert caught.value.param == param


def test_other_models_reason_under_any_sampling() -> None:
    told = body(model="openai.gpt-oss-120b-1:0", reasoning_effort="low", temperature=0.5)
    assert told["inferenceConfig"] == {"temperature": 0.5}


def test_who_offers_no_tools_is_called_none_though_the_conversation_had_some() -> None:
    told = body(HI, CALLING, RESULT)
    assert told["system"] == [{"text": NO_CALLS}]
    assert [tool["toolSpec"]["name"] for tool in told["toolConfig"]["tools"]] == ["f"]
    assert "system" not in body(HI, CALLING, RESULT, tools=[TOOL])


def test_a_schema_is_one_that_a_grammar_can_say() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    told = body(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})
    kept = json.loads(told["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
    assert kept["additionalProperties"] is False
    assert kept["properties"] == {"a": {"type": "integer", "description": "{minimum: 1}"}}


def test_a_strict_tools_schema_is_too() -> None:
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True}
    told = body(tools=[{"type": "function", "function": function}])["toolConfig"]["tools"][0]["toolSpec"]
    assert told["inputSchema"]["json"] == {"type": "object", "properties": {}, "additionalProperties": False}
