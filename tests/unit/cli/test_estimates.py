import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Loop
from tests.unit.cli.served import Run, served
from tests.unit.edge.quoting import quotes_of
from tuneway.edge.fine_tuning.estimates import rules

CHAT = b'{"messages":[{"role":"user","content":"Q%d"},{"role":"assistant","content":"A%d"}]}\n'


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    loop = Loop(tmp_path)
    with served(rules(loop.desk, quotes_of(loop))) as command:
        yield command


def said(run: Run, *words: str) -> str:
    done = run("jobs", "estimate", *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_tokens_are_priced_in_plain_words(run: Run) -> None:
    text = said(run, "google/gemma3@gemma-3-4b-it", "--tokens", "1000000", "--epochs", "2")
    assert "Cost      2.28 USD\n" in text
    assert "Epochs    2 (as requested)" in text
    assert "2026-11-21" in text
    assert "Duration  unknown" in text
    assert "in all epochs (as the caller said)" in text


def test_a_stand_in_is_marked(run: Run) -> None:
    assert "USD (stand-in)" in said(run, "gemini-3.5-flash", "--size-mb", "100")


def test_without_any_price_the_cost_is_unknown(run: Run) -> None:
    assert "Cost      unknown" in said(run, "nova-lite", "--tokens", "1000")


def test_a_local_file_is_counted_here_and_not_sent(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(CHAT % (n, n) for n in range(200)))
    found = json.loads(said(run, "gemini-3.5-flash", str(rows), "--epochs", "1", "--json"))
    assert 0 < found["tokens_low"] <= found["tokens_high"]
    assert found["dataset"] is None


def test_a_local_table_is_counted_too(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("prompt,completion\n" + "What is one?,1\n" * 200)
    assert json.loads(said(run, "gemini-3.5-flash", str(rows), "--json"))["tokens_low"] > 0


def test_a_local_file_that_is_broken_costs_nothing_but_an_error(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("no json\n")
    done = run("jobs", "estimate", "gemini-3.5-flash", str(rows))
    assert done.exit_code == 1
    assert "line 1" in done.output.lower()


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("gemini-3.5-flash",), "no dataset"),
        (("gemini-3.5-flash", "file-gone"), "no file 'file-gone'"),
        (("gemini-2.5-flash", "--tokens", "5"), "retired on 2026-10-20"),
        (("gemini-3.5-flash", "--tokens", "5", "--epochs", "11"), "1 to 10"),
    ],
)
def test_what_cannot_be_estimated_says_why(run: Run, words: tuple[str, ...], fact: str) -> None:
    done = run("jobs", "estimate", *words)
    assert done.exit_code == 1
    assert fact in done.output


def test_a_local_file_of_any_kind_is_counted_as_its_user_says(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt.gz"
    rows.write_bytes(gzip.compress(b"ticket;reply\n" + b"What is one?;1\n" * 200))
    words = ("--from", "csv", "--prompt-column", "ticket", "--completion-column", "reply")
    assert json.loads(said(run, "gemini-3.5-flash", str(rows), *words, "--json"))["tokens_low"] > 0


def test_a_kind_is_said_of_a_local_file_alone(run: Run) -> None:
    done = run("jobs", "estimate", "gemini-3.5-flash", "gs://bucket/rows", "--from", "csv")
    assert (done.exit_code, "--from is for a file of this computer" in done.output) == (2, True)


def test_tokens_of_a_local_file_are_said_to_be_counted_here(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(CHAT % (n, n) for n in range(200)))
    assert f"(counted in {rows} on this computer)" in said(run, "gemini-3.5-flash", str(rows))
