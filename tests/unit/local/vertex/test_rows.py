"""Rows for open models, and for the students of a teacher."""

import json

import msgspec
import pytest

from tuneway.local.vertex.rows import BadRow, open_model, prompts

PICTURE = {"type": "image_url", "image_url": {"url": "gs://data/cat.png"}}
ASKED = {"role": "user", "content": "What is it?"}
SAID = {"role": "assistant", "content": "A cat."}


def line(**row: object) -> bytes:
    return json.dumps(row).encode()


def test_a_message_may_come_in_parts_with_a_picture() -> None:
    turn = {"role": "user", "content": [PICTURE, {"type": "text", "text": "What is it?"}]}
    row = open_model(line(messages=[{"role": "system", "content": "Be brief."}, turn, SAID]))
    assert (row.read, row.written, row.user_turns) == ("Be brief.\nWhat is it?", "A cat.", 1)
    assert row.examples[0].prompt == "What is it?"


@pytest.mark.parametrize(
    "row",
    [
        line(prompt="What is it?"),
        line(prompt="What is it?", completion="A cat."),
        line(messages=[ASKED]),
        line(messages=[ASKED, SAID]),
        line(contents=[{"role": "user", "parts": [{"text": "What is it?"}]}]),
    ],
)
def test_a_prompt_is_one_with_or_without_an_answer(row: bytes) -> None:
    assert prompts(row).examples[0].prompt == "What is it?"


@pytest.mark.parametrize("row", [line(completion="A cat."), line(messages=[]), line(contents=[])])
def test_a_row_without_a_prompt_is_bad(row: bytes) -> None:
    with pytest.raises(BadRow):
        prompts(row)


@pytest.mark.parametrize("content", [7, [{"type": "sound"}], None])
def test_a_message_of_another_kind_is_bad(content: object) -> None:
    with pytest.raises(msgspec.MsgspecError):
        open_model(line(messages=[{"role": "user", "content": content}, SAID]))
