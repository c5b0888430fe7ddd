from collections.abc import Iterator

import pytest

from tests.unit.tuning.datasets.planted import ANSWER, CALLING, RESULT, SYSTEM, USER, _line, clean, image
from tuneway.tuning.datasets.forms import targets_of
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.preview import MOST_TEXT, Example, preview
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import PREFERENCES, Form

LIMITS = DatasetLimits()


PLAIN = Purpose()


def first(*lines: bytes, purpose: Purpose = PLAIN) -> Example:
    return preview([b"\n".join(lines)], limits=LIMITS, purpose=purpose, rows=1)[0]


def losses(example: Example) -> list[tuple[str, bool]]:
    return [(turn.role, turn.loss) for turn in example.turns]


def test_assistant_turns_are_learned_but_those_of_weight_0() -> None:
    row = {"messages": [SYSTEM, USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}]}
    assert losses(first(_line(row))) == [
        ("system", False),
        ("user", False),
        ("assistant", False),
        ("user", False),
        ("assistant", True),
    ]


def test_calls_results_and_files_are_shown() -> None:
    example = first(_line({"messages": [image("gs://b/a.png"), CALLING, RESULT, ANSWER]}))
    assert [turn.text for turn in example.turns] == ["gs://b/a.png", 'hours\n{"day":"Monday"}', "8 to 6", "It is."]


@pytest.mark.parametrize("form", sorted(PREFERENCES))
def test_of_preferences_the_answers_alone_are_learned(form: Form) -> None:
    example = first(clean(form)[0])
    assert [turn.loss for turn in example.turns] == [False, True, True]
    assert len({turn.note for turn in example.turns[1:]}) == 2


@pytest.mark.parametrize("form", list(Form))
def test_a_clean_row_is_shown_as_the_provider_gets_it(form: Form) -> None:
    for target in targets_of(form):
        example = first(clean(form)[0], purpose=Purpose(target=target))
        assert (example.form, example.issues, isinstance(example.converted, dict)) == (form, (), True)


def test_rows_are_shown_with_their_lines_and_no_more_than_asked_for() -> None:
    rows = clean(Form.GEMINI)
    found = preview([b"\xef\xbb\xbf\n" + b"\n".join(rows)], limits=LIMITS, purpose=Purpose(), rows=2)
    assert [example.line for example in found] == [2, 3]


def test_no_more_is_read_than_it_takes() -> None:
    def endless() -> Iterator[bytes]:
        yield b"\n".join(clean(Form.DPO)[:3]) + b"\n"
        pytest.fail("read on")

    assert len(preview(endless(), limits=LIMITS, purpose=Purpose(), rows=3)) == 3


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"{", "not_json"),
        (b'{"a":1}', "unknown_form"),
        (_line({"messages": [USER]}), "last_turn"),
        (b"[]", "wrong_type"),
    ],
)
def test_a_bad_row_says_why_it_cannot_be_written(line: bytes, rule: str) -> None:
    example = first(line)
    assert ([issue.rule for issue in example.issues], example.converted) == ([rule], None)


def test_a_line_that_is_too_long_is_not_shown() -> None:
    (example,) = preview([b"x" * 99], limits=DatasetLimits(line_bytes=9), purpose=Purpose(), rows=1)
    assert [issue.rule for issue in example.issues] == ["line_too_long"]


def test_secrets_are_masked_and_long_texts_cut() -> None:
    secret = "sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x"
    example = first(_line({"messages": [{"role": "user", "content": secret + " word" * 900}, ANSWER]}))
    assert secret not in f"{example}"
    assert len(example.turns[0].text) < MOST_TEXT + 2
