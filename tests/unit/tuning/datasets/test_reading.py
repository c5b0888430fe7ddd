"""Any kind of file gives the same rows, however its bytes are cut."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.tuning.datasets.read_files import PAIRS, cut, decoded, outcome, whole
from tuneway.errors import TryLater
from tuneway.tuning.datasets.kinds import Columns, Kind, kind_named, kind_of
from tuneway.tuning.datasets.reading import reading

Rows = list[tuple[str, str]]
CUTS = st.lists(st.integers(0, 1 << 20), max_size=8)


def as_jsonl(rows: Rows) -> bytes:
    return b"".join(json.dumps({"prompt": asked, "completion": said}).encode() + b"\n" for asked, said in rows)


def as_array(rows: Rows, indent: int | None = None) -> bytes:
    made = [{"prompt": asked, "completion": said} for asked, said in rows]
    return json.dumps(made, indent=indent, ensure_ascii=False).encode()


def as_csv(rows: Rows, delimiter: str = ",", quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerow(("prompt", "completion"))
    writer.writerows(rows)
    return text.getvalue().encode()


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    "jsonl": as_jsonl,
    "array": as_array,
    "indented": lambda rows: as_array(rows, indent=2),
    "csv": as_csv,
    "quoted": lambda rows: as_csv(rows, quoting=csv.QUOTE_ALL),
    "semicolons": lambda rows: as_csv(rows, ";"),
    "tsv": lambda rows: as_csv(rows, "\t"),
    "gzip": lambda rows: gzip.compress(as_csv(rows)),
    "members": lambda rows: gzip.compress(as_jsonl(rows[:1])) + gzip.compress(as_jsonl(rows[1:])),
}


@pytest.mark.parametrize("kind", WRITERS)
@settings(deadline=None)
@given(rows=PAIRS, cuts=CUTS)
def test_what_was_written_is_read_however_it_is_cut(kind: str, rows: Rows, cuts: list[int]) -> None:
    content = WRITERS[kind](rows)
    found = outcome(reading(cut(content, cuts)))
    usual = [{"prompt": asked, "completion": said} for asked, said in rows if kind not in TABLES or asked or said]
    assert decoded(found) == usual
    assert found == whole(content)


TABLES = {"csv", "quoted", "semicolons", "tsv", "gzip"}


@settings(deadline=None)
@given(
    content=st.binary(max_size=200),
    cuts=CUTS,
    start=st.sampled_from([b"", b"[", b"{", b'[{"a":1},', b"a,prompt,completion\n"]),
)
def test_whatever_the_bytes_are_a_cut_changes_nothing_and_nothing_is_raised(
    content: bytes, cuts: list[int], start: bytes
) -> None:
    assert outcome(reading(cut(start + content, cuts))) == whole(start + content)


@settings(deadline=None)
@given(content=st.text('[]{}",:\\n ab1', max_size=60), cuts=CUTS)
def test_a_broken_array_breaks_in_one_place_however_it_is_cut(content: str, cuts: list[int]) -> None:
    found = whole(b"[" + content.encode())
    assert outcome(reading(cut(b"[" + content.encode(), cuts))) == found


@settings(deadline=None)
@given(rows=PAIRS)
def test_lines_are_where_the_rows_begin(rows: Rows) -> None:
    found = whole(as_csv(rows, quoting=csv.QUOTE_ALL))
    starts = [as_csv(rows[:row], quoting=csv.QUOTE_ALL).count(b"\n") + 1 for row, pair in enumerate(rows) if any(pair)]
    assert found.lines == starts


@pytest.mark.parametrize("size", [1, 7, 1 << 16, 1 << 20])
def test_a_large_array_is_read_in_the_pieces_it_comes_in(size: int) -> None:
    rows = [(f"{number}: }}, {{ ", "x" * (number % 900)) for number in range(400 if size < 100 else 4_000)]
    content = as_array(rows, indent=1)
    found = outcome(reading(content[at : at + size] for at in range(0, len(content), size)))
    assert decoded(found) == [{"prompt": asked, "completion": said} for asked, said in rows]
    assert [after - before for before, after in pairwise(found.lines)] == [4] * (len(rows) - 1)


def test_jsonl_passes_untouched() -> None:
    blocks = [b'{"prompt": 1}\n  ', b"\xff\n"]
    read = reading(blocks)
    assert read.untouched
    assert list(read.blocks) == blocks
    assert read.line_of(7) == 7


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"messages": []}\n', Kind.JSONL),
        (b'{"data": 1}\n', Kind.JSONL),
        (b'\xef\xbb\xbf [{"a": 1}]', Kind.JSON),
        (b'{"data": [{"prompt": "a"}]}', Kind.JSON),
        (b'{"version": 1, "name": "x", "train": [\n{}]}', Kind.JSON),
        (b'{\n "prompt": "a"}\n', Kind.JSON),
        (b'{"prompt": ["a"], "completion": ["b"]}', Kind.JSON),
        (b'{"messages": [[{"role": "user"}]]}', Kind.JSON),
        (b'"Prompt";"Completion"\n', Kind.CSV),
        (b"id\tquestion\tanswer\n", Kind.TSV),
        (b"PAR1\x15", Kind.PARQUET),
        (b"hello\n", Kind.JSONL),
    ],
)
def test_the_first_bytes_tell_the_kind(content: bytes, kind: Kind) -> None:
    assert kind_of(content) is kind


def test_a_name_tells_what_text_does_not() -> None:
    assert kind_of(b"q,a\n", "x.csv") is Kind.CSV
    assert kind_of(b"q,a\n", "data.jsonl.gz") is Kind.JSONL
    assert kind_named("https://host/data.TSV.gz?sig=x.csv") is Kind.TSV


def test_the_columns_that_the_caller_names_are_read() -> None:
    named = Columns(prompt="Frage", completion="Antwort", system="S")
    found = whole(b"id,antwort,frage,s\n1,b,a,c\n", columns=named)
    turns = [("system", "c"), ("user", "a"), ("assistant", "b")]
    assert decoded(found) == [{"messages": [{"role": role, "content": text} for role, text in turns]}]
    assert found.rules == [("column_ignored", 1)]


def test_a_column_is_not_its_own_answer() -> None:
    found = whole(b"question,answer\na,b\n", columns=Columns(prompt="Answer ", completion="answer"))
    assert (found.rows, found.rules) == ([], [("missing_column", 1)])


def test_an_instruction_and_its_input_are_one_prompt() -> None:
    found = whole(b"instruction,input,output\ndo,it,done\ndo,,done\n")
    assert decoded(found) == [{"prompt": "do\n\nit", "completion": "done"}, {"prompt": "do", "completion": "done"}]


PREFERENCE = [{"prompt": "a", "chosen": "b, c", "rejected": "d"}]


@pytest.mark.parametrize(
    "content",
    [
        b'id,prompt,rejected,chosen\n1,a,d,"b, c"\n',
        b'{"prompt": ["a"], "chosen": ["b, c"], "rejected": ["d"]}',
    ],
)
def test_a_table_may_hold_a_better_and_a_worse_answer(content: bytes) -> None:
    assert decoded(whole(content)) == PREFERENCE


def test_answers_in_a_table_may_be_turns() -> None:
    found = whole(b'prompt,chosen,rejected\na,"[{""role"": ""assistant""}]",[b]\n')
    assert decoded(found) == [{"prompt": "a", "chosen": [{"role": "assistant"}], "rejected": "[b]"}]


def test_preferences_in_the_words_of_openai_are_json_in_cells() -> None:
    found = whole(b'input,preferred_output,non_preferred_output\n{},[],"[{""role"": ""assistant""}]"\n', name="x.csv")
    turns = [{"role": "assistant"}]
    assert decoded(found) == [{"input": {}, "preferred_output": [], "non_preferred_output": turns}]


def test_whatever_the_encoding_of_a_file_is_its_faults_can_be_told() -> None:
    for encoding in ("latin-1", "utf-16", "utf-16-le", "utf-32", "cp037"):
        read = reading(["prompt,completion,né\né,a,b\n".encode(encoding)], name="x.csv")
        assert not b"".join(read.blocks)
        assert all(finding.message.encode() and finding.excerpt.encode is not None for finding, _ in read.faults())


def test_a_cell_of_messages_is_taken_as_the_json_it_holds() -> None:
    found = whole(b'messages,tools\n"[{""role"": ""user""}]",\n')
    assert decoded(found) == [{"messages": [{"role": "user"}]}]


@pytest.mark.parametrize(
    "content",
    [
        b'{"data": [{"prompt": "a", "completion": "b"}]}',
        b'{"prompt": ["a"], "completion": ["b"]}',
        b'{"prompt": {"0": "a"}, "completion": {"0": "b"}}',
        b'{\n"prompt": "a",\n"completion": "b"}\n',
    ],
)
def test_a_document_of_rows_gives_its_rows(content: bytes) -> None:
    assert decoded(whole(content)) == [{"prompt": "a", "completion": "b"}]


FAULTS: list[tuple[bytes, list[tuple[str, int | None]], int]] = [
    (b'[{"a": 1},\n{"b": 2}', [("broken_json", 2)], 2),
    (b'[{"a": 1},\n{"b": ', [("broken_json", 2)], 1),
    (b'[{"a": 1},]', [("broken_json", 1)], 1),
    (b'[{"a": 1}] x', [("broken_json", 1)], 1),
    (b'[{"a": 1}\n{"b": 2}]', [("broken_json", 2)], 1),
    (b'{"data": [{"a": 1}], "more": 1}', [("keys_ignored", None)], 1),
    (b'{"data": [{"a": 1}]', [("broken_json", 1)], 1),
    (b'{"prompt": ["a", "b"], "completion": ["c"]}', [("ragged_row", 1)], 0),
    (b"prompt,completion\na\nb,c\nd,e,f\ng,h,\n", [("ragged_row", 2), ("ragged_row", 4)], 2),
    (b'prompt,completion\n"a\nb",c\n"d"e,f\ng,h', [("misplaced_quote", 4)], 2),
    (b'prompt,completion\na,b\n"c,d\ne,f\n', [("unclosed_quote", 3)], 1),
    (b"prompt,completion\na\xe9,b\nc,d\n", [("not_utf8", 2)], 1),
    (b"prompt,completion\n\n,\na,b\n", [("blank_line", 2), ("blank_line", 3)], 1),
    (b"prompt,other\na,b\n", [("missing_column", 1)], 0),
    (gzip.compress(b'{"a": 1}\n', mtime=0)[:-4], [("broken_gzip", None)], 1),
    (gzip.compress(b'{"a": 1}\n', mtime=0) + b"more", [("broken_gzip", None)], 1),
    (gzip.compress(gzip.compress(b"{}", mtime=0)), [("broken_gzip", None)], 0),
    (b"PAR1", [("parquet_unavailable", None)], 0),
    (b'{"prompt": {"0": "a", "1": "b"}, "completion": {"1": "c", "0": "d"}}', [("ragged_row", 1)], 0),
    ("Prompt,Completion,Länge\na,b,1\n".encode("latin-1"), [("not_utf8", 1)], 0),
    ('{"prompt": "a"}\n'.encode("utf-16"), [("not_utf8", None)], 0),
    ("prompt\tcompletion\n".encode("utf-16-be"), [("not_utf8", None)], 0),
    (gzip.compress('[{"prompt": "a"}]'.encode("utf-32"), mtime=0), [("not_utf8", None)], 0),
    (b"PK\x03\x04\x14\0", [("foreign_file", None)], 0),
    (b"\x28\xb5\x2f\xfd\x04", [("foreign_file", None)], 0),
]


@pytest.mark.parametrize(
    ("content", "rules", "rows"), FAULTS, ids=[f"{rules[0][0]}-{number}" for number, (_, rules, _) in enumerate(FAULTS)]
)
def test_what_cannot_be_read_is_a_fault_with_its_line(
    content: bytes, rules: list[tuple[str, int | None]], rows: int
) -> None:
    found = whole(content)
    assert found.rules == rules
    assert len(found.rows) == rows


def test_a_bomb_ends_at_the_bound() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    read = reading([bomb], most=5_000_000)
    assert sum(map(len, read.blocks)) <= 5_000_000
    assert [finding.rule for finding, _ in read.faults()] == ["unpacked_too_large"]


def test_a_row_that_is_never_closed_ends_the_reading() -> None:
    blocks = (b'[{"a": "' if number == 0 else b"x" * (1 << 20) for number in range(40))
    found = outcome(reading(blocks))
    assert found.rules == [("broken_json", 1)]


def test_a_quote_that_is_never_closed_ends_the_reading() -> None:
    blocks = (b'prompt,completion\n"' if number == 0 else b"x\n" * (1 << 19) for number in range(40))
    assert outcome(reading(blocks)).rules == [("unclosed_quote", 2)]


def test_padding_behind_a_gzip_member_is_nothing() -> None:
    assert whole(gzip.compress(b'{"a": 1}\n') + bytes(512)).rules == []


def test_an_error_of_the_source_passes_through() -> None:
    def cut_off() -> Iterator[bytes]:
        yield b'[{"a": 1},'
        raise TryLater("The connection is gone.")

    with pytest.raises(TryLater):
        outcome(reading(cut_off()))
