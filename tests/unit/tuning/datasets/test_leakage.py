import pytest

from tests.unit.tuning.datasets.planted import clean
from tuneway.tuning.datasets.leakage import Learned, normalised
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport, Form

LIMITS = DatasetLimits(recommended_rows=1)


def compared(training: list[bytes], validation: list[bytes]) -> DatasetReport:
    learned = Learned()
    lint([b"\n".join(training)], limits=LIMITS, purpose=Purpose(learned=learned))
    return lint([b"\n".join(validation)], limits=LIMITS, purpose=Purpose(against=learned))


def pair(asked: str, answered: str = "2") -> bytes:
    return b'{"prompt":"%s","completion":"%s"}' % (asked.encode(), answered.encode())


@pytest.mark.parametrize("form", list(Form))
def test_rows_of_the_training_file_are_told_in_every_form(form: Form) -> None:
    rows = clean(form)
    report = compared(rows[:100], [rows[150], rows[7], rows[160], rows[99]])
    assert [(issue.line, issue.rule) for issue in report.warnings] == [(2, "leaked_row"), (4, "leaked_row")]
    assert report.accepted


@pytest.mark.parametrize("asked", ["What is one and one?", "what is  ONE and one", " What is one\\nand one? "])
def test_the_same_prompt_in_other_clothes_is_told(asked: str) -> None:
    report = compared([pair("What is one and one?")], [pair(asked, "two")])
    assert [issue.rule for issue in report.warnings] == ["leaked_prompt"]


@pytest.mark.parametrize("asked", ["What is 1+1?", "What is one and two?", "One and one"])
def test_another_prompt_is_not_the_same(asked: str) -> None:
    assert compared([pair("What is 1-1?"), pair("What is one and one?")], [pair(asked)]).warnings == ()


def test_the_same_prompt_in_another_form_is_told() -> None:
    chat = b'{"messages":[{"role":"user","content":"What is one and one?"},{"role":"assistant","content":"2"}]}'
    assert compared([pair("What is one and one?")], [chat]).by_rule == {"leaked_prompt": 1}


def test_a_training_file_alone_leaks_nothing() -> None:
    learned = Learned()
    rows = [pair("a"), pair("b")]
    assert lint([b"\n".join(rows)], limits=LIMITS, purpose=Purpose(learned=learned)).by_rule == {}
    assert (learned.rows.count, learned.prompts.count) == (2, 2)


def test_letters_of_several_encodings_are_one() -> None:
    assert normalised("Cafe\u0301  \u2163?") == normalised("CAF\u00c9 IV")
