import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.tuning.datasets.planted import ANSWER, USER, clean
from tuneway.cli.main import main
from tuneway.tuning.datasets.report import Form

WIDE = {"COLUMNS": "200", "NO_COLOR": "1"}


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["datasets", *map(str, words)], env=WIDE)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.jsonl"
    path.write_bytes(b"\n".join(clean(Form.OPENAI_CHAT)) + b"\n")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.jsonl"
    rows = [*clean(Form.OPENAI_CHAT)[:120], b'{"messages":[{"role":"User","content":"ann@acme.com"}]}', b"", b"{"]
    path.write_bytes(b"\n".join(rows) + b"\n")
    return path


def test_a_good_file_exits_with_0_and_shows_its_figures(good: Path) -> None:
    done = run("lint", good, "--base", "gemini-3.5-flash")
    assert done.exit_code == 0, done.output
    for word in ("accepted", "openai_chat", "300", "TOKENS A ROW", "TURNS A ROW", "assistant 300"):
        assert word in done.output


def test_a_bad_file_exits_with_1_and_says_where(bad: Path) -> None:
    done = run("lint", bad)
    assert done.exit_code == 1
    assert "rejected" in done.output
    for word in ("121", "$.messages[0].role", "unknown_role", "Did you mean 'user'?", "123", "not_json", "blank_line"):
        assert word in done.output


def test_no_more_issues_are_shown_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1\n' * 50)
    done = run("lint", path, "--max-errors", 2)
    assert "and 48 more" in done.output
    assert done.output.count("not_json") == 3


def test_brackets_in_a_row_are_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"messages":[{"role":"[bold]","content":"[red]a[/]"}]}\n')
    assert "[red]a[/]" in run("lint", path).output


def test_json_is_the_whole_report(bad: Path) -> None:
    done = run("lint", bad, "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["dataset"]["verdict"], told["dataset"]["error_count"]) == (1, "rejected", 2)
    assert told["validation_dataset"] is told["fixed"] is None


def test_a_leaking_validation_file_is_told(good: Path) -> None:
    done = run("lint", good, "--validation", good, "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["validation_dataset"]["by_rule"]) == (0, {"leaked_row": 300})


def test_a_rejected_validation_file_exits_with_1(good: Path, bad: Path) -> None:
    assert run("lint", good, "--validation", bad).exit_code == 1


def test_a_corrected_copy_is_written_and_told(bad: Path, tmp_path: Path) -> None:
    copy = tmp_path / "fixed.jsonl"
    done = run("lint", bad, "--fix", copy)
    assert "2 rows still break a rule" in done.output
    assert (done.exit_code, len(copy.read_bytes().splitlines())) == (1, 122)
    done = run("lint", bad, "--fix", copy, "--drop-bad")
    assert (done.exit_code, copy.read_bytes().splitlines()) == (1, clean(Form.OPENAI_CHAT)[:120])
    assert run("lint", copy).exit_code == 0


def test_a_file_in_another_encoding_is_named_in_json_too(tmp_path: Path) -> None:
    path, copy = tmp_path / "rows.csv", tmp_path / "fixed.jsonl"
    path.write_bytes("prompt;completion;Länge\na;b;1\n".encode("latin-1"))
    done = run("lint", path, "--json")
    assert (done.exit_code, json.loads(done.output)["dataset"]["by_rule"]) == (1, {"not_utf8": 1})
    done = run("lint", path, "--fix", copy, "--drop-bad")
    assert (done.exit_code, copy.exists(), "--drop-bad" in done.output) == (2, False, False)


def test_a_table_is_corrected_like_any_file(tmp_path: Path) -> None:
    path, copy = tmp_path / "rows.csv", tmp_path / "fixed.jsonl"
    path.write_bytes(b"id,prompt,completion\n1,a,b\n\n2,c\n")
    assert run("lint", path, "--fix", copy).exit_code == 2
    done = run("lint", path, "--fix", copy, "--drop-bad")
    assert copy.read_bytes() == b'{"prompt":"a","completion":"b"}\n'
    assert all(rule in done.output for rule in ("column_ignored", "blank_line", "ragged_row"))


def test_an_unreadable_packed_file_leaves_no_copy(tmp_path: Path) -> None:
    path, copy = tmp_path / "rows.jsonl.gz", tmp_path / "fixed.jsonl"
    path.write_bytes(b"\x1f\x8b\x08\x00 no gzip at all")
    done = run("lint", path, "--fix", copy)
    assert (done.exit_code, copy.exists()) == (2, False)


@pytest.mark.parametrize(
    "words",
    [
        ("lint", "nowhere.jsonl"),
        ("preview", "nowhere.jsonl"),
        ("lint", "."),
        ("lint",),
        ("lint", "GOOD", "--base", "gpt-4"),
        ("lint", "GOOD", "--validation", "nowhere.jsonl"),
        ("lint", "GOOD", "--drop-bad"),
        ("lint", "GOOD", "--method", "poetry"),
        ("lint", "GOOD", "--prompt-column", "a"),
        ("lint", "ftp://host/rows.jsonl"),
    ],
)
def test_what_cannot_be_asked_or_read_exits_with_2(good: Path, words: tuple[str, ...]) -> None:
    done = run(*(good if word == "GOOD" else word for word in words))
    assert done.exit_code == 2, done.output
    assert done.output.startswith(("Error", "Usage"))


def test_columns_and_kinds_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"q,a\n" + b"".join(b"%d,yes\n" % n for n in range(200)))
    done = run("lint", path, "--from", "csv", "--prompt-column", "q", "--completion-column", "a", "--json")
    assert (done.exit_code, json.loads(done.output)["dataset"]["rows"]) == (0, 200)


def test_a_preview_shows_what_is_learned(good: Path) -> None:
    done = run("preview", good, "--rows", 1)
    assert done.exit_code == 0
    for word in ("line 1", "system (read", "user (read", "assistant (learned", "As the provider gets it", "contents"):
        assert word in done.output


def test_a_preview_as_json_has_every_row(good: Path) -> None:
    told = json.loads(run("preview", good, "--rows", 4, "--json", "--base", "gemini-3.5-flash").output)
    assert [example["line"] for example in told] == [1, 2, 3, 4]
    assert [turn["loss"] for turn in told[0]["turns"]] == [False, False, True]


def test_a_preview_of_a_bad_row_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"messages": [ANSWER, USER]}))
    assert "first_turn" in run("preview", path).output


def test_a_preview_of_nothing_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n\n")
    assert run("preview", path).exit_code == 2


def test_a_table_of_unknown_columns_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("ticket,reply\n" + "When?,Now.\n" * 3)
    assert "--prompt-column" in run("preview", path).output
    assert run("preview", path, "--prompt-column", "ticket", "--completion-column", "reply").exit_code == 0


def test_columns_of_rows_that_have_none_are_refused_with_the_remedy(good: Path) -> None:
    named = ("--prompt-column", "ticket", "--completion-column", "reply")
    for command in ("lint", "preview"):
        done = run(command, good, *named)
        assert (done.exit_code, "has no 'ticket'" in done.output, "--prompt-column" in done.output) == (2, True, True)


def test_rows_of_json_are_read_by_the_columns_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"ticket": "When?", "reply": "Now."}\n' * 3)
    assert "--prompt-column" in " ".join(run("preview", path).output.split())
    done = run("lint", path, "--prompt-column", "ticket", "--completion-column", "reply", "--json")
    assert json.loads(done.output)["dataset"]["form"] == "prompt_completion"
