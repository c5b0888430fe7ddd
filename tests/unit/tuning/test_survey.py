import gzip
import hashlib
import io
import json

import pytest

from tests.unit.tuning.datasets.planted import clean
from tuneway.tuning.datasets.kinds import Columns, Kind
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import DatasetReport, Form
from tuneway.tuning.survey import Manner, survey

LIMITS = DatasetLimits(recommended_rows=1)
ROWS = clean(Form.PROMPT_COMPLETION)
JSONL = b"\n".join(ROWS) + b"\n"
CSV = b'prompt,completion\r\n"one\ntwo",a\r\nthree,\r\nfour,ann@acme.com\r\n'


def surveyed(body: bytes, **manner: object) -> tuple[DatasetReport, list[bytes]]:
    copy: list[bytes] = []
    report = survey(io.BytesIO(body), limits=LIMITS, sink=copy.append, manner=Manner(**manner))  # type: ignore[arg-type]
    return report, copy


def places(report: DatasetReport) -> list[tuple[int | None, str]]:
    return [(issue.line, issue.rule) for issue in (*report.errors, *report.warnings)]


@pytest.mark.parametrize(
    "body",
    [
        JSONL,
        gzip.compress(JSONL, mtime=0),
        b"[" + b",\n".join(ROWS) + b"]",
        json.dumps(list(map(json.loads, ROWS))).encode(),
    ],
    ids=["jsonl", "gzip", "array", "array on one line"],
)
def test_rows_of_every_kind_of_file_are_the_same_rows(body: bytes) -> None:
    plain, expected = surveyed(JSONL)
    report, copy = surveyed(body)
    assert (report.rows, report.tokens, report.by_rule) == (300, plain.tokens, {})
    assert (report.bytes, report.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert report.differs
    assert copy == expected


def test_gemini_rows_in_a_packed_file_differ_from_it() -> None:
    body = b"\n".join(clean(Form.GEMINI))
    assert [surveyed(content)[0].differs for content in (body, gzip.compress(body))] == [False, True]


def test_issues_stand_on_the_lines_of_the_users_own_file() -> None:
    report, _ = surveyed(CSV)
    assert places(report) == [(4, "empty_content"), (5, "personal_data")]


def test_columns_can_be_named() -> None:
    body = CSV.replace(b"prompt,completion", b"asked,told")
    report, _ = surveyed(body, columns=Columns(prompt="asked", completion="told"))
    assert places(report) == [(4, "empty_content"), (5, "personal_data")]


def test_what_cannot_be_read_is_in_the_report() -> None:
    report, _ = surveyed(gzip.compress(JSONL, mtime=0)[:-200])
    assert (report.verdict, report.errors[0].rule) == ("rejected", "broken_gzip")
    report, _ = surveyed(b'prompt,completion\na,"b', kind=Kind.CSV)
    assert "unclosed_quote" in report.by_rule


def test_the_whole_file_is_hashed_also_when_reading_ends_early() -> None:
    body = b'[{"prompt":"a","completion":"b"} broken' + b" " * 300_000
    report, _ = surveyed(body)
    assert (report.bytes, report.sha256) == (len(body), hashlib.sha256(body).hexdigest())
