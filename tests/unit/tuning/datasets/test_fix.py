import io

import msgspec
import pytest

from tests.unit.tuning.datasets.planted import ANSWER, ASKED, SAID, SYSTEM, USER, clean
from tuneway.errors import BadInput
from tuneway.tuning.datasets.fix import Fixed, Fixer
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.reading import reading
from tuneway.tuning.datasets.report import Form

LIMITS = DatasetLimits(recommended_rows=1)


def fixed(*lines: bytes, drop_bad: bool = False) -> tuple[Fixed, list[bytes]]:
    copy = io.BytesIO()
    told = Fixer(copy.write, limits=LIMITS, drop_bad=drop_bad).fix([b"\n".join(lines) + b"\n"])
    return told, copy.getvalue().splitlines()


def row(*messages: object, key: str = "messages") -> bytes:
    return msgspec.json.encode({key: messages})


@pytest.mark.parametrize("form", list(Form))
def test_a_clean_file_comes_out_byte_for_byte(form: Form) -> None:
    told, rows = fixed(*clean(form))
    assert (told.by_rule, told.changes, told.left) == ({}, (), 0)
    assert rows == clean(form)


def test_marks_blank_lines_and_carriage_returns_go() -> None:
    told, rows = fixed(b"\xef\xbb\xbf" + row(USER, ANSWER) + b"\r", b"", b" \r", row(USER, SYSTEM, ANSWER))
    assert rows[0] == row(USER, ANSWER)
    assert told.by_rule == {"byte_order_mark": 1, "carriage_return": 2, "blank_line": 2}
    assert (told.rows_read, told.rows_written, told.left) == (2, 2, 1)


def test_a_repeated_row_goes_also_when_it_is_one_only_after_mending() -> None:
    told, rows = fixed(row(USER, ANSWER), row({**USER, "role": "User"}, ANSWER), row(USER, ANSWER))
    assert rows == [row(USER, ANSWER)]
    assert told.by_rule == {"duplicate_row": 2}
    assert [change.line for change in told.changes] == [2, 3]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("asistant", "assistant"),
        ("Assistant", "assistant"),
        (" USER ", "user"),
        ("human", "user"),
        ("gpt", "assistant"),
        ("model", "assistant"),
        ("developer", "system"),
        ("sytem", "system"),
    ],
)
def test_a_role_that_is_plainly_meant_is_written(given: str, meant: str) -> None:
    told, rows = fixed(row({"role": given, "content": "a"}, ANSWER))
    assert msgspec.json.decode(rows[0])["messages"][0] == {"role": meant, "content": "a"}
    (change,) = told.changes
    assert (change.line, change.path, change.before, change.after) == (1, "$.messages[0].role", given, meant)


@pytest.mark.parametrize("role", ["narrator", "x", "", None, 3])
def test_a_role_that_could_be_anything_stays(role: object) -> None:
    line = row({"role": role, "content": "a"}, ANSWER)
    told, rows = fixed(line)
    assert (rows, told.changes, told.left) == ([line], (), 1)


def test_blank_instructions_and_blank_turns_at_the_end_go() -> None:
    blank = {**SYSTEM, "content": " "}
    told, rows = fixed(
        row(blank, USER, ANSWER, {"role": "user", "content": ""}, {"role": "assistant", "content": None})
    )
    assert rows == [row(USER, ANSWER)]
    assert [change.path for change in told.changes] == ["$.messages[0]", "$.messages[3]", "$.messages[4]"]
    assert all(change.after == "" for change in told.changes)


def test_gemini_rows_are_mended_too() -> None:
    blank = {"role": "user", "parts": [{"text": " "}]}
    told, rows = fixed(row(ASKED, {**SAID, "role": "assistant"}, blank, key="contents"))
    assert rows == [row(ASKED, SAID, key="contents")]
    assert [change.path for change in told.changes] == ["$.contents[1].role", "$.contents[2]"]


def test_prompts_of_preferences_are_mended_too() -> None:
    asked = {"messages": [{**USER, "role": "human"}]}
    line = msgspec.json.encode({"input": asked, "preferred_output": [ANSWER], "non_preferred_output": [SYSTEM]})
    told, rows = fixed(line)
    assert msgspec.json.decode(rows[0])["input"]["messages"] == [USER]
    assert [change.path for change in told.changes] == ["$.input.messages[0].role"]


def test_a_turn_that_calls_is_not_blank() -> None:
    line = row(USER, {"role": "assistant", "content": None, "tool_calls": []})
    assert fixed(line)[1] == [line]


def test_rows_beyond_mending_stay_unless_they_are_to_go() -> None:
    bad = [b"{", row(USER), b'{"text":1}', b'{"prompt":"a","completion":"b"}', b"[1]"]
    told, rows = fixed(row(USER, ANSWER), *bad)
    assert (rows, told.left) == ([row(USER, ANSWER), *bad], len(bad))
    told, rows = fixed(row(USER, ANSWER), *bad, drop_bad=True)
    assert (rows, told.left) == ([row(USER, ANSWER)], 0)
    assert told.by_rule == {"not_json": 1, "wrong_type": 1, "last_turn": 1, "unknown_form": 1, "mixed_forms": 1}


def test_what_was_fixed_with_drop_bad_passes_the_lint() -> None:
    told, rows = fixed(
        *clean(Form.OPENAI_CHAT)[:50], b"{", row(USER), row({**USER, "role": "Human"}, ANSWER), drop_bad=True
    )
    report = lint([b"\n".join(rows)], limits=LIMITS)
    assert (report.accepted, report.rows, told.rows_written) == (True, 51, 51)
    assert report.by_rule == {}


def test_a_secret_is_not_shown_in_a_change() -> None:
    secret = "sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x"
    line = row({"role": "user", "content": secret}, ANSWER)
    told, _ = fixed(line, line)
    assert secret not in told.changes[0].before


def test_only_the_first_changes_are_kept_but_all_are_counted() -> None:
    told, _ = fixed(*[b""] * 50, row(USER, ANSWER))
    assert (len(told.changes), told.by_rule) == (20, {"blank_line": 50})


def test_a_row_that_is_too_long_is_no_good_row() -> None:
    long = row(USER, {"role": "assistant", "content": "word " * 200})
    copy = io.BytesIO()
    limits = DatasetLimits(recommended_rows=1, row_tokens=100)
    told = Fixer(copy.write, limits=limits, drop_bad=True).fix([long + b"\n" + row(USER, ANSWER) + b"\n"])
    assert (told.by_rule, copy.getvalue().splitlines()) == ({"row_too_long": 1}, [row(USER, ANSWER)])


def table(content: bytes, *, drop_bad: bool = False) -> tuple[Fixed, list[bytes]]:
    copy, read = io.BytesIO(), reading([content])
    told = Fixer(copy.write, limits=LIMITS, drop_bad=drop_bad, faults=read.faults).fix(read.blocks)
    return told, copy.getvalue().splitlines()


def test_what_a_table_does_not_lose_is_told_with_its_line() -> None:
    told, rows = table(b"id,prompt,completion\n1,a,b\n\n2,c,d\n")
    assert rows == [b'{"prompt":"a","completion":"b"}', b'{"prompt":"c","completion":"d"}']
    assert [(change.rule, change.line) for change in told.changes] == [("column_ignored", 1), ("blank_line", 3)]


def test_rows_of_a_table_that_cannot_be_read_are_bad_ones() -> None:
    told, rows = table(b"prompt,completion\na,b\nc\n\xe9,d\n", drop_bad=True)
    assert (told.rows_read, told.rows_written, rows) == (3, 1, [b'{"prompt":"a","completion":"b"}'])
    assert told.by_rule == {"ragged_row": 1, "not_utf8": 1}


def test_rows_that_cannot_be_read_are_not_left_out_unasked() -> None:
    with pytest.raises(BadInput, match=r"line 3.*--drop-bad"):
        table(b"prompt,completion\na,b\nc\n")
