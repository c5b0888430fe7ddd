from pathlib import Path

import msgspec
import pytest

import tuneway
from tuneway.errors import BadInput
from tuneway.tuning.datasets.chat_rows import chat_rows
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.report import Form

QUESTIONS = Path(tuneway.__file__).parent / "local" / "gsm8k" / "questions.jsonl"
PAIR = b'{"question":"1+1?","answer":"2"}'


def test_a_pair_becomes_a_chat_row() -> None:
    expected = {"messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]}
    lines = [b"\xef\xbb\xbf" + PAIR + b"\n\n", b'{"prompt":"1+1?","completion":"2"}']
    assert [msgspec.json.decode(row) for row in chat_rows(lines)] == [expected, expected]


def test_a_system_message_stands_before_every_pair() -> None:
    (row,) = chat_rows([PAIR], system="Count.")
    assert msgspec.json.decode(row)["messages"][0] == {"role": "system", "content": "Count."}


def test_chat_rows_stay_as_they_are() -> None:
    line = b'{"messages": []}\n'
    assert list(chat_rows([line])) == [line]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"{", "not_json"),
        (b'{"question":1,"answer":"2"}', "wrong_type"),
        (b'{"contents":[]}', "unknown_form"),
        (b"x" * (9 << 20), "line_too_long"),
    ],
)
def test_a_bad_line_is_named(line: bytes, rule: str) -> None:
    with pytest.raises(BadInput, match="line 2") as caught:
        list(chat_rows([PAIR + b"\n" + line + b"\n"]))
    assert caught.value.code == rule


def test_the_questions_that_come_with_tuneway_are_accepted_in_both_forms() -> None:
    with QUESTIONS.open("rb") as file:
        converted = list(chat_rows(file))
    with QUESTIONS.open("rb") as file:
        direct = lint(file, limits=DatasetLimits())
    through_chat = lint(converted, limits=DatasetLimits())
    assert (direct.form, through_chat.form) == (Form.QUESTION_ANSWER, Form.OPENAI_CHAT)
    assert direct.rows == through_chat.rows == 400
    assert direct.accepted
    assert through_chat.accepted
    assert direct.characters == through_chat.characters
