"""What a tuning backend under contract works on: a simulated provider whose clock the test moves."""

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import httpx

from tests.vendors.aws_services import AwsFake, running
from tests.vendors.bedrock_control import BedrockControl
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.aws_own_keys import OwnKeys
from tuneway.adapters.bedrock_control import BedrockControl as Control
from tuneway.adapters.bedrock_job import to_body
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.adapters.tuning_backends import Backends
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings
from tuneway.ports import TrainingContainer, TuningBackend, TuningRequest
from tuneway.settings import Settings

PROJECT = "local-project"
ROLE = "arn:aws:iam::123456789012:role/bedrock-tuning"
QUESTIONS = [f"What is {number} plus one?" for number in range(40)]


class Ground(Protocol):
    """One backend and its world. Requests differ in their token alone."""

    @property
    def backend(self) -> TuningBackend:
        """The adapter."""
        ...

    @property
    def location(self) -> str:
        """Where its jobs run."""
        ...

    def request(self, token: str) -> TuningRequest:
        """A job that succeeds."""
        ...

    def doomed(self, token: str) -> TuningRequest:
        """A job that the provider takes and that then fails by its data."""
        ...

    def begin(self) -> None:
        """Let so much time pass that a job runs."""
        ...

    def end(self) -> None:
        """Let so much time pass that every job has ended."""
        ...

    def lose_an_answer(self) -> None:
        """The next create does its work, and its answer is lost."""
        ...

    def strangers(self) -> None:
        """Somebody else starts a job in the same place."""
        ...

    def jobs(self) -> int:
        """How many jobs the provider has."""
        ...


class VertexGround:
    """The simulated Vertex AI with one of its backends."""

    def __init__(self, url: str, objects: Path, *, name: str) -> None:
        self.name = name
        self.location = "us-central1"
        self.backend = Backends(Settings(project=PROJECT, vertex_url=url, submit_timeout=60)).of(name)
        self.now = 1_790_000_000.0
        self.http = httpx.Client(base_url=url, timeout=60)
        self.objects = objects
        self.good = self._file("good.jsonl", [ROWS[name](question) for question in QUESTIONS])
        self.bad = self._file("bad.jsonl", [{"nothing": "of use"}])

    def request(self, token: str) -> TuningRequest:
        return self._asked(token, self.good)

    def doomed(self, token: str) -> TuningRequest:
        return self._asked(token, self.bad)

    def begin(self) -> None:
        # A container starts later than Google's own training, and trains one epoch.
        self.now += 25 if self.name == "vertex_custom" else 35

    def end(self) -> None:
        self.now += 5000

    def lose_an_answer(self) -> None:
        self.http.post("/_simulate/faults", json={"path": "Jobs", "method": "POST", "fault": "lost"})

    def strangers(self) -> None:
        kind, body = STRANGERS[self.name]
        answer = self.http.post(f"/v1beta1/projects/{PROJECT}/locations/{self.location}/{kind}", json=body)
        assert answer.status_code == 200, answer.text

    def jobs(self) -> int:
        counts = self.http.get("/_simulate/calls").json()
        return int(counts["tuning_jobs"] + counts["custom_jobs"])

    def _asked(self, token: str, data: str) -> TuningRequest:
        return TuningRequest(
            token=token,
            location=self.location,
            base_model=BASES[self.name],
            training_uri=data,
            display_name="contract",
            epochs=2,
            output_uri=f"gs://data/out/{token}",
            container=CONTAINER if self.name == "vertex_custom" else None,
        )

    def _file(self, name: str, rows: list[dict[str, object]]) -> str:
        (self.objects / "data").mkdir(parents=True, exist_ok=True)
        (self.objects / "data" / name).write_text("\n".join(map(json.dumps, rows)))
        return f"gs://data/{name}"


def _contents(question: str) -> dict[str, object]:
    turns = [{"role": role, "parts": [{"text": said}]} for role, said in (("user", question), ("model", "A number."))]
    return {"contents": turns}


def _messages(question: str) -> dict[str, object]:
    said = (("user", question), ("assistant", "A number."))
    return {"messages": [{"role": role, "content": words} for role, words in said]}


ROWS = {"vertex_ai": _contents, "vertex_open": _messages, "vertex_custom": _messages}
BASES = {
    "vertex_ai": "gemini-3.5-flash",
    "vertex_open": "meta/llama3_1@llama-3.1-8b-instruct",
    "vertex_custom": "mistral-7b-instruct",
}
CONTAINER = TrainingContainer(
    image="europe-docker.pkg.dev/p/train:1",
    arguments=("--data={training_uri}", "--validation={validation_uri}", "--epochs={epochs}", "--out={output_uri}"),
    machine_type="g2-standard-12",
    accelerator_type="NVIDIA_L4",
    accelerator_count=1,
)
GEMINI_JOB = {"baseModel": "gemini-3.5-flash", "supervisedTuningSpec": {"trainingDatasetUri": "gs://data/good.jsonl"}}
# In one collection with ours: of another kind with our label, and of no label at all.
OURS_BUT_GEMINI = {**GEMINI_JOB, "labels": {"tuneway-job": "another-kind"}}
CUSTOM_JOB = {
    "displayName": "theirs",
    "jobSpec": {
        "workerPoolSpecs": [
            {"machineSpec": {"machineType": "n1-standard-4"}, "containerSpec": {"imageUri": "x"}, "replicaCount": "1"}
        ]
    },
}
STRANGERS: dict[str, tuple[str, dict[str, object]]] = {
    "vertex_ai": ("tuningJobs", dict(GEMINI_JOB)),
    "vertex_open": ("tuningJobs", dict(OURS_BUT_GEMINI)),
    "vertex_custom": ("customJobs", dict(CUSTOM_JOB)),
}


@contextmanager
def _vertex(folder: Path, *, name: str) -> Generator[Ground]:
    settings = VertexSettings(
        store=folder / "vertex.db", objects=folder / "objects", clock=lambda: ground.now, chunk_seconds=0
    )
    with VertexServer(settings) as server:
        ground = VertexGround(server.url, settings.objects, name=name)
        yield ground
        ground.http.close()


def _grounds() -> dict[str, Callable[[Path], AbstractContextManager[Ground]]]:
    def of(name: str) -> Callable[[Path], AbstractContextManager[Ground]]:
        return lambda folder: _vertex(folder, name=name)

    return {name: of(name) for name in BASES}


class BedrockGround:
    """The fake of Bedrock's control plane."""

    location = "us-east-1"

    def __init__(self, fake: AwsFake, service: BedrockControl) -> None:
        self.fake, self.service = fake, service
        keys = OwnKeys(lambda: AwsKeys(access_key_id=Account().access_key, secret_access_key=Account().secret_key))
        self.caller = AwsCaller(keys)
        self.backend: TuningBackend = BedrockTuning(Control(self.caller, timeout=60, base_url=fake.url), role=ROLE)
        self.now = 1_790_000_000.0

    def request(self, token: str) -> TuningRequest:
        return self._asked(token, "s3://bucket-1/good.jsonl")

    def doomed(self, token: str) -> TuningRequest:
        return self._asked(token, "s3://bucket-1/bad.jsonl")

    def begin(self) -> None:
        self.now += 35

    def end(self) -> None:
        self.now += 5000

    def lose_an_answer(self) -> None:
        self.fake.loses("CreateModelCustomizationJob")

    def strangers(self) -> None:
        theirs = {**to_body(self.request("theirs"), role=ROLE), "jobName": "theirs-tuneway-1"}
        self.service.create({**theirs, "clientRequestToken": "other"})

    def jobs(self) -> int:
        return len(self.service.jobs)

    def _asked(self, token: str, data: str) -> TuningRequest:
        return TuningRequest(
            token=token,
            location=self.location,
            base_model="amazon.nova-micro-v1:0:128k",
            training_uri=data,
            display_name="contract",
            epochs=2,
            output_uri=f"s3://bucket-1/out/{token}",
        )


@contextmanager
def _bedrock(folder: Path) -> Generator[Ground]:
    del folder
    service = BedrockControl(
        clock=lambda: ground.now,
        dooms=lambda body: "No row is whole." if "bad" in body["trainingDataConfig"]["s3Uri"] else None,
    )
    with running(service) as fake:
        ground = BedrockGround(fake, service)
        yield ground
        ground.caller.close()


# A backend joins the contract with one row.
GROUNDS: dict[str, Callable[[Path], AbstractContextManager[Ground]]] = {**_grounds(), "bedrock": _bedrock}
