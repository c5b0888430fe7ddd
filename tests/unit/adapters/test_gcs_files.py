"""Cloud Storage's faults, as the simulation makes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from tuneway.adapters.gcs_files import CHUNK_BYTES, GcsFiles
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings

LONG = CHUNK_BYTES + 2_000_000
URI = "gs://bucket-1/train.jsonl"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VertexServer]:
    with VertexServer(VertexSettings(store=tmp_path / "vertex.db", objects=tmp_path / "objects")) as server:
        yield server


@pytest.fixture
def client(server: VertexServer) -> Iterator[Client]:
    client = Client(project="p1", credentials=AnonymousCredentials(), client_options={"api_endpoint": server.url})
    client.create_bucket("bucket-1", timeout=60)
    yield client
    client.close()


@pytest.fixture
def files(client: Client) -> GcsFiles:
    return GcsFiles(client)


def fail(server: VertexServer, path: str, status: int) -> None:
    fault = {"path": path, "fault": "status", "status": status}
    httpx.post(f"{server.url}/_simulate/faults", json=fault, trust_env=False, timeout=60).raise_for_status()


def put(files: GcsFiles, data: bytes) -> None:
    with files.write(URI) as file:
        file.write(data)


@pytest.mark.parametrize(("status", "error"), [(403, NotAllowed), (404, NotFound), (400, BadInput), (401, TryLater)])
def test_a_refusal_says_what_the_caller_can_do(
    server: VertexServer, files: GcsFiles, status: int, error: type[TunewayError]
) -> None:
    fail(server, "/o/train.jsonl", status)
    with pytest.raises(error):
        files.size(URI)
    fail(server, "/upload/", status)
    with pytest.raises(error):
        put(files, b"x")


def test_a_passing_fault_passes_unseen(server: VertexServer, files: GcsFiles) -> None:
    fail(server, "/upload/", 503)
    put(files, b"x")
    fail(server, "/o/train.jsonl", 503)
    assert files.size(URI) == 1


def read_on(files: GcsFiles, meanwhile: Callable[[], None]) -> None:
    with files.read(URI) as file:
        file.read(1)
        meanwhile()
        file.read()


def write_on(files: GcsFiles, meanwhile: Callable[[], None]) -> None:
    with files.write(URI) as file:
        file.write(b"x" * CHUNK_BYTES)
        meanwhile()


def test_a_refusal_while_reading_is_named_too(server: VertexServer, files: GcsFiles) -> None:
    put(files, b"x" * LONG)
    with pytest.raises(NotAllowed):
        read_on(files, lambda: fail(server, "/o/train.jsonl", 403))


def test_an_object_replaced_while_it_is_read_is_never_mixed(files: GcsFiles) -> None:
    put(files, b"a" * LONG)
    with pytest.raises(TryLater):
        read_on(files, lambda: put(files, b"b" * LONG))


def test_a_failed_upload_leaves_nothing(server: VertexServer, files: GcsFiles) -> None:
    with pytest.raises(NotAllowed):
        write_on(files, lambda: fail(server, "/upload/", 403))
    with pytest.raises(NotFound):
        files.size(URI)


def test_a_server_that_is_gone_is_a_passing_fault(client: Client, server: VertexServer) -> None:
    server.stop()
    with pytest.raises(TryLater):
        GcsFiles(client, patience=0.2).size(URI)
