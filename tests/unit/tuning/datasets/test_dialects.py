"""Rows in the words of Amazon Bedrock's base models: by example, by property, and through the lint."""

import json
from typing import Any, get_args

import msgspec
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.botocore_shapes import faults
from tuneway.tuning.bases import Words
from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import decode
from tuneway.tuning.datasets.chat_to_nova import RESERVED
from tuneway.tuning.datasets.dialects import Dialect, writer
from tuneway.tuning.datasets.forms import INSPECTORS, form_of
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.losses import Inexpressible
from tuneway.tuning.datasets.pairs import PromptRow, QuestionRow
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import Form

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

Row = dict[str, Any]


def turn(role: str, content: Any, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


def text(*said: str) -> list[Row]:
    return [{"type": "text", "text": each} for each in said]


def row(*messages: Row, **more: Any) -> Row:
    return {"messages": list(messages), **more}


def written(dialect: Dialect, given_row: Row) -> Any:
    return json.loads(writer(dialect)(decode(json.dumps(given_row).encode())))


ONE = row(turn("system", "Be brief."), turn("user", "2+2?"), turn("assistant", "4"))
SEVERAL = row(
    turn("system", "Be brief."),
    turn("developer", "Be kind."),
    turn("user", text("2", "+2?")),
    turn("user", "Please."),
    turn("assistant", "4", weight=1),
    turn("user", "And 3+3?"),
    turn("assistant", "6"),
)


@pytest.mark.parametrize(
    ("dialect", "given_row", "expected"),
    [
        (
            "claude",
            ONE,
            {
                "system": "Be brief.",
                "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}],
            },
        ),
        (
            "claude",
            SEVERAL,
            {
                "system": "Be brief.\n\nBe kind.",
                "messages": [
                    {"role": "user", "content": "2\n\n+2?\n\nPlease."},
                    {"role": "assistant", "content": "4"},
                    {"role": "user", "content": "And 3+3?"},
                    {"role": "assistant", "content": "6"},
                ],
            },
        ),
        (
            "converse",
            SEVERAL,
            {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "Be brief."}, {"text": "Be kind."}],
                "messages": [
                    {"role": "user", "content": [{"text": "2"}, {"text": "+2?"}, {"text": "Please."}]},
                    {"role": "assistant", "content": [{"text": "4"}]},
                    {"role": "user", "content": [{"text": "And 3+3?"}]},
                    {"role": "assistant", "content": [{"text": "6"}]},
                ],
            },
        ),
        ("prompt_completion", ONE, {"prompt": "Be brief.\n\n2+2?", "completion": "4"}),
    ],
)
def test_a_row_in_the_providers_words(dialect: Dialect, given_row: Row, expected: Row) -> None:
    assert written(dialect, given_row) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("pair", [PromptRow("2+2?", "4"), QuestionRow("2+2?", "4")])
def test_a_pair_is_a_question_and_its_answer(dialect: Dialect, pair: PromptRow | QuestionRow) -> None:
    plain = row(turn("user", "2+2?"), turn("assistant", "4"))
    line = msgspec.json.encode(pair)
    read = INSPECTORS[form_of(line) or Form.GEMINI](line, DatasetLimits())[1]
    assert json.loads(read.written(dialect)) == written(dialect, plain)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f"}}
USER, ANSWER = turn("user", "a"), turn("assistant", "b")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("given_row", "path"),
    [
        (row(USER, ANSWER, tools=[TOOL]), "$.tools"),
        (row(USER, ANSWER, functions=[]), "$.functions"),
        (row(USER, turn("assistant", None, tool_calls=[CALL])), "$.messages[1].tool_calls"),
        (row(USER, turn("tool", "x", tool_call_id="c"), ANSWER), "$.messages[1]"),
        (row(USER, turn("assistant", "b", weight=0)), "$.messages[1].weight"),
        (row(USER, turn("assistant", None, refusal="no")), "$.messages[1].refusal"),
        (row(USER, turn("assistant", "b", function_call={})), "$.messages[1].function_call"),
        (row(USER, turn("assistant", "b", audio={})), "$.messages[1].audio"),
        (row(USER, turn("assistant", None)), "$.messages[1].content"),
        (row(USER, turn("assistant", "")), "$.messages[1].content"),
        (row(USER, turn("assistant", text(""))), "$.messages[1].content"),
        (
            row(turn("user", [{"type": "image_url", "image_url": {"url": "gs://b/a.png"}}]), ANSWER),
            "$.messages[0].content[0]",
        ),
        (row(USER, turn("system", "c"), ANSWER), "$.messages[1].role"),
        (row(ANSWER), "$.messages"),
        (row(USER), "$.messages"),
        (row(turn("system", "c")), "$.messages"),
        (row(), "$.messages"),
    ],
)
def test_what_the_base_cannot_learn_is_named_by_its_place(dialect: Dialect, given_row: Row, path: str) -> None:
    with pytest.raises(Inexpressible) as caught:
        writer(dialect)(msgspec.convert(given_row, ChatRow))
    assert (caught.value.finding.rule, caught.value.finding.path) == ("not_expressible", path)


def test_a_pair_holds_one_exchange() -> None:
    with pytest.raises(Inexpressible, match="4 turns"):
        written("prompt_completion", SEVERAL)


@pytest.mark.parametrize("word", ["User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]"])
def test_what_nova_keeps_for_itself_is_no_prompt(word: str) -> None:
    for index, messages in enumerate(
        [(turn("system", f"a {word}"), USER, ANSWER), (turn("user", f"{word} a"), ANSWER)]
    ):
        with pytest.raises(Inexpressible, match="keeps") as caught:
            written("converse", row(*messages))
        assert caught.value.finding.path == "$.messages[0].content", index
    assert written("converse", row(USER, turn("assistant", f"{word} is fine in an answer")))


# Any conversation in words.

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda said: not RESERVED.search(said))
TURNS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4)


@given(system=st.lists(WORDS, max_size=2), turns=TURNS)
def test_claude_gets_every_word_in_turn(system: list[str], turns: list[tuple[str, str]]) -> None:
    out = written("claude", _row(system, turns))
    assert set(out) <= {"system", "messages"}
    assert out.get("system", "") == "\n\n".join(system)
    assert [each["content"] for each in out["messages"]] == [said for pair in turns for said in pair]
    assert [each["role"] for each in out["messages"]] == ["user", "assistant"] * len(turns)


@given(system=st.lists(WORDS, max_size=2), turns=TURNS)
def test_nova_gets_rows_that_converse_takes(system: list[str], turns: list[tuple[str, str]]) -> None:
    out = written("converse", _row(system, turns))
    assert out.pop("schemaVersion") == "bedrock-conversation-2024"
    assert list(faults({"modelId": "amazon.nova-micro-v1:0", **out}, _converse())) == []
    assert [part["text"] for each in out["messages"] for part in each["content"]] == [s for pair in turns for s in pair]


@given(system=st.lists(WORDS, max_size=2), pair=st.tuples(WORDS, WORDS))
def test_a_prompt_ends_with_the_question(system: list[str], pair: tuple[str, str]) -> None:
    out = written("prompt_completion", _row(system, [pair]))
    assert out == {"prompt": "\n\n".join([*system, pair[0]]), "completion": pair[1]}


def _row(system: list[str], turns: list[tuple[str, str]]) -> Row:
    said = [turn(role, each) for pair in turns for role, each in zip(("user", "assistant"), pair, strict=True)]
    return row(*[turn("system", each) for each in system], *said)


def _converse() -> Any:
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
    return model.operation_model("Converse").input_shape


# Through the lint.


def test_the_catalogues_words_are_known_here() -> None:
    assert set(DIALECTS) | {"gemini", "messages"} == set(get_args(Words))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_lint_writes_the_copy(dialect: Dialect) -> None:
    copy = list[bytes]()
    lines = [json.dumps(ONE).encode() + b"\n"] * 3
    report = lint(lines, limits=DatasetLimits(), sink=copy.append, purpose=Purpose(target=dialect))
    assert report.accepted
    assert report.differs
    assert [json.loads(line) for line in b"".join(copy).splitlines()] == [written(dialect, ONE)] * 3


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_lint_names_the_line_that_cannot_be_written(dialect: Dialect) -> None:
    lines = [json.dumps(each).encode() + b"\n" for each in (ONE, row(USER, ANSWER, tools=[TOOL]))]
    report = lint(lines, limits=DatasetLimits(), sink=lambda _: None, purpose=Purpose(target=dialect))
    assert [(each.line, each.path, each.rule) for each in report.errors] == [(2, "$.tools", "not_expressible")]
