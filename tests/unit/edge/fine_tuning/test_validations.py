"""``POST /v1/fine_tuning/validations``: the report of a dataset before there is a job."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.fakes import BUCKET, CHAT, Loop
from tests.unit.edge.asking import Asked, Asking
from tuneway.edge.fine_tuning.validations import PATH, rules
from tuneway.errors import TryLater
from tuneway.tuning import inspection
from tuneway.tuning.catalogue import load
from tuneway.tuning.inspection import Inspector

BASE = "gemini-3.5-flash"


class Door:
    """The door of a loop of fakes."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.inspector = Inspector(self.loop.shelf, self.loop.files, catalogue=load(), now=lambda: self.loop.clock)
        self.asking = Asking(rules(self.inspector))

    def ask(self, key: str = "tune", **body: Any) -> Asked:
        return self.asking("POST", PATH, key=key, body=body)

    def kept(self, content: bytes, name: str = "train.jsonl", owner: str = "acme") -> str:
        with (
            self.loop.files.write(f"gs://{BUCKET}/t") as file,
        ):
            file.write(content)
        with self.loop.files.read(f"gs://{BUCKET}/t") as file:
            return self.loop.shelf.upload(file, filename=name, purpose="fine-tune", owner=owner).id


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def rows(count: int, first: int = 0) -> bytes:
    return b"".join(CHAT % (n, n) for n in range(first, first + count))


def test_a_good_file_is_valid_and_told_in_full(door: Door) -> None:
    body = door.ask(training_file=door.loop.upload(), model=BASE, examples=2).json
    assert (body["object"], body["valid"], body["model"], body["method"]) == (
        "fine_tuning.validation",
        True,
        BASE,
        "supervised",
    )
    assert (body["dataset"]["rows"], body["dataset"]["verdict"], body["validation_dataset"]) == (100, "accepted", None)
    assert body["dataset"]["turns_per_row"]["buckets"] == [{"low": 2, "high": 2, "rows": 100}]
    assert body["dataset"]["roles"] == {"user": 100, "assistant": 100}
    assert [turn["loss"] for turn in body["examples"][0]["turns"]] == [False, True]
    assert body["examples"][1]["converted"]["contents"][1]["role"] == "model"


def test_a_bad_file_is_an_answer_and_no_error(door: Door) -> None:
    answer = door.ask(file=door.kept(rows(100) + b'{"messages":[{"role":"asistant","content":"a"}]}\n'))
    (issue,) = answer.json["dataset"]["errors"]
    assert (answer.status, answer.json["valid"]) == (200, False)
    assert (issue["line"], issue["path"], issue["rule"]) == (101, "$.messages[0].role", "unknown_role")
    assert "Did you mean 'assistant'?" in issue["message"]
    assert answer.json["summary"].startswith("Line 101, ")


def test_a_validation_file_is_held_against_the_training_file(door: Door) -> None:
    body = door.ask(training_file=door.kept(rows(100)), validation_file=door.kept(rows(3, first=98))).json
    assert (body["valid"], body["validation_dataset"]["by_rule"]) == (True, {"leaked_row": 2})
    body = door.ask(training_file=door.kept(rows(100)), validation_file=door.kept(rows(1_001, first=200))).json
    assert (body["valid"], body["dataset"]["verdict"]) == (False, "accepted")
    assert body["summary"].startswith("In the validation file: The file has 1,001 rows")
    assert body["validation_dataset"]["errors"][0]["rule"] == "too_many_rows"


@pytest.mark.parametrize(
    ("content", "name", "columns"),
    [
        (b"asked;told\r\n" + b"a;b\r\n" * 2, "rows.csv", {"prompt": "asked", "completion": "told"}),
        (gzip.compress(b"prompt\tcompletion\n" + b"a\tb\n" * 2, mtime=0), "rows.tsv.gz", None),
        (json.dumps([{"prompt": "a", "completion": "b"}] * 2).encode(), "rows.json", None),
    ],
)
def test_files_of_other_kinds_are_read_by_their_names(
    door: Door, content: bytes, name: str, columns: dict[str, str] | None
) -> None:
    body = door.ask(training_file=door.kept(content, name), columns=columns, examples=1).json
    assert (body["dataset"]["rows"], body["dataset"]["form"]) == (2, "prompt_completion")
    assert body["dataset"]["bytes"] == len(content)
    assert [turn["text"] for turn in body["examples"][0]["turns"]] == ["a", "b"]


def test_the_base_says_what_is_taken(door: Door) -> None:
    preferences = door.kept(b'{"prompt":"a","chosen":"b","rejected":"c"}\n')
    assert door.ask(training_file=preferences).json["valid"] is True
    assert door.ask(training_file=preferences, method="dpo").json["method"] == "dpo"
    body = door.ask(training_file=preferences, model=BASE).json
    assert [issue["rule"] for issue in body["dataset"]["errors"]] == ["method_mismatch"]


@pytest.mark.parametrize("method", ["supervised", {"type": "supervised"}])
def test_a_method_is_a_text_or_openais_object(door: Door, method: object) -> None:
    assert door.ask(training_file=door.loop.upload(), model=BASE, method=method).json["method"] == "supervised"
    assert door.ask(training_file=door.loop.upload(), method=method).json["method"] == "supervised"


def test_another_tenants_file_is_not_found(door: Door) -> None:
    theirs = door.kept(rows(100), owner="rival")
    for field in ("training_file", "validation_file"):
        body = {"training_file": door.loop.upload(), field: theirs}
        answer = door.ask(**body)
        assert (answer.status, answer.error["param"], answer.error["code"]) == (400, field, "file_not_found")
        record = door.loop.shelf.get(theirs, owner="rival")
        answer = door.ask(**{**body, field: record.uri})
        assert (answer.status, answer.error["param"]) == (400, field)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "training_file"),
        ({"training_file": "file-a", "file": "file-b"}, "file"),
        ({"training_file": "file-none"}, "training_file"),
        ({"training_file": f"gs://{BUCKET}/data/none.jsonl"}, "training_file"),
        ({"training_file": "ftp://x/y"}, "training_file"),
        ({"training_file": "file-a", "model": "gpt-4"}, "model"),
        ({"training_file": "file-a", "model": BASE, "method": "poetry"}, "method.type"),
        ({"training_file": "file-a", "method": "poetry"}, "method.type"),
        ({"training_file": "file-a", "method": 3}, "method.type"),
        ({"training_file": "file-a", "examples": 21}, "examples"),
        ({"training_file": "file-a", "examples": -1}, "examples"),
        ({"training_file": "file-a", "examples": "all"}, "examples"),
        ({"training_file": "file-a", "columns": {"prompt": "a"}}, "columns.completion"),
        ({"training_file": "file-a", "colour": 1}, "colour"),
    ],
)
def test_a_bad_question_names_the_field(door: Door, body: dict[str, Any], param: str) -> None:
    answer = door.ask(**body)
    assert (answer.status, answer.error["param"]) == (400, param)


def test_a_file_beyond_the_doors_time_is_sent_to_the_other_ways(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MOST_BYTES", 100)
    answer = door.ask(training_file=door.kept(rows(100)))
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "training_file", "file_too_large")
    assert "tuneway datasets lint" in answer.error["message"]


def test_a_store_that_is_away_is_told_as_such(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def away(uri: str) -> Iterator[IO[bytes]]:
        raise TryLater("The store is away.")
        yield  # type: ignore[unreachable]

    name = door.loop.upload()
    monkeypatch.setattr(door.loop.files, "read", away)
    assert door.ask(training_file=name).status == 503


def test_only_a_key_for_tuning_may_ask(door: Door) -> None:
    assert door.ask(key="predict", training_file=door.loop.upload()).status == 403


def test_nothing_is_kept_of_the_question(door: Door) -> None:
    door.ask(training_file=door.loop.upload())
    assert door.loop.events.sent == []
    assert door.loop.desk.newest(owner="acme", after=None, limit=5) == []


NAMED = {"prompt": "ticket", "completion": "reply"}


def test_rows_of_json_are_read_by_the_columns_that_are_named(door: Door) -> None:
    content = b'{"ticket":"a","reply":"b"}\n' * 2
    body = door.ask(training_file=door.kept(content), columns=NAMED, examples=1).json
    assert (body["dataset"]["rows"], body["dataset"]["form"]) == (2, "prompt_completion")
    assert [turn["text"] for turn in body["examples"][0]["turns"]] == ["a", "b"]


@pytest.mark.parametrize("at_fault", ["training_file", "validation_file"])
def test_columns_of_rows_that_have_none_are_refused_by_name(door: Door, at_fault: str) -> None:
    named = {"training_file": "a.csv", "validation_file": "b.csv", at_fault: "chat.jsonl"}
    contents = {"a.csv": b"ticket,reply\na,b\n", "b.csv": b"ticket,reply\nc,d\n", "chat.jsonl": rows(20)}
    files = {field: door.kept(contents[name], name) for field, name in named.items()}
    answer = door.ask(**files, columns=NAMED)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "columns", "columns_not_found")
    assert "Line 1 of 'chat.jsonl' has no 'ticket'" in answer.error["message"]
    assert "leave 'columns' out" in answer.error["message"]
