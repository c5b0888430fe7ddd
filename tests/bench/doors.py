"""Functions under measurement, started as the platform starts them, on the benchmark's own state."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.figures import SERVER_CORE
from tests.bench.processes import running
from tests.ports import free_port
from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change
from tuneway.settings import Settings

ROOT = Path(__file__).parents[2]
PREDICT = ROOT / "functions/predict/main.py"
NOTHING: Mapping[str, str] = {}
CHAT = "/v1/chat/completions"
RESOURCE = "projects/p/locations/us-central1/endpoints/1"
GEMINI = f"/v1/{RESOURCE}:generateContent"
GEMINI_STREAM = f"/v1/{RESOURCE}:streamGenerateContent?alt=sse"


def make_state(folder: Path, *, upstream: str) -> None:
    """A snapshot with the benchmark's key and a route for each dialect; ``openai`` leads to that origin."""
    grant = Grant(owner="bench", scopes=(Scope.PREDICT,), created_at=0.0)
    documents = SqliteDocuments(folder / "state.sqlite")
    change(documents, lambda snapshot: snapshot.with_key(fingerprint("bench"), grant))
    for alias, target in _targets(upstream).items():
        route = Route(alias=alias, targets=(target,), created_at=0.0)
        change(documents, partial(Snapshot.with_route, route=route))
    documents.close()


def _targets(upstream: str) -> Mapping[str, Target]:
    base = f"{upstream}/v1"
    return {
        "gemini": Target(resource=RESOURCE, dialect="gemini"),
        "instances": Target(resource=RESOURCE, dialect="instances"),
        "openai": Target(provider="custom_openai", dialect="openai", model="gpt-4o-mini", base_url=base),
    }


@contextmanager
def predicting(
    folder: Path, *, upstream: int, scheme: str = "http", source: Path = PREDICT, env: Mapping[str, str] = NOTHING
) -> Iterator[tuple[int, int]]:
    """``predict`` on a state of its own for that upstream: its pid and port."""
    origin = f"{scheme}://127.0.0.1:{upstream}"
    state = folder / f"state-{upstream}"
    if not state.exists():
        state.mkdir()
        make_state(state, upstream=origin)
    settings = Settings(
        project="p",
        state_folder=state,
        vertex_url=origin,
        log_file=folder / "predict.log",
    )
    with function(source, "predict", {**settings.to_env(), **env}, log=folder / "predict.out") as found:
        yield found


@contextmanager
def function(source: Path, target: str, env: Mapping[str, str], *, log: Path) -> Iterator[tuple[int, int]]:
    """By the framework's own command, one worker, on the server's core: its pid and port."""
    port = free_port()
    command = [Path(sys.prefix) / "bin/functions-framework", "--source", source]
    options = ["--target", target, "--host", "127.0.0.1", "--port", str(port)]
    environment = {"PYTHONPATH": str(ROOT / "shared"), "WORKERS": "1", **env}
    with running([*map(str, command), *options], core=SERVER_CORE, env=environment, log=log) as pid:
        yield pid, port
