"""Tools under their older names: read as tools, answered as functions."""

import json
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    FunctionDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from tuneway.prediction.hub.chunks import as_chunks, opening
from tuneway.prediction.hub.messages import CalledFunction, ExtraContent, GoogleExtra
from tuneway.prediction.hub.older_answers import chunk_in_older_words, in_older_words
from tuneway.prediction.hub.request import NamedTool, one_call_at_most, speaks_older
from tuneway.routing.routes import Dialect, Target

F = {"name": "f", "description": "d", "parameters": {"type": "object"}}
HI: dict[str, Any] = {"role": "user", "content": "Hi"}
CALL: dict[str, Any] = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}}
RESULT: dict[str, Any] = {"role": "function", "name": "f", "content": "sun"}
TOOL = {"type": "function", "function": F}
CONTAINER = Target(resource="projects/p/locations/us-central1/endpoints/1", dialect="instances")
SIGNED = ExtraContent(google=GoogleExtra(thought_signature="s"))
USAGE = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)


def fault(*messages: dict[str, Any], **fields: Any) -> str | None:
    with pytest.raises(BadInput) as caught:
        ask(*(messages or (HI,)), **fields)
    return caught.value.param


def test_functions_and_their_calls_are_tools_and_theirs() -> None:
    older = ask(HI, CALL, RESULT, functions=[F], function_call={"name": "f"})
    call = {"id": "call00001", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    newer = ask(
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call00001", "content": "sun"},
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "f"}},
    )
    assert (older.messages, older.tools, older.tool_choice) == (newer.messages, newer.tools, newer.tool_choice)
    assert (speaks_older(older), speaks_older(newer)) == (True, False)
    assert (one_call_at_most(older), one_call_at_most(newer)) == (True, False)


@pytest.mark.parametrize("choice", ["none", "auto", None])
def test_a_choice_that_names_nothing_stays_the_same_word(choice: str | None) -> None:
    asked = ask(functions=[F], function_call=choice)
    assert (asked.tool_choice, speaks_older(asked)) == (choice, True)


def test_a_choice_that_names_a_function_names_a_tool() -> None:
    choice = ask(functions=[F], function_call={"name": "f"}).tool_choice
    assert isinstance(choice, NamedTool)
    assert choice.function.name == "f"


@pytest.mark.parametrize("fields", [{"functions": []}, {"function_call": "auto"}, {"functions": [], "tools": [TOOL]}])
def test_no_functions_are_no_older_words(fields: dict[str, Any]) -> None:
    asked = ask(**fields)
    assert not speaks_older(asked)
    assert bool(asked.tools) is ("tools" in fields)


def test_an_older_conversation_that_goes_on_with_tools_is_answered_with_tools() -> None:
    assert speaks_older(ask(HI, CALL, RESULT))
    assert not speaks_older(ask(HI, CALL, RESULT, tools=[TOOL]))


def test_each_result_belongs_to_the_last_call_of_its_name_without_one() -> None:
    other = {"role": "assistant", "content": "x", "function_call": {"name": "g", "arguments": "{}"}}
    asked = ask(HI, CALL, RESULT, CALL, other, {**RESULT, "name": "g"}, {**RESULT, "content": None})
    ids = [getattr(message, "tool_call_id", None) for message in asked.messages]
    assert ids == [None, None, "call00001", None, None, "call00004", "call00003"]
    asked = ask(HI, CALL, other, RESULT, {**RESULT, "name": "g"})
    assert [getattr(message, "tool_call_id", None) for message in asked.messages[3:]] == ["call00001", "call00002"]


def test_what_came_beside_a_call_goes_back_with_it() -> None:
    signed = {"google": {"thought_signature": "s"}}
    call = {"name": "f", "arguments": "{}", "extra_content": signed, "parsed_arguments": {}}
    asked = ask(HI, {"role": "assistant", "function_call": call})
    [told] = json.loads(msgspec.json.encode(asked))["messages"][1]["tool_calls"]
    assert told["extra_content"] == signed


@pytest.mark.parametrize(
    ("messages", "fields", "param"),
    [
        ((), {"functions": [{"description": "d"}]}, "functions[0].name"),
        ((), {"functions": {}}, "functions"),
        ((), {"functions": [F], "function_call": "f"}, "function_call"),
        ((), {"functions": [F], "function_call": {"name": "g"}}, "function_call"),
        ((), {"function_call": {"name": "f"}}, "function_call"),
        ((), {"functions": [F], "tools": [TOOL]}, "functions"),
        ((), {"function_call": {"name": "f"}, "tool_choice": "auto"}, "function_call"),
        ((HI, RESULT), {}, "messages[1].name"),
        ((HI, CALL, RESULT, RESULT), {}, "messages[3].name"),
        ((HI, {"role": "function", "content": "x"}), {}, "messages[1].name"),
        ((HI, {"role": "assistant", "function_call": {"name": "f"}}), {}, "messages[1].function_call.arguments"),
        ((HI, {**CALL, "tool_calls": [{"id": "c"}]}), {}, "messages[1].function_call"),
        (("no object",), {}, "messages[0]"),
    ],
)
def test_what_is_wrong_is_named(messages: Any, fields: dict[str, Any], param: str) -> None:
    assert fault(*messages, **fields) == param


@pytest.mark.parametrize(("name", "asked"), [("functions", [F]), ("function_call", {"name": "f"})])
def test_what_a_target_cannot_do_is_refused_and_dropped_by_the_callers_word(name: str, asked: Any) -> None:
    fields = {"functions": [F], name: asked}
    with pytest.raises(BadInput) as caught:
        DIALECTS["instances"].to_request(ask(**fields), CONTAINER)
    assert caught.value.param in {"functions", "function_call"}
    assert "functions" in caught.value.message or "function_call" in caught.value.message
    dropping = msgspec.structs.replace(CONTAINER, drop_params=("functions", "function_call"))
    assert b'"f"' not in msgspec.json.encode(DIALECTS["instances"].to_request(ask(**fields), dropping))


@pytest.mark.parametrize("dialect", ["gemini", "anthropic", "bedrock", "openai"])
def test_a_route_that_drops_functions_drops_them(dialect: Dialect) -> None:
    target = Target(
        dialect=dialect, provider="vertex", resource="projects/p/locations/us/endpoints/1", drop_params=("functions",)
    )
    assert b'"f"' not in msgspec.json.encode(DIALECTS[dialect].to_request(ask(functions=[F]), target))


def completion(*calls: str) -> ChatCompletion:
    made = [
        ToolCall(id=name, function=CalledFunction(name=name, arguments="{}"), extra_content=SIGNED) for name in calls
    ]
    message = AnswerMessage(content=None, tool_calls=made) if made else AnswerMessage(content="Hi")
    finish = Choice(index=0, message=message, finish_reason="tool_calls" if made else "stop")
    return ChatCompletion(id="chatcmpl-1", created=1, model="m", choices=[finish], usage=USAGE)


def test_the_first_call_is_the_answers_function_call() -> None:
    told = in_older_words(completion("f", "g"))
    [choice] = json.loads(msgspec.json.encode(told))["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {
        "name": "f",
        "arguments": "{}",
        "extra_content": {"google": {"thought_signature": "s"}},
    }
    assert "tool_calls" not in choice["message"]
    assert in_older_words(told) == told


def test_words_stay_words() -> None:
    assert in_older_words(completion()) == completion()
    said = Chunk(id="c", created=1, model="m", choices=[ChunkChoice(index=0, delta=Delta(content="Hi"))])
    assert chunk_in_older_words(said) == said


def test_a_whole_call_told_as_a_stream_is_a_function_call() -> None:
    told = in_older_words(completion("f"))
    asked = msgspec.structs.replace(ask(), stream=True)
    first, last = as_chunks(told, Exchange(request=asked, id="chatcmpl-1", created=1))
    call = first.choices[0].delta.function_call
    assert call == opening(told.choices[0].message).function_call
    assert last.choices[0].finish_reason == "function_call"


def test_pieces_of_the_first_call_are_told_and_those_of_others_not() -> None:
    def piece(index: int, **fields: Any) -> Chunk:
        call = ToolCallDelta(index=index, function=FunctionDelta(**fields))
        choice = ChunkChoice(index=0, delta=Delta(tool_calls=[call]))
        return chunk_in_older_words(Chunk(id="c", created=1, model="m", choices=[choice]))

    deltas = [json.loads(msgspec.json.encode(one.choices[0].delta)) for one in (piece(0, name="f"), piece(1, name="g"))]
    assert deltas == [{"function_call": {"name": "f"}}, {}]
