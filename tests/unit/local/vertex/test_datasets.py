"""Training files are read row by row and judged as a tuning job judges them."""

import json
from pathlib import Path

import pytest

from tuneway.local.vertex.datasets import read
from tuneway.local.vertex.rows import Parser, open_model, preference, supervised


def turn(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"text": text}]}


GOOD = {"contents": [turn("user", "hi"), turn("model", "hello"), turn("user", "bye"), turn("model", "so long")]}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_every_answer_of_a_row_is_learned(tmp_path: Path) -> None:
    reading = read(written(tmp_path, GOOD, "", GOOD), "gs://b/r", parser=supervised, limit=100)
    assert reading.report.rows == 2
    assert [example.prompt for example in reading.examples] == ["hi", "bye", "hi", "bye"]
    assert json.loads(reading.examples[1].answer) == [{"text": "so long"}]
    assert reading.report.distributions["userMessagePerExampleDistribution"]["mean"] == 2.0


def test_a_row_that_is_too_long_is_counted(tmp_path: Path) -> None:
    report = read(written(tmp_path, GOOD, GOOD), "gs://b/r", parser=supervised, limit=1).report
    assert report.cut == (1, 2)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "row 2"),
        ("[]", "row 2"),
        ({"contents": []}, "must not be empty"),
        ({"contents": [turn("user", "hi")]}, "last turn"),
        ({"contents": [turn("model", "hi")]}, "no user turn"),
        ({"contents": [turn("assistant", "hi")]}, "contents[0].role"),
        ({"contents": [{"role": "user", "parts": []}, turn("model", "x")]}, "contents[0].parts"),
        ({"contents": [{"role": "user", "parts": [{}]}, turn("model", "x")]}, "contents[0].parts"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "contents"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: object, words: str) -> None:
    report = read(written(tmp_path, GOOD, row), "gs://b/r", parser=supervised, limit=100).report
    assert report.error_code == 3
    assert "row 2" in str(report.error)
    assert words in str(report.error)


@pytest.mark.parametrize(
    ("row", "parser"),
    [
        ({"prompt": "hi", "completion": "hello"}, open_model),
        ({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}, open_model),
        ({"contents": [turn("user", "hi"), turn("assistant", "hello")]}, open_model),
        (
            {
                "contents": [turn("user", "hi")],
                "completions": [
                    {"score": 0.2, "completion": turn("model", "no")},
                    {"score": 0.9, "completion": turn("model", "hello")},
                ],
            },
            preference,
        ),
    ],
)
def test_other_forms_are_learned_alike(tmp_path: Path, row: object, parser: Parser) -> None:
    reading = read(written(tmp_path, row), "gs://b/r", parser=parser, limit=100)
    assert [(each.prompt, json.loads(each.answer)) for each in reading.examples] == [("hi", [{"text": "hello"}])]


def test_an_empty_and_a_missing_file_fail(tmp_path: Path) -> None:
    empty = read(written(tmp_path), "gs://b/r", parser=supervised, limit=1).report
    missing = read(tmp_path / "none", "gs://b/none", parser=supervised, limit=1).report
    assert (empty.error_code, missing.error_code) == (3, 5)
    assert "gs://b/none" in str(missing.error)
