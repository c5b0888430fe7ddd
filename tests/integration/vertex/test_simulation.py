"""What the simulation promises beside Google's API: faults, restarts, tokens, the metadata server, loss."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.integration.vertex.conftest import PARENT, Simulated, row
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings

BASE = f"{PARENT}/publishers/google/models/gemini-3.5-flash"
BODY = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
JOB = {"baseModel": "gemini-3.5-flash", "supervisedTuningSpec": {"trainingDatasetUri": "gs://data/train.jsonl"}}


def asked(vertex: Simulated, verb: str = "generateContent") -> httpx.Response:
    return vertex.http.post(f"{vertex.url}/v1/{BASE}:{verb}", json=BODY)


def test_a_status_fault_happens_as_often_as_asked(vertex: Simulated) -> None:
    vertex.fault(path="generateContent", fault="status", status=429, retry_after=7, times=2)
    answers = [asked(vertex) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_faults_are_listed_and_cleared(vertex: Simulated) -> None:
    vertex.fault(path="generateContent", fault="html", method="GET")
    assert asked(vertex).status_code == 200
    listed = vertex.http.get(f"{vertex.url}/_simulate/faults").json()["faults"]
    assert listed[0]["fault"] == "html"
    vertex.http.delete(f"{vertex.url}/_simulate/faults")
    assert vertex.http.get(f"{vertex.url}/_simulate/faults").json() == {"faults": []}
    assert vertex.http.post(f"{vertex.url}/_simulate/faults", json={"path": "", "fault": "boom"}).status_code == 400


def test_an_html_fault_is_a_page(vertex: Simulated) -> None:
    vertex.fault(path="generateContent", fault="html")
    answer = asked(vertex)
    assert (answer.status_code, answer.text[:15]) == (502, "<!DOCTYPE html>")


def test_a_slow_fault_takes_its_time(vertex: Simulated) -> None:
    vertex.fault(path="generateContent", fault="slow", seconds=0.3)
    assert asked(vertex).elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize("fault", ["lost", "disconnect"])
def test_a_broken_connection_gives_no_answer(vertex: Simulated, fault: str) -> None:
    before = vertex.calls().get("POST publishers/google/models/{model}:generateContent", 0)
    vertex.fault(path="generateContent", fault=fault)
    with pytest.raises(httpx.RemoteProtocolError):
        asked(vertex)
    after = vertex.calls().get("POST publishers/google/models/{model}:generateContent", 0)
    assert after - before == (1 if fault == "lost" else 0)


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse"])
def test_a_cut_breaks_off_in_the_middle(vertex: Simulated, verb: str) -> None:
    path = f"{vertex.url}/v1/{BASE}:{verb}"
    whole = len(vertex.http.post(path, json=BODY).content)
    vertex.fault(path="enerateContent", fault="cut")
    with vertex.http.stream("POST", path, json=BODY) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    assert b"simulated" in first
    assert 0 < answer.num_bytes_downloaded < whole


def test_a_restart_loses_nothing(started: Callable[[], Simulated]) -> None:
    vertex = started()
    vertex.dataset([row("What is up?", "The sky.")])
    name = vertex.http.post(f"{vertex.url}/v1/{PARENT}/tuningJobs", json=JOB).json()["name"]
    started()
    vertex.later(600)
    endpoint = vertex.http.get(f"{vertex.url}/v1/{name}").json()["tunedModel"]["endpoint"]
    (vertex.objects / "data" / "train.jsonl").unlink()
    started()
    body = {"contents": [{"role": "user", "parts": [{"text": "What is up?"}]}]}
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}:generateContent", json=body).json()
    assert answer["candidates"][0]["content"]["parts"] == [{"text": "The sky."}]


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    code = """
        import sys, pathlib
        from tuneway.local.vertex.serve import VertexServer
        from tuneway.local.vertex.settings import VertexSettings
        folder = pathlib.Path(sys.argv[1])
        server = VertexServer(VertexSettings(store=folder / "vertex.db", objects=folder / "objects"))
        print(server.url, flush=True)
        server.serve_forever()
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process, httpx.Client(timeout=60) as http:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        name = http.post(f"{url}/v1/{PARENT}/tuningJobs", json=JOB, timeout=60).json()["name"]
        process.kill()
    settings = VertexSettings(store=tmp_path / "vertex.db", objects=tmp_path / "objects")
    with VertexServer(settings) as server:
        assert httpx.get(f"{server.url}/v1/{name}", timeout=60).json()["name"] == name


def test_a_token_is_asked_for_when_required(tmp_path: Path) -> None:
    settings = VertexSettings(store=tmp_path / "v.db", objects=tmp_path / "objects", require_token=True)
    with VertexServer(settings) as server:
        path = f"{server.url}/v1/{PARENT}/tuningJobs"
        refused = httpx.get(path, timeout=60)
        assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
        assert httpx.get(path, headers={"authorization": "Bearer x"}, timeout=60).status_code == 200
        assert httpx.get(f"{server.url}/_simulate/calls", timeout=60).status_code == 200


def test_the_metadata_server_gives_a_token(vertex: Simulated) -> None:
    path = f"{vertex.url}/computeMetadata/v1/instance/service-accounts/default/token"
    assert vertex.http.get(path).status_code == 403
    given = vertex.http.get(path, headers={"metadata-flavor": "Google"})
    assert set(given.json()) == {"access_token", "expires_in", "token_type"}
    project = vertex.http.get(
        f"{vertex.url}/computeMetadata/v1/project/project-id", headers={"metadata-flavor": "Google"}
    )
    assert project.text == "local-project"


def test_the_loss_falls(vertex: Simulated) -> None:
    vertex.dataset([row(f"Question {number}", "Answer") for number in range(400)])
    name = vertex.http.post(f"{vertex.url}/v1/{PARENT}/tuningJobs", json=JOB).json()["name"]
    seen = []
    for _ in range(20):
        vertex.later(10)
        seen.append(vertex.http.get(f"{vertex.url}/_simulate/jobs/{name.rpartition('/')[2]}").json())
    assert "loss" not in seen[0]
    assert seen[5]["loss"] > seen[10]["loss"] > seen[-1]["loss"]
    assert (seen[-1]["state"], seen[-1]["step"], seen[-1]["steps"]) == ("JOB_STATE_SUCCEEDED", 150, 150)


def test_an_unknown_path_is_a_google_error(vertex: Simulated) -> None:
    answer = vertex.http.get(f"{vertex.url}/v1/{PARENT}/unicorns")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_broken_json_is_refused(vertex: Simulated) -> None:
    answer = vertex.http.post(f"{vertex.url}/v1/{BASE}:generateContent", content=b"{")
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
