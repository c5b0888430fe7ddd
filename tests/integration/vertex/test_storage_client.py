"""google-cloud-storage works on the simulation, and shares its folder with plain files."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.integration.vertex.conftest import Simulated

QUARTER_MIB = 256 * 1024


@pytest.fixture
def bucket(vertex: Simulated) -> Iterator[storage.Bucket]:
    client = storage.Client(
        project="local-project", credentials=AnonymousCredentials(), client_options={"api_endpoint": vertex.url}
    )
    yield client.create_bucket("things")
    client.close()


def test_a_string_is_uploaded_read_and_deleted(bucket: storage.Bucket, vertex: Simulated) -> None:
    blob = bucket.blob("deep/er/note.txt")
    blob.metadata = {"from": "a test"}
    blob.upload_from_string("hello", content_type="text/plain")
    assert (vertex.objects / "things" / "deep" / "er" / "note.txt").read_text() == "hello"
    found = bucket.get_blob("deep/er/note.txt")
    assert (found.size, found.content_type, found.metadata) == (5, "text/plain", {"from": "a test"})
    assert found.download_as_bytes() == b"hello"
    assert found.download_as_bytes(start=1, end=3) == b"ell"
    found.delete()
    assert bucket.get_blob("deep/er/note.txt") is None
    with pytest.raises(NotFound):
        blob.download_as_bytes()


def test_a_large_file_is_uploaded_in_chunks(bucket: storage.Bucket) -> None:
    content = os.urandom(3 * QUARTER_MIB + 11)
    blob = bucket.blob("large.bin", chunk_size=QUARTER_MIB)
    blob.upload_from_file(io.BytesIO(content), size=None)
    assert bucket.blob("large.bin").download_as_bytes() == content
    with bucket.blob("large.bin").open("rb", chunk_size=QUARTER_MIB) as reader:
        assert reader.read() == content


def test_media_uploads_whole_bodies(bucket: storage.Bucket, vertex: Simulated) -> None:
    path = f"{vertex.url}/upload/storage/v1/b/things/o?uploadType=media&name=a%2Fb.json"
    stored = vertex.http.post(path, content=b"{}", headers={"content-type": "application/json"}).json()
    assert (stored["name"], stored["size"]) == ("a/b.json", "2")
    assert bucket.blob("a/b.json").download_as_text() == "{}"


def test_generations_guard_writes(bucket: storage.Bucket) -> None:
    blob = bucket.blob("once.txt")
    blob.upload_from_string("1", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string("2", if_generation_match=0)
    blob.reload()
    blob.upload_from_string("3", if_generation_match=blob.generation)
    assert blob.download_as_text() == "3"


def test_objects_are_listed_in_pages_and_folders(bucket: storage.Bucket) -> None:
    for name in ("a/1", "a/2", "b/1", "c"):
        bucket.blob(name).upload_from_string(name)
    assert [blob.name for blob in bucket.list_blobs(page_size=1)] == ["a/1", "a/2", "b/1", "c"]
    assert [blob.name for blob in bucket.list_blobs(prefix="a/")] == ["a/1", "a/2"]
    folders = bucket.list_blobs(delimiter="/")
    assert [blob.name for blob in folders] == ["c"]
    assert folders.prefixes == {"a/", "b/"}


def test_a_file_written_by_others_is_an_object(bucket: storage.Bucket, vertex: Simulated) -> None:
    (vertex.objects / "things" / "plain.jsonl").write_text("{}\n")
    assert bucket.blob("plain.jsonl").download_as_text() == "{}\n"


@pytest.mark.parametrize("name", ["..%2F..%2Fsecret", "a%2F..%2F..%2F..%2Fsecret", "%2Fetc%2Fpasswd"])
def test_a_name_never_leads_out_of_the_folder(
    bucket: storage.Bucket, vertex: Simulated, name: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("hidden")
    read = vertex.http.get(f"{vertex.url}/storage/v1/b/things/o/{name}?alt=media")
    written = vertex.http.post(f"{vertex.url}/upload/storage/v1/b/things/o?uploadType=media&name={name}", content=b"x")
    assert (read.status_code, written.status_code) == (400, 400)
    assert (tmp_path / "secret").read_text() == "hidden"


def test_an_upload_goes_on_where_it_stopped(bucket: storage.Bucket, vertex: Simulated) -> None:
    begun = vertex.http.post(f"{vertex.url}/upload/storage/v1/b/things/o?uploadType=resumable", json={"name": "half"})
    session = begun.headers["location"]
    first = vertex.http.put(session, content=b"abc", headers={"content-range": "bytes 0-2/6"})
    assert (first.status_code, first.headers["range"]) == (308, "bytes=0-2")
    asked = vertex.http.put(session, headers={"content-range": "bytes */6"})
    assert asked.headers["range"] == "bytes=0-2"
    assert bucket.get_blob("half") is None
    last = vertex.http.put(session, content=b"def", headers={"content-range": "bytes 3-5/6"})
    assert last.json()["size"] == "6"
    assert vertex.http.put(session, headers={"content-range": "bytes */6"}).json()["size"] == "6"
    assert bucket.blob("half").download_as_bytes() == b"abcdef"
