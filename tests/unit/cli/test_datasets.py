"""``tuneway datasets``: convert and split, whole files or none."""

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tuneway.cli.main import main

ROWS = "".join(f"question {number},answer {number}\n" for number in range(100))
TABLE = f"question,answer\n{ROWS}"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["datasets", *map(str, words)])


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_is_converted(table: Path) -> None:
    done = run("convert", table, "out.jsonl", "--to", "gemini", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"output": "out.jsonl", "form": "gemini", "rows": 100, "lost": {}}
    assert rows(Path("out.jsonl"))[0]["contents"] == [
        {"role": "user", "parts": [{"text": "question 0"}]},
        {"role": "model", "parts": [{"text": "answer 0"}]},
    ]


def test_rows_may_go_to_the_standard_output(table: Path) -> None:
    done = run("convert", table, "-", "--to", "prompt_completion")
    assert len(done.stdout.splitlines()) == 100
    assert "100 rows" in done.stderr


def test_what_is_no_file_is_written_into_and_stays(table: Path) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = run("convert", table, "pipe", "--to", "openai")
        assert (done.exit_code, os.read(reader, 12)) == (0, b'{"messages":')
    finally:
        os.close(reader)
    assert Path("pipe").is_fifo()


def test_of_a_link_the_file_is_written_that_it_names(table: Path) -> None:
    Path("link").symlink_to("there.jsonl")
    assert run("convert", table, "link", "--to", "openai").exit_code == 0
    assert Path("link").is_symlink()
    assert len(Path("there.jsonl").read_bytes().splitlines()) == 100


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "rows.csv.gz", "./rows.csv.gz", "--to", "openai"),
        ("convert", "rows.csv.gz", "link", "--to", "openai"),
        ("split", "rows.csv.gz", "--validation", "0.1", "--train-file", "rows.csv.gz"),
        ("split", "rows.csv.gz", "--validation", "0.1", "--validation-file", "link"),
        ("lint", "rows.csv.gz", "--fix", "link"),
    ],
)
def test_the_file_that_is_read_is_never_replaced(table: Path, words: tuple[str, ...]) -> None:
    before = table.read_bytes()
    Path("link").symlink_to(table.name)
    done = run(*words)
    assert (done.exit_code in {1, 2}, "Name another one" in done.output) == (True, True)
    assert (table.read_bytes(), Path("link").is_symlink()) == (before, True)


def test_what_is_named_as_packed_is_packed(table: Path) -> None:
    assert run("convert", table, "out.jsonl.gz", "--to", "openai").exit_code == 0
    assert len(gzip.decompress(Path("out.jsonl.gz").read_bytes()).splitlines()) == 100
    again = run("convert", "out.jsonl.gz", "again.jsonl.gz", "--to", "csv", "--json")
    assert (again.exit_code, json.loads(again.stdout)["rows"]) == (0, 100)


def test_a_write_protected_file_is_not_replaced(table: Path) -> None:
    kept = Path("kept.jsonl")
    kept.write_text("mine")
    kept.chmod(0o444)
    done = run("convert", table, kept, "--to", "openai")
    assert (done.exit_code, kept.read_text(), "write-protected" in done.output) == (1, "mine", True)


def test_a_refused_row_leaves_the_old_file(table: Path) -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    Path("chat.jsonl").write_text(json.dumps({"messages": turns}))
    Path("out.jsonl").write_text("before")
    done = run("convert", "chat.jsonl", "out.jsonl", "--to", "prompt_completion")
    assert done.exit_code == 1
    assert "allow it as 'system'" in done.stderr
    assert Path("out.jsonl").read_text() == "before"
    assert sorted(path.name for path in Path().iterdir()) == ["chat.jsonl", "out.jsonl", "rows.csv.gz"]
    dropped = run("convert", "chat.jsonl", "out.jsonl", "--to", "prompt_completion", "--drop", "system")
    assert "lost: the system message (1)" in dropped.stdout


def test_columns_may_be_named(table: Path) -> None:
    Path("x.csv").write_text("q,a,s\n1,2,3\n")
    named = ("--prompt-column", "q", "--completion-column", "a", "--system-column", "s")
    assert run("convert", "x.csv", "x.jsonl", "--to", "openai", *named).exit_code == 0
    assert run("convert", "x.csv", "x.jsonl", "--to", "openai", *named[:2]).exit_code == 2


def test_columns_of_rows_that_have_none_are_refused_and_nothing_is_left(table: Path) -> None:
    Path("chat.jsonl").write_text('{"messages": []}\n')
    named = ("--prompt-column", "q", "--completion-column", "a")
    done = run("convert", "chat.jsonl", "out.jsonl", "--to", "openai", *named)
    assert (done.exit_code, "has no 'q' and no 'a'" in done.stderr, Path("out.jsonl").exists()) == (1, True, False)


def test_a_file_is_split(table: Path) -> None:
    done = run("split", table, "--validation", "0.2", "--seed", "7", "--json")
    assert json.loads(done.stdout)["validation"]["rows"] == 20
    train, validation = rows(Path("rows.train.jsonl")), rows(Path("rows.validation.jsonl"))
    assert (len(train), len(validation)) == (80, 20)
    assert {row["question"] for row in train + validation} == {f"question {number}" for number in range(100)}


def test_a_number_of_rows_and_other_names_may_be_given(table: Path) -> None:
    done = run("split", table, "--validation", "5", "--train-file", "a", "--validation-file", "b")
    assert "5 rows for validation in b" in done.stdout
    assert len(rows(Path("b"))) == 5


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--validation", "half"), 2),
        (("--validation", "100"), 1),
        (("--validation", "1.5"), 1),
        (("--validation", "5", "--train-file", "a", "--validation-file", "a"), 2),
        ((), 2),
    ],
)
def test_a_split_that_cannot_be_is_refused(table: Path, words: tuple[str, ...], code: int) -> None:
    assert run("split", table, *words).exit_code == code
    assert not Path("rows.train.jsonl").exists()


@pytest.mark.parametrize(
    ("source", "said"), [("nothing.csv", "No such file"), ("ftp://host/x", "gs://"), ("http://host/x", "https://")]
)
def test_a_file_that_cannot_be_read_is_named(table: Path, source: str, said: str) -> None:
    done = run("convert", source, "out", "--to", "openai")
    assert done.exit_code == 1
    assert said in done.stderr
