"""Every planted fault is found in its place, and nothing else is found anywhere."""

import pytest

from tests.unit.tuning.datasets.planted import FAULTS, QUESTIONS, ROWS, WRITTEN, Planted, clean
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.report import DatasetReport, Form
from tuneway.tuning.datasets.rules import RULES

PLACES = (1, 2, 157, ROWS)


def found(report: DatasetReport) -> list[tuple[int | None, str, str]]:
    return [(issue.line, issue.path, issue.rule) for issue in (*report.errors, *report.warnings)]


def planted(fault: Planted, line: int) -> bytes:
    lines = clean(fault.form)
    lines[line - 1 : line] = [fault.line]
    return b"\n".join(lines) + b"\n"


def test_there_are_more_than_fifty_kinds() -> None:
    assert len({(fault.form, fault.name) for fault in FAULTS}) == len(FAULTS) > 100
    assert len({fault.rule for fault in FAULTS}) > 45


@pytest.mark.parametrize("form", list(Form))
def test_nothing_is_found_in_a_clean_file(form: Form) -> None:
    copy: list[bytes] = []
    report = lint([b"\n".join(clean(form)) + b"\n"], limits=DatasetLimits(), sink=copy.append)
    assert (report.form, report.rows, report.verdict, found(report)) == (form, ROWS, "accepted", [])
    assert len(copy) == ROWS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.form}: {fault.name}")
@pytest.mark.parametrize("line", [2, ROWS])
def test_a_planted_fault_is_found_where_it_stands(fault: Planted, line: int) -> None:
    report = lint([planted(fault, line)], limits=fault.limits)
    assert found(report) == [(line, fault.path, fault.rule)]
    assert report.accepted is (RULES[fault.rule].severity == "warning")
    assert report.by_rule == {fault.rule: 1}


@pytest.mark.parametrize("size", [1, 7, 64, 300, 4_096])
def test_a_secret_is_found_however_the_file_is_cut(size: int) -> None:
    secrets = [
        fault for fault in FAULTS if fault.rule in {"secret", "personal_data"} and fault.form == Form.OPENAI_CHAT
    ]
    body = b"\n".join([*clean(Form.OPENAI_CHAT)[:3], *(fault.line for fault in secrets)])
    report = lint((body[at : at + size] for at in range(0, len(body), size)), limits=secrets[0].limits)
    assert found(report) == [(4 + place, fault.path, fault.rule) for place, fault in enumerate(secrets)]


def test_what_is_found_is_never_shown() -> None:
    for fault in FAULTS:
        if fault.rule in {"secret", "personal_data"}:
            (issue,) = lint([planted(fault, 5)], limits=fault.limits).warnings
            text = fault.line.decode().partition("See: ")[2].partition(" there")[0]
            assert issue.excerpt
            assert text not in issue.excerpt or not text, fault.name
            assert "hunter2" not in issue.excerpt


def test_every_form_has_a_clean_row() -> None:
    assert set(WRITTEN) == set(Form)
    assert QUESTIONS.is_file()
