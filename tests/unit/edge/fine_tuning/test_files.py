"""``/v1/files``: multipart in, OpenAI's shapes out."""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.openapi import departures
from tests.fakes import Loop
from tests.unit.edge.asking import Asked, Asking, part
from tuneway.edge.fine_tuning.files import rules

FILES = "/v1/files"


class Shelf:
    """The door of a shelf in a folder."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.asking = Asking(rules(self.loop.shelf))

    def ask(self, method: str, path: str = "", *, key: str = "tune", form: dict[str, Any] | None = None) -> Asked:
        answer = self.asking(method, FILES + path, key=key, form=form)
        where = (FILES + path).partition("?")[0]
        kind = answer.headers["content-type"]
        assert not departures(method, where, status=answer.status, kind=kind, body=answer.content)
        return answer

    def upload(self, content: bytes = b"x\n", **form: object) -> Asked:
        self.loop.clock += 1
        return self.ask("POST", form={"file": part(io.BytesIO(content)), "purpose": "fine-tune", **form})


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_file_comes_back_as_it_was(shelf: Shelf) -> None:
    content = bytes(range(256)) * 9000
    kept = shelf.upload(content).json
    assert (kept["bytes"], kept["filename"], kept["status"]) == (len(content), "train.jsonl", "processed")
    assert shelf.ask("GET", f"/{kept['id']}").json == kept
    assert shelf.ask("GET", f"/{kept['id']}/content").content == content


def test_a_deleted_file_is_gone_with_its_bytes(shelf: Shelf, tmp_path: Path) -> None:
    file_id = shelf.upload().json["id"]
    assert shelf.ask("DELETE", f"/{file_id}").json == {"id": file_id, "object": "file", "deleted": True}
    assert shelf.ask("GET", f"/{file_id}").status == shelf.ask("DELETE", f"/{file_id}").status == 404
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]


def test_pages_follow_each_other_in_either_order(shelf: Shelf) -> None:
    ids = [shelf.upload().json["id"] for _ in range(3)]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        first = shelf.ask("GET", f"?limit=2&order={order}").json
        second = shelf.ask("GET", f"?limit=2&order={order}&after={first['last_id']}").json
        assert [kept["id"] for kept in first["data"] + second["data"]] == expected


def test_an_empty_list_is_what_openai_says_a_list_is(shelf: Shelf) -> None:
    assert shelf.ask("GET").json["data"] == []


def test_files_of_another_purpose_are_none(shelf: Shelf) -> None:
    shelf.upload()
    assert shelf.ask("GET", "?purpose=assistants").json["data"] == []
    assert len(shelf.ask("GET", "?purpose=fine-tune").json["data"]) == 1


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"purpose": "vision"}, "purpose"),
        ({"expires_after": "1"}, "expires_after"),
        ({"more": part(io.BytesIO())}, "more"),
    ],
)
def test_a_form_field_that_cannot_be_kept_is_refused_by_name(shelf: Shelf, form: dict[str, Any], param: str) -> None:
    answer = shelf.upload(**form)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert shelf.ask("GET").json["data"] == []


def test_a_form_without_file_or_purpose_is_refused(shelf: Shelf) -> None:
    assert shelf.ask("POST", form={"purpose": "fine-tune"}).error["param"] == "file"
    assert shelf.ask("POST", form={"file": part(io.BytesIO(b"x"))}).error["param"] == "purpose"
    assert shelf.ask("POST").error["param"] == "file"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\u0000b", "ä ö.jsonl", "x" * 500])
def test_a_strange_file_name_is_only_a_name(shelf: Shelf, name: str) -> None:
    kept = shelf.ask("POST", form={"file": part(io.BytesIO(b"x"), name), "purpose": "fine-tune"}).json
    assert shelf.ask("GET", f"/{kept['id']}/content").content == b"x"


def test_another_tenants_file_is_not_found(shelf: Shelf) -> None:
    file_id = shelf.upload().json["id"]
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert shelf.ask(method, f"/{file_id}{path}", key="tune@rival").status == 404
    assert shelf.ask("GET", f"?after={file_id}", key="tune@rival").status == 404
    assert shelf.ask("GET", key="tune@rival").json["data"] == []
