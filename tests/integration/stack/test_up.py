"""How ``tuneway up`` starts, ends, refuses and goes on."""

import json
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.integration.stack.bus import Recorder
from tests.integration.stack.running import (
    alive,
    asked,
    command,
    created,
    ended,
    errors,
    family_of,
    launched,
    lengthy,
    provider_jobs,
    read_line,
    running,
    uploaded,
)
from tests.waiting import PATIENCE, wait_until


def up(*options: str) -> "subprocess.CompletedProcess[str]":
    """A start that is expected to fail."""
    return subprocess.run(
        [command(), "up", "--json", *options], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_it_ends_cleanly(tmp_path: Path, *, how: signal.Signals, busy: bool) -> None:
    log = tmp_path / "tuneway.log"
    with running(tmp_path) as stack:
        if busy:
            job = lengthy(stack.http)["id"]
            wait_until(lambda: bool(provider_jobs(stack.vertex, job)))
        before = len(log.read_bytes())  # a busy machine may have had its say until now
        family = family_of(stack.process.pid)
        assert stack.stop(how) in ({0, 130} if how is signal.SIGINT else {0, -signal.SIGTERM, 143})
        assert not alive(family)
    assert errors(tmp_path) == ""
    assert b'"WARNING"' not in log.read_bytes()[before:]


def test_a_client_that_listens_to_a_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        stack.fault(path="enerateContent", fault="slow", seconds=60)
        body = asked("vertex_ai/gemini-3.5-flash", stream=True)
        with stack.asking(body) as client:
            wait_until(lambda: stack.vertex.get("/_simulate/faults").json()["faults"] == [])  # the host has been asked
            with pytest.raises(BlockingIOError):
                client.recv(1)
            assert stack.stop() in {0, 130}


def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    with launched(tmp_path) as process:
        while not (tmp_path / "lock").exists():
            assert process.poll() is None
        family = family_of(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in {0, 1, 130, -signal.SIGINT}
        assert not alive(family)


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        second = up("--port", "0", "--data", str(tmp_path))
        assert (second.returncode, second.stdout) == (1, "")
        assert "Another tuneway runs on" in second.stderr
        assert "--data" in second.stderr
        assert "Traceback" not in second.stderr
        assert stack.http.get("/v1/models").status_code == 200


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = up("--port", str(taken.getsockname()[1]), "--data", str(tmp_path))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = up("--port", "0", "--data", str(tmp_path / "taken" / "deeper"))
    assert (done.returncode, "--data" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_a_key_that_was_never_written_whole_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with running(tmp_path) as stack:
        assert stack.http.get("/v1/models").status_code == 200
        assert (tmp_path / "key").read_text() == stack.key


def test_a_body_in_chunks_is_read_by_every_function(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        pieces = iter([b'{"owner": "shop", ', b'"scopes": ["predict"]}'])
        made = stack.http.post("/v1/registry/keys", content=pieces)
    assert (made.status_code, made.json()["owner"]) == (200, "shop")


def test_json_is_one_line_once_it_is_ready(tmp_path: Path) -> None:
    with launched(tmp_path / "state") as process:
        told = json.loads(read_line(process))
        assert set(told) == {"url", "key", "data", "vertex_url"}
        assert told["data"] == str(tmp_path / "state")
        process.send_signal(signal.SIGINT)
        assert read_line(process) == b""


def test_its_secrets_are_for_its_user_alone(tmp_path: Path) -> None:
    with running(tmp_path):
        for name in ("key", "stack.json", "tuneway.log"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


def test_started_again_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        file_id = uploaded(first.http)
        job = ended(first.http, created(first.http, training_file=file_id)["id"])
        wait_until(Recorder(tmp_path).quiet)
        told = first.http.get(f"/v1/fine_tuning/jobs/{job['id']}/events").json()
        models = first.http.get("/v1/models").json()
    with running(tmp_path) as second:
        assert second.key == first.key
        assert second.http.get(f"/v1/fine_tuning/jobs/{job['id']}").json() == job
        assert second.http.get(f"/v1/fine_tuning/jobs/{job['id']}/events").json() == told
        assert second.http.get(f"/v1/files/{file_id}/content").status_code == 200
        assert second.http.get("/v1/models").json() == models
        answer = second.http.post("/v1/chat/completions", json=asked(job["fine_tuned_model"])).json()
        assert answer["choices"][0]["message"]["content"] == "It is 13."


def test_a_job_in_the_middle_goes_on_after_a_clean_end(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        job = created(first.http)
    with running(tmp_path) as second:
        assert ended(second.http, job["id"])["status"] == "succeeded"


def test_a_given_key_is_let_in_beside_the_one_it_made(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        made = first.key
    with running(tmp_path, "--api-key", "tw-given") as second:
        assert second.key == "tw-given"
        for key in ("tw-given", made):
            with second.caller(key) as caller:
                assert caller.get("/v1/registry/keys").status_code == 200
