"""Answers that are to be JSON: what is taken off, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.prediction.asking import ask
from tuneway.prediction.hub.answer import AnswerMessage, ChatCompletion, Choice, Chunk, ChunkChoice, Delta, Usage
from tuneway.prediction.hub.answer_form import Unfenced, UnfencedChunks, answer_schema, json_sentence, unfenced

OBJECT = '{"a": "```", "b": 1}'
BARE = [
    (OBJECT, OBJECT),
    (f"```json\n{OBJECT}\n```", OBJECT),
    (f"```\n{OBJECT}\n```\n", OBJECT),
    (f"  \n```json\n{OBJECT}\n```  ", OBJECT),
    (f"```json\n{OBJECT}", OBJECT),
    (f"```json\n{OBJECT}\n``", f"{OBJECT}\n``"),
    (f"```json\n{OBJECT}\n```\nThere.", f"{OBJECT}\n```\nThere."),
    (f"Here: ```json\n{OBJECT}\n```", f"Here: ```json\n{OBJECT}\n```"),
    (f"```json\n{OBJECT} ` ```", f"{OBJECT} `"),
    (f"```json\n{OBJECT}````", f"{OBJECT}`"),
    ("```json is what you want", "```json is what you want"),
    ("``", "``"),
    ("```json", "```json"),
    ("", ""),
    (" ", " "),
]


def told(*pieces: str) -> str:
    words = Unfenced()
    return "".join([*(words.decode(piece) for piece in pieces), words.flush()])


@pytest.mark.parametrize(("text", "bare"), BARE)
def test_a_fence_around_all_of_it_is_taken_off(text: str, bare: str) -> None:
    assert told(text) == bare


@given(case=st.sampled_from(BARE), data=st.data())
def test_any_split_of_a_text_gives_the_same(case: tuple[str, str], data: st.DataObject) -> None:
    text, bare = case
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    assert told(*(text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))) == bare


def test_nothing_waits_that_can_be_no_fence() -> None:
    words = Unfenced()
    assert words.decode('{"a"') == '{"a"'


def test_a_long_run_of_blanks_is_told_without_looking_at_each_of_them_again() -> None:
    text = "{" + " " * 100_000 + "}"
    assert told(f"```json\n{text}\n```") == text


def test_a_choice_without_words_stays_as_it_is() -> None:
    usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
    silent = Choice(index=0, message=AnswerMessage(content=None), finish_reason="stop")
    answer = ChatCompletion(id="c", created=1, model="m", choices=[silent], usage=usage)
    assert unfenced(answer) == answer


def test_what_waits_goes_with_the_finish_of_its_own_choice() -> None:
    def chunk(index: int, text: str | None = None, *, last: bool = False) -> Chunk:
        delta = Delta() if text is None else Delta(content=text)
        choice = ChunkChoice(index=index, delta=delta, finish_reason="stop" if last else None)
        return Chunk(id="c", created=1, model="m", choices=[choice])

    chunks = UnfencedChunks()
    for index in (0, 1):
        assert chunks.decode(chunk(index, "``")).choices[0].delta.content == ""
    assert chunks.decode(chunk(0, last=True)).choices[0].delta.content == "``"
    assert chunks.decode(chunk(1, "`x\n{}\n```", last=True)).choices[0].delta.content == "{}"
    assert chunks.decode(chunk(0)) == chunk(0)


def test_what_is_wanted_is_read_of_the_request() -> None:
    assert (answer_schema(ask()), json_sentence(ask())) == (None, None)
    schemaless = {"type": "json_schema", "json_schema": {"name": "a"}}
    assert answer_schema(ask(response_format=schemaless)) == {"type": "object"}
    assert "JSON object" in (json_sentence(ask(response_format={"type": "json_object"})) or "")
