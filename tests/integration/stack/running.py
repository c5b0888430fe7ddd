"""A local stack as the processes it really is, and what its callers do with it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import openai

from tests.contracts.openapi import departures
from tests.waiting import PATIENCE, wait_until
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.state import Collection
from tuneway.tuning.jobs import Job, Status

BASE = "gemini-3.5-flash"
ENDED = frozenset({"succeeded", "failed", "cancelled"})
OURS = ("/approve", "/refuse", "/replay")  # of which OpenAI's document knows nothing
PROC = Path("/proc")
TUNING_JOBS = "/v1/projects/local-project/locations/us-central1/tuningJobs"


class Stack:
    """``tuneway up`` on a folder. The simulated training clock runs so fast that a job takes about two seconds."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.process = launch(data, *options)
        line = read_line(self.process)
        assert line, f"tuneway did not start: {errors(data)}"
        self.ready: dict[str, str] = json.loads(line)
        self.url, self.key, self.vertex_url = (self.ready[name] for name in ("url", "key", "vertex_url"))
        self.http = self.caller(self.key)
        self.vertex = httpx.Client(base_url=self.vertex_url, timeout=PATIENCE, trust_env=False)
        # Google's protos take seconds to load on a busy machine, which is longer than a create may take.
        assert self.vertex.post(TUNING_JOBS, json={}).status_code == HTTPStatus.BAD_REQUEST

    def caller(self, key: str | None) -> httpx.Client:
        """A client with no SDK between, whose every answer is held against OpenAI's document."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        hooks = {"response": [checked]}
        return httpx.Client(base_url=self.url, headers=headers, event_hooks=hooks, timeout=PATIENCE, trust_env=False)

    def sdk(self, key: str | None = None, **options: Any) -> openai.OpenAI:
        """The unmodified SDK, its every JSON answer held against OpenAI's document."""
        return openai.OpenAI(
            base_url=f"{self.url}/v1",
            api_key=key or self.key,
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [checked]}, trust_env=False),
            **options,
        )

    def fault(self, **fault: object) -> None:
        """Have the simulated Vertex AI fail."""
        assert self.vertex.post("/_simulate/faults", json=fault).status_code == 200

    @contextmanager
    def asking(self, body: dict[str, object]) -> Iterator[socket.socket]:
        """A chat on a connection of its own, which never waits when it is read."""
        content = json.dumps(body).encode()
        heads = ("host: x", f"authorization: Bearer {self.key}", f"content-length: {len(content)}")
        head = "\r\n".join(("POST /v1/chat/completions HTTP/1.1", *heads, "", ""))
        with socket.create_connection(("127.0.0.1", httpx.URL(self.url).port or 0)) as connection:
            connection.sendall(head.encode() + content)
            connection.settimeout(0)
            yield connection

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it; its exit code. Stopping twice changes nothing."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.http.close()
            self.vertex.close()
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextmanager
def running(data: Path, *options: str) -> Iterator[Stack]:
    stack = Stack(data, *options)
    try:
        yield stack
    finally:
        family = family_of(stack.process.pid)
        stack.stop()
        wait_until(lambda: not alive(family))


def launch(data: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Begin to start a stack; what it complains of is in ``errors(data)``."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "stderr").open("wb") as complaints:
        return subprocess.Popen(
            [command(), "up", "--json", "--port", "0", "--data", str(data), "--speed", "60", *options],
            stdout=subprocess.PIPE,
            stderr=complaints,
        )


@contextmanager
def launched(data: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A stack that is starting, and is killed in the end if nobody did it before."""
    with launch(data, *options) as process:
        yield process
        process.kill()


def read_line(process: "subprocess.Popen[bytes]") -> bytes:
    """The next line it prints; empty when it ends first."""
    return process.stdout.readline() if process.stdout else b""


def errors(data: Path) -> str:
    """What the last stack on the folder wrote to stderr."""
    return (data / "stderr").read_text()


def command() -> str:
    """The command line, as it was installed."""
    return str(Path(sys.executable).with_name("tuneway"))


def checked(response: Any) -> None:
    """An event hook: the answer is what OpenAI's document says. Streams are read by whoever asked for them."""
    kind = response.headers.get("content-type", "")
    path = response.request.url.path
    if kind.startswith("text/event-stream") or path.startswith("/v1/registry") or path.endswith(OURS):
        return
    answer = {"status": response.status_code, "kind": kind, "body": response.read()}
    faults = departures(response.request.method, path, **answer)
    assert not faults, (path, faults, response.read()[:1000])


def dataset(rows: int = 20) -> bytes:
    """Rows of a small sum each."""
    return b"".join(row(f"What is {n} plus one?", f"It is {n + 1}.") for n in range(rows))


def row(question: str, answer: str) -> bytes:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns}).encode() + b"\n"


def uploaded(http: httpx.Client, content: bytes | None = None) -> str:
    """The id of a file with these bytes, or with good rows."""
    files = {"file": ("train.jsonl", dataset() if content is None else content)}
    response = http.post("/v1/files", files=files, data={"purpose": "fine-tune"})
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


def created(http: httpx.Client, **fields: object) -> dict[str, Any]:
    """A new job; it has a file of its own when none is given."""
    fields.setdefault("training_file", None) or fields.update(training_file=uploaded(http))
    response = http.post("/v1/fine_tuning/jobs", json={"model": BASE, "hyperparameters": {"n_epochs": 1}, **fields})
    assert response.status_code == 200, response.text
    job: dict[str, Any] = response.json()
    return job


def lengthy(http: httpx.Client, **fields: object) -> dict[str, Any]:
    """A new job that trains for a minute, so that a test has time to meet it."""
    rows = uploaded(http, dataset(4000))
    return created(http, training_file=rows, hyperparameters={"n_epochs": 10}, **fields)


def ended(http: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    job: dict[str, Any] = {}

    def over() -> bool:
        job.update(http.get(f"/v1/fine_tuning/jobs/{job_id}").raise_for_status().json())
        return job["status"] in ENDED

    wait_until(over)
    return job


def asked(model: str, question: str = "What is 12 plus one?", **fields: object) -> dict[str, object]:
    """The body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": question}], **fields}


def provider_jobs(vertex: httpx.Client, token: str | None = None) -> list[dict[str, Any]]:
    """The tuning jobs that Vertex AI knows, all or those of one job of ours."""
    listed = vertex.get(TUNING_JOBS, params={"pageSize": 1000}).raise_for_status().json()
    jobs: list[dict[str, Any]] = listed.get("tuningJobs", [])  # Google leaves an empty list out
    return [job for job in jobs if token in {None, job.get("labels", {}).get("tuneway-job")}]


def family_of(pid: int) -> set[int]:
    """The process and all that descend from it."""
    parents = {int(path.parent.name): _parent(path) for path in PROC.glob("[0-9]*/stat")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if (stat := PROC / str(pid) / "stat").exists() and not _gone(stat)}


def idle(data: Path) -> bool:
    """Whether no job of a stack without emulators is on its way: each has ended, or waits for a person."""
    documents = SqliteDocuments(data / "state.sqlite")
    try:
        jobs = Collection(documents, "jobs", Job).find(("open", "==", True))
    finally:
        documents.close()
    return all(job.value.status is Status.HELD for job in jobs)


def _parent(stat: Path) -> int:
    return int(_words(stat)[1] or -1)


def _gone(stat: Path) -> bool:
    return _words(stat)[0] in {"Z", "X", ""}


def _words(stat: Path) -> list[str]:
    """State and parent, which follow the command's name in brackets; a process may end while one looks."""
    try:
        return stat.read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return ["", ""]
