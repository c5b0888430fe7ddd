from pathlib import Path

import pytest

from tuneway.api.computer_files import ComputerFiles, Paths
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Delete, Key, Query


def test_a_path_is_an_uploaded_file_and_there_is_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"abc")
    paths = Paths("me")
    found = paths.get(Key("files", str(path)))
    assert found is not None
    assert (found.fields["bytes"], found.fields["filename"], found.fields["owner"]) == (3, "rows.csv", "me")
    assert paths.get(Key("files", str(tmp_path))) is None
    assert paths.get(Key("jobs", str(path))) is None
    assert paths.find(Query(collection="jobs")) == []
    with pytest.raises(BadInput):
        paths.commit(Delete(Key("files", str(path))))


def test_files_of_this_computer_are_only_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"abc")
    files = ComputerFiles()
    with files.read(f"file://{path}") as content:
        assert content.read() == b"abc"
    with pytest.raises(NotFound, match="No such file"):
        files.read(f"file://{path}.gone")
    for refused in (files.write, files.delete, files.size):
        with pytest.raises(BadInput):
            refused(f"file://{path}")
