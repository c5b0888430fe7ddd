"""Each bundle, alone in a clean environment, started as the platform starts it."""

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import Loop
from tests.ports import free_port, listens
from tests.waiting import PATIENCE, wait_until
from tuneway.errors import BadInput, NotFound
from tuneway.local import bundles
from tuneway.local.manifest import HttpTrigger, PubsubTrigger, ScheduleTrigger, StorageTrigger, load
from tuneway.tuning.catalogue import FAMILIES

MANIFEST = load()
UV = Path(sys.executable).with_name("uv")
ASKED = {"predict": "/v1/models", "tuning": "/v1/files", "registry": "/v1/registry/models"}


LINE = {"status": 200, "ms": 12.5, "owner": "acme", "key": "0123456789ab", "target": "vertex/x"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    bundles.bundle_all(folder)
    return folder


def test_two_runs_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    for path in bundles.bundle_all(tmp_path):
        assert path.read_bytes() == (dist / path.name).read_bytes(), path.name


def test_a_bundle_holds_what_its_door_reaches_and_nothing_local(dist: Path) -> None:
    with zipfile.ZipFile(dist / "predict.zip") as archive:
        names = archive.namelist()
    assert {"main.py", "requirements.txt", "tuneway/prediction/complete.py"} <= set(names)
    assert not [
        name for name in names if name.startswith(("tuneway/local", "tuneway/cli", "tuneway/api", "tuneway/tuning"))
    ]


def test_data_travels_with_the_module_that_reads_it(dist: Path) -> None:
    assert all((dist / f"create_job/tuneway/tuning/catalogue.{family}.json").is_file() for family in FAMILIES)


def test_an_unknown_function_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no function 'nosuch'"):
        bundles.bundle("nosuch", tmp_path)


def test_a_door_that_reaches_into_the_python_api_is_refused(tmp_path: Path) -> None:
    door = tmp_path / "main.py"
    door.write_text("from tuneway.api import completion\n")
    with pytest.raises(BadInput, match="never packaged"):
        bundles.reachable(door)


def test_a_door_that_reaches_into_the_local_stack_is_refused(tmp_path: Path) -> None:
    door = tmp_path / "main.py"
    door.write_text("from tuneway.local.manifest import load\n")
    with pytest.raises(BadInput, match="never packaged"):
        bundles.reachable(door)


@pytest.mark.parametrize("name", sorted(MANIFEST.functions))
def test_a_bundle_runs_in_a_clean_environment(name: str, dist: Path, tmp_path: Path) -> None:
    python = _environment(dist / name / "requirements.txt", tmp_path / "venv")
    job = _cancelled_job(tmp_path)
    with _started(python, dist / name, state=tmp_path) as url:
        status, body = _called(url, name, job)
    expected = 401 if isinstance(MANIFEST.functions[name].trigger, HttpTrigger) else 200
    assert status == expected, body


def _environment(pins: Path, folder: Path) -> Path:
    python = folder / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [str(UV), "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(pins)]
    subprocess.run(install, check=True)
    return python


def _cancelled_job(folder: Path) -> str:
    """A job whose events change nothing more."""
    loop = Loop(folder)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.desk.cancel(job.id, owner="acme")
    loop.settle()
    return job.id


@contextmanager
def _started(python: Path, source: Path, *, state: Path) -> Iterator[str]:
    name = source.name
    port = free_port()
    command = [
        str(python.with_name("functions-framework")),
        "--target",
        name,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {
        "PATH": os.defpath,
        "HOME": str(state),  # gunicorn keeps its control socket there
        "FUNCTION_SIGNATURE_TYPE": "cloudevent" if _is_event(name) else "http",
        "TUNEWAY_STATE_FOLDER": str(state),
        "TUNEWAY_OBJECTS_FOLDER": str(state / "objects"),
        "TUNEWAY_VERTEX_URL": "http://127.0.0.1:1",
        "TUNEWAY_LOCAL_SUBSCRIPTIONS": "{}",
    }
    process = subprocess.Popen(command, cwd=source, env=environment, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1].decode()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _is_event(name: str) -> bool:
    return isinstance(MANIFEST.functions[name].trigger, PubsubTrigger | StorageTrigger)


def _called(url: str, name: str, job: str) -> tuple[int, str]:
    match MANIFEST.functions[name].trigger:
        case HttpTrigger():
            return _sent(urllib.request.Request(url + ASKED[name]))
        case ScheduleTrigger(path=path):
            return _sent(urllib.request.Request(url + path, data=b"", method="POST"))
        case PubsubTrigger(topic=topic):
            return _sent(_event(url, topic, job))
        case StorageTrigger(event=kind):
            return _sent(_storage_event(url, kind))


def _event(url: str, topic: str, job: str) -> urllib.request.Request:
    usage = {"insertId": "1", "timestamp": "2026-11-21T00:00:00Z", "jsonPayload": LINE}
    data = base64.b64encode(
        json.dumps({"job_id": job, "deployment_id": "none", "sweep_id": "none", "since": 9, **usage}).encode()
    ).decode()
    body = {"message": {"data": data, "messageId": "1", "attributes": {}, "publishTime": "2026-11-21T00:00:00Z"}}
    headers = {
        "content-type": "application/json",
        "ce-id": "1",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-source": f"//pubsub.googleapis.com/projects/p/topics/{topic}",
        "ce-specversion": "1.0",
    }
    return urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers, method="POST")


def _storage_event(url: str, kind: str) -> urllib.request.Request:
    headers = {
        "content-type": "application/json",
        "ce-id": "1",
        "ce-type": kind,
        "ce-source": "//storage.googleapis.com/projects/_/buckets/b",
        "ce-subject": "objects/rows.jsonl",
        "ce-specversion": "1.0",
    }
    data = json.dumps({"bucket": "b", "name": "rows.jsonl", "generation": "1"}).encode()
    return urllib.request.Request(url, data=data, headers=headers, method="POST")


def _sent(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, fault.read().decode()
