import json
from collections.abc import Iterator

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.asking import NOW
from tuneway.edge.fine_tuning.base_models import rules
from tuneway.tuning.catalogue import load


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with served(rules(load(), now=lambda: NOW)) as command:
        yield command


def said(run: Run, *words: str) -> str:
    done = run("models", "bases", *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_can_be_tuned_is_a_table(run: Run) -> None:
    lines = said(run).splitlines()
    assert lines[0].split()[:3] == ["MODEL", "BACKEND", "METHODS"]
    (flash,) = [line for line in lines if line.startswith("gemini-3.5-flash ")]
    assert "supervised, dpo" in flash
    assert "unknown (~5)" in flash
    assert "gemini-2.5-flash " not in said(run)


def test_all_shows_why_not(run: Run) -> None:
    text = " ".join(said(run, "--all", "--family", "gemini").split())
    assert "was retired on 2026-10-20" in text


def test_it_is_narrowed_by_family_backend_and_method(run: Run) -> None:
    assert "by machine hour" in said(run, "--backend", "vertex_custom")
    assert "gemini" not in said(run, "--family", "nova")
    assert "gemma" not in said(run, "--method", "dpo")


def test_json_is_for_programs(run: Run) -> None:
    rows = json.loads(said(run, "--json", "--backend", "bedrock"))
    assert {row["backend"] for row in rows} == {"bedrock"}
    assert all(row["tunable"] for row in rows)


def test_a_family_that_is_not_there_is_refused_in_plain_words(run: Run) -> None:
    done = run("models", "bases", "--family", "gpt")
    assert done.exit_code == 1
    assert "Use one of: gemini" in done.output
