"""A simulated Vertex AI whose clock the test moves, and real Google clients pointed at it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from google import genai
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials

from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings

PARENT = "projects/local-project/locations/us-central1"
VERSIONS = {"v1": aiplatform_v1, "v1beta1": aiplatform_v1beta1}


@dataclass
class Simulated:
    """A running simulation, its clock, and the luck by which an endpoint's models share the calls."""

    url: str = ""
    objects: Path = Path()
    now: float = 1_790_000_000.0
    luck: float = 0.0
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def later(self, seconds: float) -> None:
        self.now += seconds

    def fault(self, **fault: object) -> None:
        assert self.http.post(f"{self.url}/_simulate/faults", json=fault).status_code == 200

    def calls(self) -> dict[str, int]:
        found: dict[str, int] = self.http.get(f"{self.url}/_simulate/calls").json()["calls"]
        return found

    def jobs(self) -> int:
        return int(self.http.get(f"{self.url}/_simulate/calls").json()["tuning_jobs"])

    def dataset(self, lines: list[str], name: str = "train.jsonl") -> str:
        (self.objects / "data").mkdir(parents=True, exist_ok=True)
        (self.objects / "data" / name).write_text("\n".join(lines))
        return f"gs://data/{name}"


def row(question: str, answer: str) -> str:
    turns = [{"role": role, "parts": [{"text": said}]} for role, said in (("user", question), ("model", answer))]
    return json.dumps({"contents": turns})


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[], Simulated]]:
    """Starts the simulation, and again on the same state; each start ends the one before."""
    simulated = Simulated(objects=tmp_path / "objects")
    servers: list[VertexServer] = []

    def start() -> Simulated:
        for server in servers:
            server.stop()
        settings = VertexSettings(
            store=tmp_path / "vertex.db",
            objects=simulated.objects,
            clock=lambda: simulated.now,
            chunk_seconds=0,
            luck=lambda: simulated.luck,
        )
        servers.append(VertexServer(settings))
        simulated.url = servers[-1].start()
        return simulated

    yield start
    simulated.http.close()
    for server in servers:
        server.stop()


@pytest.fixture
def vertex(started: Callable[[], Simulated]) -> Simulated:
    return started()


@pytest.fixture
def training_uri(vertex: Simulated) -> str:
    return vertex.dataset([row(f"What is {number} plus one?", f"It is {number + 1}.") for number in range(40)])


@pytest.fixture(params=["v1", "v1beta1"])
def genai_client(vertex: Simulated, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    with genai.Client(
        vertexai=True,
        project="local-project",
        location="us-central1",
        credentials=Credentials("x"),
        http_options=HttpOptions(base_url=vertex.url, api_version=request.param),
    ) as client:
        yield client


@pytest.fixture(params=list(VERSIONS))
def google(request: pytest.FixtureRequest) -> ModuleType:
    """Google's library, once in each version of the API."""
    return VERSIONS[request.param]


@pytest.fixture
def models(google: ModuleType, vertex: Simulated) -> Any:
    return connected(google.ModelServiceClient, vertex.url)


@pytest.fixture
def endpoints(google: ModuleType, vertex: Simulated) -> Any:
    return connected(google.EndpointServiceClient, vertex.url)


def connected(client_class: type, url: str) -> object:
    return client_class(credentials=AnonymousCredentials(), transport="rest", client_options={"api_endpoint": url})
