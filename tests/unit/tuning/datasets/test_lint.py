import hashlib
import io
import random
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.report import DatasetReport, Form

LIMITS = DatasetLimits(recommended_rows=1)
CHAT = b'{"messages":[{"role":"user","content":"%s"},{"role":"assistant","content":"yes"}]}'
GEMINI = b'{"contents":[{"role":"user","parts":[{"text":"%s"}]},{"role":"model","parts":[{"text":"yes"}]}]}'


def chat(said: bytes = b"hi") -> bytes:
    return CHAT % said


def of(*lines: bytes, limits: DatasetLimits = LIMITS) -> DatasetReport:
    return lint([b"\n".join(lines) + b"\n"], limits=limits)


def test_a_good_file_is_accepted_and_measured() -> None:
    body = chat(b"one") + b"\n" + chat(b"two") + b"\n"
    report = lint(io.BytesIO(body), limits=LIMITS)
    assert (report.verdict, report.form, report.rows, report.bytes) == ("accepted", Form.OPENAI_CHAT, 2, len(body))
    assert report.sha256 == hashlib.sha256(body).hexdigest()
    assert report.characters == len("oneyestwoyes")
    assert report.tokens.low <= report.tokens.high
    assert report.tokens.basis


def test_a_bad_third_line_is_named_with_path_rule_and_remedy() -> None:
    report = of(chat(b"1"), chat(b"2"), b'{"messages":[{"role":"user","content":"a"},{"role":"bot","content":"b"}]}')
    assert not report.accepted
    issue = report.errors[0]
    assert (issue.line, issue.path, issue.rule) == (3, "$.messages[1].role", "unknown_role")
    assert "'bot'" in issue.message
    assert "assistant" in issue.remedy
    assert report.summary.startswith("Line 3, $.messages[1].role: ")


@pytest.mark.parametrize("body", [b"", b"\n", b"\n \n\r\n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_is_refused_as_empty(body: bytes) -> None:
    report = lint([body], limits=LIMITS)
    assert (report.rows, [issue.rule for issue in report.errors]) == (0, ["empty_dataset"])
    assert report.summary.startswith("The file holds no rows.")


@pytest.mark.parametrize(
    ("line", "rule", "path"),
    [
        (b"{", "not_json", "$"),
        (chat() + b"}", "not_json", "$"),
        (b'{"messages":' + b"[" * 100_000, "not_json", "$"),
        (b'{"messages":[],"tools":[{"function":{"name":"f","parameters":{"a":%s' % (b"[" * 9_000), "not_json", "$"),
        (b'{"messages":[{"role":"user","content":"\xff"}]}', "not_utf8", "$"),
        (b'{"\xff":1}', "not_utf8", "$"),
        (b"[1]", "wrong_type", "$"),
        (b'{"text":"a"}', "unknown_form", "$"),
        (b'{"messages":3}', "wrong_type", "$.messages"),
        (b'{"messages":[{"role":"user"}]}', "missing_key", "$.messages[0].content"),
        (b'{"messages":[{"content":"a"}]}', "missing_key", "$.messages[0].role"),
        (b'{"messages":[],"nme":1}', "unknown_key", "$.nme"),
        (b'{"messages":[{"role":"user","content":"a","nme":1}]}', "unknown_key", "$.messages[0].nme"),
        (b'{"messages":[{"role":"user","content":4}]}', "wrong_type", "$.messages[0].content"),
        (b'{"prompt":"a"}', "missing_key", "$.completion"),
        (b'{"question":" ","answer":"a"}', "empty_content", "$.question"),
        (b'{"contents":[],"system_instruction":{}}', "unknown_key", "$.system_instruction"),
    ],
)
def test_a_line_that_is_no_row_says_why(line: bytes, rule: str, path: str) -> None:
    first = of(line).errors[0]
    assert (first.line, first.rule, first.path) == (1, rule, path)


def test_a_row_of_another_form_is_an_error_at_its_line() -> None:
    report = of(chat(), GEMINI % b"a", chat(b"b"))
    assert [(issue.line, issue.rule) for issue in report.errors] == [(2, "mixed_forms")]


def test_the_form_comes_from_the_first_row_that_tells_one() -> None:
    report = of(b"{", GEMINI % b"a")
    assert (report.form, report.by_rule) == (Form.GEMINI, {"not_json": 1})


def test_only_the_first_errors_are_kept_but_all_are_counted() -> None:
    report = lint([b"{\n" * 50], limits=LIMITS, keep=3)
    assert ([issue.line for issue in report.errors], report.error_count) == ([1, 2, 3], 50)
    assert report.by_rule["not_json"] == 50
    assert "49 more errors" in report.summary


def test_what_is_wrong_with_the_whole_file_comes_first() -> None:
    report = lint([b"{\n" * 9], limits=DatasetLimits(rows=8), keep=2)
    assert [issue.line for issue in report.errors] == [None, 1, 2]


def test_a_good_report_says_so_in_a_sentence() -> None:
    assert of(chat()).summary == "Good rows: 1."


def test_untidy_lines_are_warned_of_and_tidied_in_the_copy() -> None:
    copy: list[bytes] = []
    body = b"\xef\xbb\xbf" + GEMINI % b"a" + b"\r\n\n" + GEMINI % b"b"
    report = lint([body], limits=LIMITS, sink=copy.append)
    assert b"".join(copy) == GEMINI % b"a" + b"\n" + GEMINI % b"b"
    assert report.accepted
    assert report.differs
    assert report.by_rule == {"byte_order_mark": 1, "blank_line": 1}


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_gemini_rows_pass_unchanged(end: bytes) -> None:
    copy: list[bytes] = []
    body = GEMINI % b"a" + b"\n" + GEMINI % b"b" + end
    assert not lint([body], limits=LIMITS, sink=copy.append).differs
    assert b"".join(copy) == body


def test_nothing_is_written_after_an_error() -> None:
    copy: list[bytes] = []
    lint([chat(b"1") + b"\n{\n" + chat(b"2")], limits=LIMITS, sink=copy.append)
    assert len(copy) == 1


def test_repeated_rows_and_short_files_are_warned_of() -> None:
    report = of(chat(), chat(), limits=DatasetLimits())
    assert report.accepted
    assert {issue.rule: issue.line for issue in report.warnings} == {"short_dataset": None, "duplicate_row": 2}


def test_limits_of_the_base_are_kept() -> None:
    assert of(chat(b"a"), chat(b"b"), limits=DatasetLimits(rows=1)).by_rule["too_many_rows"] == 1
    assert of(chat(b"a" * 99), limits=DatasetLimits(bytes=50)).by_rule == {"too_many_bytes": 1}
    assert of(chat(b"word " * 2000), limits=DatasetLimits(row_tokens=500)).by_rule["row_too_long"] == 1
    assert of(chat(b"word " * 400), limits=DatasetLimits(row_tokens=550)).by_rule["row_maybe_too_long"] == 1
    assert of(chat(b"a" * 99), limits=DatasetLimits(line_bytes=50)).by_rule["line_too_long"] == 1


def test_rows_with_files_have_a_limit_of_their_own() -> None:
    image = b'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"gs://b/a.png"}}]},'
    row = image + b'{"role":"assistant","content":"%d"}]}'
    report = of(row % 1, row % 2, limits=DatasetLimits(media_rows=1))
    assert (report.media_rows, report.by_rule["too_many_media_rows"]) == (2, 1)


def test_a_script_of_three_bytes_a_character_widens_the_interval() -> None:
    report = of(chat("漢字".encode() * 100))
    assert report.tokens.high > 200 * 0.9
    assert report.tokens.low < 200 * 0.3


def test_validation_files_have_limits_beside_the_training_file() -> None:
    assert DatasetLimits().for_validation(100).rows == 1_000
    assert DatasetLimits().for_validation(10_000).rows == 3_000
    assert DatasetLimits().for_validation(1_000_000).rows == 5_000


LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [chat(), GEMINI % b"g", b'{"prompt":"a","completion":"b"}', b"", b"\r", b"{}", b"\xef\xbb\xbf"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["messages", "contents", "role", "content", "parts", "text"]), inner)
            ),
        ).map(msgspec.json.encode),
    ),
    max_size=8,
)


@given(lines=LINES, cuts=st.lists(st.integers(0, 400), max_size=6), bound=st.sampled_from([60, 1 << 20]))
def test_any_bytes_in_any_chunks_give_one_report_and_no_crash(lines: list[bytes], cuts: list[int], bound: int) -> None:
    body = b"\n".join(lines)
    limits = DatasetLimits(line_bytes=bound, bytes=300)
    copies: tuple[list[bytes], list[bytes]] = ([], [])
    whole = lint(io.BytesIO(body), limits=limits, sink=copies[0].append)
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert lint(pieces, limits=limits, sink=copies[1].append) == whole
    assert copies[0] == copies[1]
    assert msgspec.json.decode(msgspec.json.encode(whole), type=DatasetReport) == whole


def generated(rows: int) -> Iterator[bytes]:
    chance = random.Random(1)
    for number in range(rows):
        yield chat(b"%d %s" % (number, b"word " * chance.randrange(300))) + b"\n"


def peak(source: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        lint(source, limits=LIMITS, sink=len)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_size_of_the_file() -> None:
    small, large = peak(generated(1_000)), peak(generated(20_000))
    assert large < small + 500_000


def test_a_line_without_end_is_not_read_into_memory() -> None:
    endless = (b"x" * 65_536 for _ in range(1_000))
    assert peak(endless) < 20_000_000
