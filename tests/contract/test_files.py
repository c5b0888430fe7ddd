"""The contract of ``ports.Files``: a local folder, google-cloud-storage against the simulation, S3 against moto."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from tests.vendors.moto_server import moto
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.aws_own_keys import SIMULATED, OwnKeys
from tuneway.adapters.gcs_files import CHUNK_BYTES, GcsFiles
from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.s3_files import S3Files
from tuneway.adapters.s3_objects import S3Objects
from tuneway.errors import BadInput, NotFound
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings
from tuneway.ports import Files

MANY = CHUNK_BYTES * 2 + 12_345


@pytest.fixture(scope="session")
def storage_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulation")


@pytest.fixture(scope="session")
def storage_url(storage_folder: Path) -> Iterator[str]:
    settings = VertexSettings(store=storage_folder / "vertex.db", objects=storage_folder / "objects")
    with VertexServer(settings) as server:
        yield server.url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
def bucket() -> str:
    return f"bucket-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def local_files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path)


@pytest.fixture
def gcs_files(storage_url: str, bucket: str) -> Iterator[GcsFiles]:
    client = Client(
        project="project-1", credentials=AnonymousCredentials(), client_options={"api_endpoint": storage_url}
    )
    client.create_bucket(bucket, timeout=60)
    yield GcsFiles(client)
    client.close()


@pytest.fixture
def s3_files(s3_url: str, bucket: str) -> Iterator[Files]:
    httpx.put(f"{s3_url}/{bucket}", trust_env=False).raise_for_status()
    caller = AwsCaller(OwnKeys(lambda: SIMULATED))
    yield SpelledAsGs(S3Files(S3Objects(caller, region="us-east-1", base_url=s3_url)))
    caller.close()


@pytest.fixture(params=["local_files", "gcs_files", "s3_files"], ids=["local", "gcs", "s3"])
def files(request: pytest.FixtureRequest) -> Files:
    found: Files = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def uri(bucket: str) -> str:
    return f"gs://{bucket}/datasets/train.jsonl"


class SpelledAsGs:
    """Files in S3 that take the ``gs://`` of these tests for ``s3://``."""

    def __init__(self, files: S3Files) -> None:
        self._files = files

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        return self._files.read(_in_s3(uri))

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        return self._files.write(_in_s3(uri))

    def size(self, uri: str) -> int:
        return self._files.size(_in_s3(uri))

    def delete(self, uri: str) -> None:
        self._files.delete(_in_s3(uri))


def _in_s3(uri: str) -> str:
    return f"s3://{uri.removeprefix('gs://')}" if uri.startswith("gs://") else uri


def unfinished(folder: Path) -> list[Path]:
    """Every file below ``folder`` with a chunk in it."""
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size == CHUNK_BYTES * 2]


def put(files: Files, uri: str, data: bytes) -> None:
    with files.write(uri) as file:
        file.write(data)


def break_off(files: Files, uri: str, data: bytes) -> None:
    with files.write(uri) as file:
        file.write(data)
        raise ZeroDivisionError


def get(files: Files, uri: str) -> bytes:
    with files.read(uri) as file:
        return file.read()


@pytest.mark.parametrize("data", [b"", b"\n", b"line 1\nline 2\n", bytes(range(256)) * 3], ids=len)
def test_what_was_written_is_read_back(files: Files, uri: str, data: bytes) -> None:
    put(files, uri, data)
    assert get(files, uri) == data
    assert files.size(uri) == len(data)


def test_an_object_of_many_chunks_comes_back_whole(files: Files, uri: str) -> None:
    line = b"0123456789abcdef" * 4
    with files.write(uri) as file:
        for _ in range(MANY // len(line)):
            file.write(line)
    with files.read(uri) as file:
        assert all(piece == line for piece in iter(lambda: file.read(len(line)), b""))
    assert files.size(uri) == MANY // len(line) * len(line)


def test_an_object_of_whole_chunks_comes_back_whole(files: Files, uri: str) -> None:
    put(files, uri, b"x" * CHUNK_BYTES)
    assert files.size(uri) == CHUNK_BYTES
    assert get(files, uri) == b"x" * CHUNK_BYTES


def test_lines_are_read_one_by_one(files: Files, uri: str) -> None:
    lines = [b"%d %s\n" % (n, b"x" * (n % 700)) for n in range(3_000)]
    put(files, uri, b"".join(lines))
    with files.read(uri) as file:
        assert list(file) == lines


def test_a_part_can_be_read_and_the_rest_left(files: Files, uri: str) -> None:
    put(files, uri, b"head and tail")
    with files.read(uri) as file:
        assert file.read(4) == b"head"


def test_writing_again_replaces_the_whole(files: Files, uri: str) -> None:
    put(files, uri, b"a long first version")
    put(files, uri, b"short")
    assert get(files, uri) == b"short"


@pytest.mark.parametrize("written", [b"", b"half a line", b"x" * MANY], ids=len)
def test_a_block_that_raises_leaves_no_object(files: Files, uri: str, written: bytes) -> None:
    with pytest.raises(ZeroDivisionError):
        break_off(files, uri, written)
    with pytest.raises(NotFound):
        files.size(uri)


def test_a_block_that_raises_leaves_the_object_that_was_there(files: Files, uri: str) -> None:
    put(files, uri, b"first")
    with pytest.raises(ZeroDivisionError):
        break_off(files, uri, b"second")
    assert get(files, uri) == b"first"


def test_nothing_is_seen_before_the_end(files: Files, uri: str) -> None:
    with files.write(uri) as file:
        file.write(b"x" * MANY)
        with pytest.raises(NotFound):
            files.size(uri)
    assert files.size(uri) == MANY


def test_an_upload_that_was_given_up_is_cancelled(gcs_files: GcsFiles, uri: str, storage_folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        break_off(gcs_files, uri, b"x" * MANY)
    assert not unfinished(storage_folder)


def test_what_is_not_there_is_not_found(files: Files, uri: str) -> None:
    with pytest.raises(NotFound):
        get(files, uri)
    with pytest.raises(NotFound):
        files.size(uri)


def test_a_folder_is_no_object(files: Files, bucket: str, uri: str) -> None:
    put(files, uri, b"x")
    with pytest.raises(NotFound):
        get(files, f"gs://{bucket}/datasets")
    with pytest.raises(NotFound):
        files.size(f"gs://{bucket}/datasets")


def test_a_bucket_that_is_not_there_is_not_found(files: Files) -> None:
    with pytest.raises(NotFound):
        get(files, f"gs://bucket-{uuid.uuid4().hex[:12]}/x")


def test_removing_twice_is_removing_once(files: Files, uri: str) -> None:
    put(files, uri, b"x")
    files.delete(uri)
    files.delete(uri)
    with pytest.raises(NotFound):
        files.size(uri)


@pytest.mark.parametrize("name", ["50%2e%2e 100%", "späť 世界.jsonl", "a b+c&d=e?f#g", "~", "-rf", "x" * 200, "..."])
def test_names_are_taken_literally(files: Files, bucket: str, name: str) -> None:
    put(files, f"gs://{bucket}/{name}", name.encode())
    assert get(files, f"gs://{bucket}/{name}") == name.encode()
    files.delete(f"gs://{bucket}/{name}")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "train.jsonl",
        "file:///etc/passwd",
        "/etc/passwd",
        "gs://",
        "gs://bucket-1",
        "gs://bucket-1/",
        "gs:///path",
        "gs://../path",
        "gs://Bucket/path",
        "gs://bucket-1/..",
        "gs://bucket-1/a\0b",
        "gs://bucket-1/a\nb",
        "gs://bucket-1/\ud800",
        "gs://bucket-1/" + "x" * 1_025,
    ],
)
def test_what_names_no_object_is_refused(files: Files, uri: str) -> None:
    for call in (files.size, files.delete, lambda uri: get(files, uri), lambda uri: put(files, uri, b"x")):
        with pytest.raises(BadInput):
            call(uri)


def test_of_two_writers_at_once_one_is_kept_whole(files: Files, uri: str) -> None:
    bodies = [bytes([letter]) * 300_000 for letter in b"ab"]
    threads = [threading.Thread(target=put, args=(files, uri, body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(files, uri) in bodies
