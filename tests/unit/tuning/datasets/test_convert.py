"""Rows go from form to form, back again where that is promised, and lose nothing that was not given up by name."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.tuning.datasets.read_files import TEXT
from tuneway.errors import BadInput
from tuneway.tuning.datasets.convert import Conversion
from tuneway.tuning.datasets.reading import reading
from tuneway.tuning.datasets.ways import Target

Row = dict[str, object]
WORDS = TEXT.filter(lambda text: bool(text.strip()))


def converted(content: bytes, target: Target, *drop: str) -> bytes:
    return b"".join(Conversion(reading([content]), target, drop=drop).blocks())


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def rows(content: bytes) -> list[object]:
    return [json.loads(line) for line in content.split(b"\n") if line]


def chat(*turns: str, system: str | None = None, **keys: object) -> Row:
    roles = ["user", "assistant"] * (len(turns) // 2)
    said = [("system", system)] if system else []
    said += zip(roles, turns, strict=True)
    return {"messages": [{"role": role, "content": text} for role, text in said], **keys}


def user(*parts: Row) -> Row:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Row) -> Row:
    return {"role": "model", "parts": list(parts)}


CONVERSATIONS = st.lists(
    st.builds(
        lambda turns, system: chat(*turns, system=system),
        st.sampled_from([2, 4]).flatmap(lambda size: st.lists(WORDS, min_size=size, max_size=size)),
        st.none() | WORDS,
    ),
    min_size=1,
    max_size=4,
)
PAIRS = st.lists(st.builds(lambda a, b: {"prompt": a, "completion": b}, WORDS, WORDS), min_size=1, max_size=4)
TURNS = st.lists(st.builds(lambda a, b, s: chat(a, b, system=s), WORDS, WORDS, st.none() | WORDS), min_size=1)


def there_and_back(content: bytes, there: Target, back: Target) -> list[object]:
    return rows(converted(converted(content, there), back))


@settings(deadline=None)
@given(CONVERSATIONS)
def test_a_conversation_comes_back_from_gemini(made: Sequence[Row]) -> None:
    assert there_and_back(lines(*made), "gemini", "openai") == list(made)


@settings(deadline=None)
@given(PAIRS)
def test_pairs_come_back_from_every_form(made: Sequence[Row]) -> None:
    for there in ("openai", "gemini", "csv"):
        assert there_and_back(lines(*made), there, "prompt_completion") == list(made)


@settings(deadline=None)
@given(TURNS)
def test_questions_with_a_system_message_come_back_from_csv(made: Sequence[Row]) -> None:
    assert there_and_back(lines(*made), "csv", "openai") == list(made)


TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
CALLED = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}]
WITH_TOOLS = {
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "gs://b/c.png"}}],
        },
        {"role": "assistant", "tool_calls": CALLED},
        {"role": "tool", "content": "it is", "tool_call_id": "call_1"},
        {"role": "user", "content": "and?"},
        {"role": "assistant", "content": "so", "tool_calls": [{**CALLED[0], "id": "call_2"}]},
        {"role": "tool", "content": '{"y":[2]}', "tool_call_id": "call_2"},
        {"role": "assistant", "content": "done"},
    ],
    "tools": [TOOL],
}


def test_calls_and_their_results_come_back_from_gemini() -> None:
    assert there_and_back(lines(WITH_TOOLS), "gemini", "openai") == [WITH_TOOLS]


def test_a_gemini_row_comes_back_from_chat() -> None:
    row = rows(converted(lines(WITH_TOOLS), "gemini"))
    assert there_and_back(lines(*row), "openai", "gemini") == row


def test_a_preference_comes_back_from_gemini() -> None:
    row = {
        "input": {"messages": [{"role": "user", "content": "a"}]},
        "preferred_output": [{"role": "assistant", "content": "b"}],
        "non_preferred_output": [{"role": "assistant", "content": "c"}],
    }
    assert there_and_back(lines(row), "gemini", "openai") == [row]
    assert rows(converted(lines({"prompt": "a", "chosen": "b", "rejected": "c"}), "openai")) == [row]


def test_googles_names_of_types_become_those_of_json_schema() -> None:
    schema = {"type": "OBJECT", "properties": {"type": {"type": "STRING", "enum": ["A"]}}}
    row = {
        "contents": [user({"text": "a"}), model({"text": "b"})],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}],
    }
    (made,) = rows(converted(lines(row), "openai"))
    expected = {"type": "object", "properties": {"type": {"type": "string", "enum": ["A"]}}}
    assert made["tools"][0]["function"]["parameters"] == expected  # type: ignore[index]  # decoded JSON


GEMINI = {"contents": [user({"text": "a"}), model({"text": "b"})]}
LOSSES: list[tuple[object, Target, str]] = [
    (chat("a", "b", parallel_tool_calls=False), "gemini", "parallel_tool_calls"),
    (
        {"messages": [{"role": "user", "content": "a", "name": "n"}, {"role": "assistant", "content": "b"}]},
        "gemini",
        "name",
    ),
    (
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]},
        "gemini",
        "weight",
    ),
    (chat("a", "b", system="s"), "prompt_completion", "system"),
    (chat("a", "b", tools=[TOOL]), "csv", "tools"),
    (GEMINI | {"generationConfig": {"temperature": 1}}, "openai", "generation_config"),
    (GEMINI | {"toolConfig": {}}, "openai", "tool_config"),
    (GEMINI | {"systemInstruction": {"parts": [{"text": "s"}]}}, "prompt_completion", "system"),
    (
        {
            "contents": [user({"text": "a"})],
            "completions": [
                {"score": 3.0, "completion": model({"text": "b"})},
                {"score": 0, "completion": model({"text": "c"})},
            ],
        },
        "openai",
        "scores",
    ),
]


@pytest.mark.parametrize(("row", "target", "name"), LOSSES, ids=[f"{name}-{to}" for _, to, name in LOSSES])
def test_what_would_be_lost_is_named_and_may_be_given_up(row: object, target: Target, name: str) -> None:
    with pytest.raises(BadInput, match=rf"line 2, .*allow it as '{name}'") as caught:
        converted(b"\n" + lines(row), target)
    assert caught.value.code == "would_be_lost"
    conversion = Conversion(reading([lines(row)]), target, drop={name})
    assert b"".join(conversion.blocks())
    assert conversion.lost == {name: 1}
    assert conversion.rows == 1


AUDIO: Row = {"fileData": {"mimeType": "audio/mp3", "fileUri": "gs://b/a.mp3"}}
REFUSED: list[tuple[object, Target, str]] = [
    (chat("a", "b", "c", "d"), "prompt_completion", "4 turns"),
    (WITH_TOOLS, "csv", "turns"),
    ({"contents": [user(AUDIO), model({"text": "b"})]}, "openai", "audio/mp3"),
    ({"messages": [{"role": "user", "content": "a"}]}, "gemini", "last turn"),
    ({"prompt": "a", "chosen": "b", "rejected": "c"}, "csv", "dpo"),
    (
        {"contents": [user({"text": "a"})], "completions": [{"score": 1.0, "completion": model({"text": "b"})}]},
        "openai",
        "two answers",
    ),
    ({"rows": 1}, "openai", "no known form"),
    ("text", "openai", "Expected `object`"),
]


@pytest.mark.parametrize(("row", "target", "said"), REFUSED)
def test_what_has_no_form_there_is_refused_with_its_line(row: object, target: Target, said: str) -> None:
    with pytest.raises(BadInput, match=rf"line 2, .*{said}"):
        converted(b"\n" + lines(row), target)


def test_a_file_of_two_forms_is_refused() -> None:
    with pytest.raises(BadInput, match="mixed_forms"):
        converted(lines({"question": "a", "answer": "b"}, chat("a", "b")), "gemini")


def test_a_row_of_csv_is_named_by_its_own_line() -> None:
    with pytest.raises(BadInput, match=r"line 4, .*empty"):
        converted(b'prompt,completion\n"a\nb",c\n,d\n', "gemini")


def test_columns_beside_the_rows_have_to_be_given_up() -> None:
    content = b"id,prompt,completion\n1,a,b\n"
    with pytest.raises(BadInput, match="columns"):
        converted(content, "openai")
    assert converted(content, "prompt_completion", "columns") == b'{"prompt":"a","completion":"b"}\n'


def test_a_file_that_breaks_is_refused() -> None:
    with pytest.raises(BadInput, match="broken_json"):
        converted(b'[{"prompt": "a", "completion": "b"},', "openai")


def test_a_name_that_nothing_bears_is_refused() -> None:
    with pytest.raises(BadInput, match="weight"):
        converted(b"", "openai", "wait")
