"""The quick look at usual rows and the close look at any row tell the same of every file."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.tuning.datasets.planted import FAULTS, clean
from tuneway.tuning.datasets.chat_plain import PlainAssistant, PlainRow, PlainSystem, PlainUser, gemini_line, in_full
from tuneway.tuning.datasets.chat_to_gemini import to_gemini
from tuneway.tuning.datasets.forms import Target, targets_of
from tuneway.tuning.datasets.leakage import Learned
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport, Form
from tuneway.tuning.datasets.usual import USUAL

CLEAN = {form: clean(form)[:12] for form in Form}
ODD = [
    b"",
    b" ",
    b"\r",
    b"\x00",
    b"{}",
    b"null",
    b"[]",
    b'{"messages":[]}',
    b'{"messages":[{"role":"user","content":"Is it?"},{"role":"assistant","content":" \\u00a0\\n"}]}',
    b'{"messages":[{"role":"user","role":"system","content":"a"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"a","content":""},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"system","content":"a"},{"role":"assistant","content":"b"}]}',
    b'{"messages":[{"role":"user","content":"\\ud800"},{"role":"assistant","content":"b"}]}',
    '{"messages":[{"role":"user","content":"漢字"},{"role":"assistant","content":"é\u2028"}]}'.encode(),
    b' {"prompt":"a","completion":"b"} ',
    b'{"prompt":"a","completion":"' + b"long " * 60 + b'"}',
    b'{"prompt":"write to ann@acme.com","completion":"b"}',
    b'{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"}]}]}',
    b'{"contents":[{"role":"user","parts":[]},{"role":"model","parts":[{"text":"b"}]}]}',
]

# A byte of a row put in, left out or replaced.
MUTATIONS = st.tuples(st.integers(0, 200), st.integers(0, 1), st.sampled_from([b"", b'"', b"\\", b"\xff", b" ", b"{"]))


def mutated(row: bytes, mutation: tuple[int, int, bytes]) -> bytes:
    at, left_out, put_in = mutation
    return row[:at] + put_in + row[at + left_out :]


def rows(form: Form) -> st.SearchStrategy[bytes]:
    good = st.sampled_from(CLEAN[form])
    planted = st.sampled_from([fault.line for fault in FAULTS])
    return st.one_of(good, good, good, st.builds(mutated, good, MUTATIONS), planted, st.sampled_from(ODD))


FILES = st.sampled_from(list(USUAL)).flatmap(lambda form: st.lists(rows(form), max_size=14))
LIMITS = st.builds(
    DatasetLimits,
    rows=st.sampled_from([3, 100]),
    row_tokens=st.sampled_from([40, 100_000]),
    line_bytes=st.sampled_from([150, 1 << 20]),
    bytes=st.sampled_from([900, 1 << 30]),
)
TARGETS: list[Target | None] = [None, *sorted(targets_of(Form.OPENAI_CHAT))]


def told(pieces: list[bytes], *, limits: DatasetLimits, target: Target | None, closely: bool) -> tuple[object, ...]:
    """The report and the copy; a training file that a validation file is held against later is looked at closely."""
    copy: list[bytes] = []
    purpose = Purpose(target=target or "gemini", learned=Learned() if closely else None)
    report = lint(pieces, limits=limits, sink=copy.append if target else None, purpose=purpose)
    return report, copy


def agree(pieces: list[bytes], limits: DatasetLimits, target: Target | None) -> None:
    quick = told(pieces, limits=limits, target=target, closely=False)
    assert quick == told(pieces, limits=limits, target=target, closely=True)


@example(lines=[*CLEAN[Form.OPENAI_CHAT][:2], CLEAN[Form.OPENAI_CHAT][0]], cuts=[], limits=DatasetLimits(), target=None)
@given(lines=FILES, cuts=st.lists(st.integers(0, 4_000), max_size=4), limits=LIMITS, target=st.sampled_from(TARGETS))
def test_both_looks_tell_the_same_of_any_file(
    lines: list[bytes], cuts: list[int], limits: DatasetLimits, target: Target | None
) -> None:
    body = b"\n".join(lines)
    agree([body[start:end] for start, end in pairwise([0, *sorted(cuts), len(body)])], limits, target)


@pytest.mark.parametrize("form", list(USUAL))
def test_both_looks_tell_the_same_of_a_clean_file(form: Form) -> None:
    agree([b"\n".join(clean(form))], DatasetLimits(), "gemini")


@pytest.mark.parametrize("form", list(USUAL))
def test_a_clean_file_is_seen_by_the_quick_look_alone(form: Form) -> None:
    seen: list[bytes] = []

    def known(row: bytes) -> bool:
        seen.append(row)
        return False

    found = USUAL[form].run(CLEAN[form], known=known, most=100_000, sink=None, target="gemini")
    assert len(found) == len(CLEAN[form])
    assert seen == CLEAN[form]


def test_an_error_of_the_sink_passes_through_and_no_row_is_written_twice() -> None:
    copy: list[bytes] = []

    def sink(row: bytes) -> None:
        copy.append(row)
        if len(copy) == 3:
            raise ValueError("The disk is full.")

    with pytest.raises(ValueError, match="full"):
        lint([b"\n".join(CLEAN[Form.GEMINI])], limits=DatasetLimits(), sink=sink)
    assert [row.strip() for row in copy] == CLEAN[Form.GEMINI][:3]


def test_a_row_that_a_provider_cannot_have_is_told_once_and_called_no_repetition() -> None:
    turns = b'{"role":"user","content":"a"},{"role":"assistant","content":"b"}'
    body = b"\n".join(b'{"messages":[%s]}' % b",".join([turns] * times) for times in (1, 2, 1))
    report = lint(
        [body], limits=DatasetLimits(recommended_rows=1), sink=len, purpose=Purpose(target="prompt_completion")
    )
    assert report.by_rule == {"not_expressible": 1, "duplicate_row": 1}


@given(st.lists(st.tuples(st.sampled_from([PlainUser, PlainAssistant]), st.text(min_size=1)), min_size=1), st.text())
def test_a_line_for_gemini_is_what_its_turns_say(said: list[tuple[type[PlainUser], str]], system: str) -> None:
    row = PlainRow([*([PlainSystem(system)] if system else []), *(kind(text) for kind, text in said)])
    assert gemini_line(row) == msgspec.json.encode(to_gemini(in_full(row)))


def deep(levels: int) -> bytes:
    return b'{"messages":[{"role":"user","content":' + b"[" * levels + b"]" * levels + b"}]}"


CHAT = b'{"messages":[{"role":"user","content":%s},{"role":"assistant","content":"b"}]}'
HOSTILE: list[tuple[str, bytes, list[tuple[int | None, str, str]]]] = [
    ("a zero byte alone", b"\x00", [(2, "not_json", "$")]),
    ("a zero byte in a text", CHAT % b'"a\x00b"', [(2, "not_json", "$")]),
    ("a lone high surrogate", CHAT % b'"\\ud800"', [(2, "not_json", "$")]),
    ("a lone low surrogate", CHAT % b'"\\udc00 b"', [(2, "not_json", "$")]),
    ("a surrogate in UTF-8", CHAT % b'"\xed\xa0\x80"', [(2, "not_utf8", "$")]),
    ("10,000 levels", deep(10_000), [(2, "wrong_type", "$.messages[0].content[0]")]),
    (
        "a role twice",
        b'{"messages":[{"role":"user","role":"tool","content":"a"}]}',
        [(2, "unknown_role", "$.messages[0].role")],
    ),
    ("NaN", CHAT % b"NaN", [(2, "not_json", "$")]),
    ("a number without end", CHAT % b"1e400", [(2, "wrong_type", "$.messages[0].content")]),
    ("a huge whole number", CHAT % (b"9" * 5_000), [(2, "wrong_type", "$.messages[0].content")]),
    ("a byte order mark inside", b"\xef\xbb\xbf" + CHAT % b'"a"', [(2, "not_json", "$")]),
    ("a carriage return inside", CHAT.replace(b",", b",\r") % b'"a"', []),
    ("a carriage return behind", CHAT % b'"a"' + b"\r", []),
]


@pytest.mark.parametrize(("line", "expected"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_line_is_told_in_its_place_and_its_neighbours_are_taken(
    line: bytes, expected: list[tuple[int | None, str, str]]
) -> None:
    body = b"\n".join([CHAT % b'"first"', line, CHAT % b'"last"'])
    report = lint([body], limits=DatasetLimits(recommended_rows=1))
    assert [(issue.line, issue.rule, issue.path) for issue in (*report.errors, *report.warnings)] == expected
    assert report.rows == 3
    assert msgspec.json.decode(msgspec.json.encode(report), type=DatasetReport) == report
