"""Columns that a caller names are the keys of rows in JSON; where rows have none such, that is told and not ignored."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.tuning.datasets.read_files import PAIRS, cut, decoded, outcome, whole
from tuneway.errors import BadInput
from tuneway.tuning.datasets.kinds import Columns, Kind
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.reading import reading
from tuneway.tuning.survey import Manner, survey

NAMED = Columns(prompt="ticket", completion="reply")
CHAT = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'
ROWS = [{"ticket": "a", "reply": "b"}, {"ticket": "c", "reply": "d"}]
PAIR = {"prompt": "a", "completion": "b"}
WRITTEN = {
    "jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "array": json.dumps(ROWS).encode(),
    "indented": json.dumps(ROWS, indent=2).encode(),
    "container": json.dumps({"data": ROWS}).encode(),
    "documents": "\n".join(json.dumps(row, indent=1) for row in ROWS).encode(),
    "packed": gzip.compress("\n".join(map(json.dumps, ROWS)).encode(), mtime=0),
    "marked": b"\xef\xbb\xbf" + "\r\n".join(map(json.dumps, ROWS)).encode(),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_rows_are_read_by_the_keys_that_are_named(form: str) -> None:
    found = whole(WRITTEN[form], columns=NAMED)
    assert (decoded(found), found.rules) == ([PAIR, {"prompt": "c", "completion": "d"}], [])


@settings(deadline=None)
@given(rows=PAIRS, cuts=st.lists(st.integers(0, 1 << 20), max_size=8), opened=st.sampled_from(["", "["]))
def test_rows_are_the_same_however_their_bytes_are_cut(
    rows: list[tuple[str, str]], cuts: list[int], opened: str
) -> None:
    records = [{"reply": said, "ticket": asked} for asked, said in rows]
    content = json.dumps(records).encode() if opened else "\n".join(map(json.dumps, records)).encode()
    found = outcome(reading(cut(content, cuts), columns=NAMED))
    assert decoded(found) == [{"prompt": asked, "completion": said} for asked, said in rows]
    assert found == whole(content, columns=NAMED)


def test_the_case_of_a_key_and_blanks_around_it_do_not_matter_as_in_a_table() -> None:
    found = whole(b'{" Ticket":"a","REPLY ":"b"}\n', columns=NAMED)
    assert decoded(found) == [PAIR]


def test_pairs_under_their_usual_names_may_be_named_too() -> None:
    swapped = Columns(prompt="completion", completion="prompt")
    assert decoded(whole(b'{"prompt":"b","completion":"a"}\n', columns=swapped)) == [PAIR]


def test_instructions_are_a_system_message_where_a_row_has_them() -> None:
    named = Columns(prompt="q", completion="a", system="s")
    content = b'{"q":"1","a":"2"}\n{"q":"1","a":"2","s":null}\n{"q":"1","a":"2","s":"3"}\n'
    turns = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
    assert decoded(whole(content, columns=named)) == [
        {"messages": turns},
        {"messages": turns},
        {"messages": [{"role": "system", "content": "3"}, *turns]},
    ]
    assert survey([content], limits=DatasetLimits(), manner=Manner(columns=named)).accepted


def test_instructions_that_no_row_has_are_missed() -> None:
    found = whole(b'{"q":"1","a":"2"}\n', columns=Columns(prompt="q", completion="a", system="s"))
    assert found.rules == [("missing_column", None)]


@pytest.mark.parametrize(
    "content", [CHAT, b"[" + CHAT + b"]", gzip.compress(CHAT, mtime=0), b'{"data": [' + CHAT + b"]}"]
)
def test_chat_rows_have_no_columns_to_name(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"Line 1 of 'rows\.json' has no 'ticket' and no 'reply'") as refused:
        whole(content, columns=NAMED, name="rows.json")
    assert (refused.value.param, refused.value.code) == ("columns", "columns_not_found")
    assert "'messages'" in refused.value.message
    assert "leave 'columns' out" in refused.value.message
    assert "--prompt-column" in refused.value.message


def test_the_name_of_a_file_is_told_without_its_signature() -> None:
    with pytest.raises(BadInput) as refused:
        whole(CHAT, columns=NAMED, name="https://host/rows.jsonl?sig=secret")
    assert "https://host/rows.jsonl'" in refused.value.message
    assert "secret" not in refused.value.message


def test_a_later_row_without_the_keys_is_a_fault_with_its_line() -> None:
    found = whole(b'{"ticket":"a","reply":"b"}\n\n{"ticket":"a"}\nnonsense\n{"ticket":"c","reply":"d"}', columns=NAMED)
    assert found.rules == [("blank_line", 2), ("missing_key", 3), ("not_json", 4)]
    assert (len(found.rows), found.lines) == (2, [1, 5])


def test_a_row_in_an_array_keeps_the_line_it_begins_on() -> None:
    rows = [{"ticket": "a", "reply": "b"}, {"ticket": "x"}, {"ticket": "c", "reply": "d"}]
    found = whole(json.dumps(rows, indent=1).encode(), columns=NAMED)
    assert (found.lines, found.rules) == ([2, 9], [("missing_key", 6)])


def test_an_array_that_breaks_is_told_behind_its_rows() -> None:
    found = whole(b'[{"ticket":"a","reply":"b"},\n{"ticket":', columns=NAMED)
    assert (len(found.rows), found.rules) == (1, [("broken_json", 2)])


def test_keys_beside_those_that_are_named_are_told_once() -> None:
    row = b'{"ticket":"a","reply":"b","id":1}\n'
    found = whole(row + b'{"ticket":"a","reply":"b"}\n' + row, columns=NAMED)
    assert found.rules == [("column_ignored", 1)]


def test_what_stands_beside_an_array_is_told_too() -> None:
    found = whole(b'{"data":[{"ticket":"a","reply":"b"}],"made":"today"}', columns=NAMED)
    assert found.rules == [("keys_ignored", None)]


def test_one_key_is_not_asked_and_answered() -> None:
    found = whole(CHAT, columns=Columns(prompt="a", completion=" A"))
    assert found.rules == [("missing_column", None)]


def test_a_line_beyond_all_bounds_is_left_out() -> None:
    long = b'{"ticket":"' + b"a" * DatasetLimits().line_bytes + b'"}\n'
    found = whole(WRITTEN["jsonl"] + b"\n" + long, columns=NAMED)
    assert (len(found.rows), found.rules) == (2, [("line_too_long", 3)])


def test_a_table_by_its_columns_is_read_by_its_own() -> None:
    found = whole(b'{"prompt":["a"],"completion":["b"],"x":["c"]}', columns=Columns(prompt="x", completion="prompt"))
    assert decoded(found) == [{"prompt": "c", "completion": "a"}]


def test_the_lint_of_named_rows_is_of_the_file_as_it_is_stored() -> None:
    content = WRITTEN["jsonl"]
    copy: list[bytes] = []
    report = survey([content], limits=DatasetLimits(), sink=copy.append, manner=Manner(columns=NAMED))
    assert (report.rows, report.bytes, report.differs) == (2, len(content), True)
    assert b"ticket" not in b"".join(copy)


def test_what_is_no_text_names_its_line() -> None:
    report = survey([b'{"ticket":"a","reply":5}\n'], limits=DatasetLimits(), manner=Manner(columns=NAMED))
    assert [(issue.line, issue.rule) for issue in report.errors] == [(1, "wrong_type")]


def test_the_kind_of_the_file_is_told_as_before() -> None:
    assert reading([WRITTEN["array"]], columns=NAMED).kind is Kind.JSON
    assert reading([WRITTEN["jsonl"]], columns=NAMED).kind is Kind.JSONL
