"""The predict function as the platform runs it: a process of the functions framework on a port."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import openai

from tests.integration.stack.running import checked
from tests.ports import free_port, listens
from tests.waiting import PATIENCE, wait_until
from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change

ROOT = Path(__file__).parents[3]
FUNCTION = ROOT / "functions" / "predict"
KEY = "tw-key"


class Door:
    """A running function and its state."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.log = folder / "predict.log"
        self._state = folder / "state.sqlite"

    def change(self, *routes: Route, keys: Mapping[str, Grant] | None = None) -> None:
        """Add or replace routes and keys."""

        def changed(snapshot: Snapshot) -> Snapshot:
            for route in routes:
                snapshot = snapshot.with_route(route)
            for key, grant in (keys or {}).items():
                snapshot = snapshot.with_key(fingerprint(key), grant)
            return snapshot

        documents = SqliteDocuments(self._state)
        change(documents, changed)
        documents.close()

    def route(self, alias: str, *targets: Target, **more: Any) -> str:
        """A new route's alias."""
        self.change(Route(alias=alias, targets=targets, created_at=1.0, **more))
        return alias

    def sdk(self, *, documented: bool = True, **options: Any) -> openai.OpenAI:
        """The unmodified SDK, its every JSON answer held against OpenAI's document."""
        hooks: Any = {"response": [checked] if documented else []}
        http = openai.DefaultHttpxClient(event_hooks=hooks, trust_env=False)
        asking = {"api_key": KEY, "max_retries": 0, **options}
        return openai.OpenAI(base_url=f"{self.url}/v1", http_client=http, **asking)

    def async_sdk(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0)

    def claude(self, **options: Any) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.url, **{"api_key": KEY, "max_retries": 0, **options})

    def async_claude(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.url, api_key=KEY, max_retries=0)

    def lines(self) -> list[dict[str, Any]]:
        """Its log, without a line that is under way."""
        return [json.loads(line) for line in self.log.read_text().rpartition("\n")[0].splitlines()]

    def line(self, request_id: str | None) -> dict[str, Any]:
        """The line of one request; a stream's comes when it is over."""

        def its() -> list[dict[str, Any]]:
            return [each for each in self.lines() if (each.get("request"), each["message"]) == (request_id, "request")]

        wait_until(lambda: bool(its()))
        return its()[0]


@contextmanager
def opened(folder: Path, *, vertex_url: str, environment: Mapping[str, str]) -> Iterator[Door]:
    """The function, started on a free port, and ended."""
    port = free_port()
    door = Door(folder, f"http://127.0.0.1:{port}")
    door.change(keys={KEY: Grant(owner="acme", scopes=(Scope.PREDICT,), created_at=1.0)})
    framework = str(Path(sys.executable).with_name("functions-framework"))
    command = [framework, "--target", "predict", "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT / "shared"),
        "TUNEWAY_STATE_FOLDER": str(folder),
        "TUNEWAY_LOG_FILE": str(door.log),
        "TUNEWAY_VERTEX_URL": vertex_url,
        "TUNEWAY_SNAPSHOT_REFRESH": "0.05",
        "TUNEWAY_MAX_BODY": "1000000",
    }
    process = subprocess.Popen(command, cwd=FUNCTION, env={**settings, **environment}, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1].decode()
        yield door
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
