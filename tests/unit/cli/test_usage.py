"""``tuneway usage`` against a door."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.edge.asking import NOW
from tests.unit.registry.requests import request
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.registry.usage import rules
from tuneway.registry.counts.usage_recorder import Recorder


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    record = Recorder(documents)
    for number in range(4):
        record(request(number, ms=100.0))
    record(request(4, route="mini", status=404, cost_usd=None))
    with served(rules(documents, now=lambda: NOW)) as run:
        yield run


def test_a_table_names_its_units(run: Run) -> None:
    head, most, least, total = run("usage", "--by", "alias").stdout.splitlines()
    assert head.split()[-4:] == ["cost_usd", "p50_ms", "p95_ms", "p99_ms"]
    assert (most.split()[:2], least.split()[:2]) == (["shop", "4"], ["mini", "1"])
    assert 100 <= float(most.split()[-3]) <= 110
    assert least.split()[-3:] == ["-", "-", "-"]
    assert total.startswith("5 requests from 2026-11-17T11:00:00Z")
    assert total.endswith("1 USD (1 without a price)")


def test_csv_has_the_tables_columns(run: Run) -> None:
    rows = list(csv.DictReader(run("usage", "--by", "alias", "--csv").stdout.splitlines()))
    assert [(row["alias"], row["requests"]) for row in rows] == [("shop", "4"), ("mini", "1")]
    assert 100 <= float(rows[0]["p50_ms"]) <= 110
    assert rows[1]["p50_ms"] == ""


def test_as_json_it_is_the_answer(run: Run) -> None:
    assert 100 <= json.loads(run("usage", "--json").stdout)["total"]["latency_ms"]["p50"] <= 110
