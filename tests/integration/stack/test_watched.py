"""What is put under the local stack's watched prefix is linted by itself, also across a restart."""

import gzip
from pathlib import Path

from tests.integration.stack.running import running
from tests.waiting import wait_until
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.state import Collection
from tuneway.tuning.watched import Lint


def lints(data: Path) -> list[Lint]:
    documents = SqliteDocuments(data / "state.sqlite")
    try:
        return [found.value for found in Collection(documents, "lints", Lint).find()]
    finally:
        documents.close()


def put(data: Path, name: str, content: bytes) -> None:
    path = data / "objects" / "tuneway-local" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_an_object_under_the_prefix_is_linted(tmp_path: Path) -> None:
    with running(tmp_path):
        put(tmp_path, "elsewhere/rows.csv", b"question,answer\na,b\n")
        put(tmp_path, "datasets/good.csv.gz", gzip.compress(b'question,answer\n"a\nb",c\n'))
        put(tmp_path, "datasets/bad.json", b'[{"question": "a", "answer": "b"},\n{"question": "c"}]')
        wait_until(lambda: len(lints(tmp_path)) == 2 and all(found.announced for found in lints(tmp_path)))
    reports = {found.uri: found.report for found in lints(tmp_path)}
    good, bad = reports["gs://tuneway-local/datasets/good.csv.gz"], reports["gs://tuneway-local/datasets/bad.json"]
    assert good is not None
    assert bad is not None
    assert (good.verdict, good.rows) == ("accepted", 1)
    assert [(issue.line, issue.rule) for issue in bad.errors] == [(2, "missing_key")]


def test_what_came_while_the_stack_was_down_is_linted_and_what_was_linted_is_not_again(tmp_path: Path) -> None:
    with running(tmp_path):
        put(tmp_path, "datasets/one.jsonl", b'{"question": "a", "answer": "b"}\n')
        wait_until(lambda: len(lints(tmp_path)) == 1)
    put(tmp_path, "datasets/two.jsonl", b'{"question": "a", "answer": "b"}\n')
    before = {found.uri: found.linted_at for found in lints(tmp_path)}
    with running(tmp_path):
        wait_until(lambda: len(lints(tmp_path)) == 2)
    assert before.items() <= {found.uri: found.linted_at for found in lints(tmp_path)}.items()
