"""A job's file is an upload's id or an address that can be read; tuneway's own copies are nobody's to name."""

from pathlib import Path

import pytest

from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput
from tuneway.tuning.files import FileShelf
from tuneway.tuning.orders import check_uri


def nobodys(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    "name",
    [
        "gs://bucket/rows.jsonl",
        "s3://bucket.name/rows with blanks.csv",
        "https://host/rows.parquet?sig=a%2Fb@c",
        "https://host:8443/rows",
        "https://host",
    ],
)
def test_an_address_that_can_be_read_is_taken(name: str) -> None:
    assert check_uri(name, field="training_file", keeps=nobodys)


def test_an_id_is_no_address() -> None:
    assert not check_uri("file-123", field="training_file", keeps=nobodys)


@pytest.mark.parametrize(
    "name",
    [
        "http://host/rows",
        "ftp://host/rows",
        "file:///etc/passwd",
        "https://user:password@host/rows",
        "https://host\\@other/rows",
        "https://ho st/rows",
        "https:///rows",
        "gs://bucket",
        "s3://Bucket/rows",
        "s3://bucket/",
    ],
)
def test_other_addresses_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="https://host/path") as caught:
        check_uri(name, field="training_file", keeps=nobodys)
    assert caught.value.param == "training_file"


def test_tuneways_own_copies_are_refused_wherever_they_lie(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "state.sqlite")
    shelf = FileShelf(
        documents, LocalFiles(tmp_path), bucket="own", copies="s3://copies", now=lambda: 0.0, new_id=lambda: "1"
    )
    for name in ("gs://own/files/file-1", "gs://own/jobs/x/training.jsonl", "s3://copies/jobs/x/training.jsonl"):
        with pytest.raises(BadInput, match="own"):
            check_uri(name, field="training_file", keeps=shelf.keeps)
    assert check_uri("s3://copies/mine.jsonl", field="training_file", keeps=shelf.keeps)
    documents.close()
