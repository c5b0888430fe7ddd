"""The predict door on fakes: a state in memory, a model's host as a function, log lines as a list."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path_

from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.media_sources import MediaSources, Reach
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.edge.asgi import AsyncDoor
from tuneway.edge.surfaces.answering import Answering
from tuneway.edge.surfaces.chat import CHAT
from tuneway.edge.surfaces.directory import Directory
from tuneway.edge.surfaces.endpoints import Endpoints
from tuneway.edge.surfaces.paths import REFUSALS, rules
from tuneway.edge.telemetry.logs import Logs
from tuneway.errors import NotFound
from tuneway.ports import Auth, SnapshotPart, Upstream, UpstreamRequest
from tuneway.prediction.attempts import Attempts
from tuneway.prediction.calls import Connection
from tuneway.prediction.prices import load
from tuneway.routing.fragments import Asleep
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot
from tuneway.routing.targets import Defaults, Place

RESOURCE = "projects/p/locations/us-central1/endpoints/"
MESSAGES = [{"role": "user", "content": "Hello"}]
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
}
SSE = b"".join(
    b"data: "
    + json.dumps({**GEMINI, "candidates": [{"content": {"parts": [{"text": text}]}, **end}]}).encode()
    + b"\n\n"
    for text, end in (("He", {}), ("llo", {"finishReason": "STOP"}))
)


class Host:
    """A model's host: answers by the first of its replies that fits the path's end, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.endpoints: dict[str, dict[str, object]] = {}
        self.files: dict[str, bytes] = {}
        self.reply: Callable[[httpx.Request], Awaitable[httpx.Response]] | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET" and (file := self.files.get(request.url.path.rpartition("/")[2])):
            return httpx.Response(200, content=file, headers={"content-type": "image/png"})
        if request.method == "GET":
            found = self.endpoints.get(request.url.path.rpartition("/")[2])
            return httpx.Response(200, json=found) if found else httpx.Response(404, json={"error": {"code": 404}})
        if self.reply is not None:
            return await self.reply(request)
        if "stream" in request.url.path:
            return httpx.Response(200, content=SSE, headers={"content-type": "text/event-stream"})
        if request.url.path.endswith(":predict"):
            return httpx.Response(200, json={"predictions": [{"content": "Hi"}]})
        return httpx.Response(200, json=GEMINI)


class Badges:
    """Credentials that say of which kind they are; ``fresh`` counts how often Google's were renewed."""

    def __init__(self) -> None:
        self.fresh = 0
        self.renewable = False

    async def headers(self, _: UpstreamRequest, auth: Auth) -> dict[str, str]:
        return {auth.header: f"Bearer {auth.kind}{self.fresh or ''}"}

    async def renew(self, target: Target) -> bool:
        self.fresh += self.renewable and target.provider == "vertex"
        return self.fresh > 0


class State:
    """The snapshot's document in memory."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = Snapshot(version=1)

    async def read(self, version: int | None) -> bytes | None:
        if self.snapshot is None:
            raise NotFound("There are no routes yet.")
        return None if version == self.snapshot.version else msgspec.json.encode(self.snapshot)

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        raise AssertionError(f"This snapshot has no parts, not even {numbers}.")

    def key(self, key: str, owner: str, *scopes: Scope, expires_at: float | None = None) -> None:
        grant = Grant(owner=owner, scopes=scopes or (Scope.PREDICT,), created_at=1.0, expires_at=expires_at)
        self._changed((self.snapshot or Snapshot()).with_key(fingerprint(key), grant))

    def route(self, alias: str, *targets: Target, owner: str | None = None, **more: Any) -> None:
        asked = targets or (Target(resource=RESOURCE + "1"),)
        route = Route(alias=alias, targets=asked, created_at=7.5, owner=owner, **more)
        self._changed((self.snapshot or Snapshot()).with_route(route))

    def place(self, place: str, owner: str) -> None:
        self._changed((self.snapshot or Snapshot()).with_place(place, owner))

    def asleep(self, place: str, said: Asleep) -> None:
        self._changed((self.snapshot or Snapshot()).with_sleep(place, said))

    def _changed(self, snapshot: Snapshot) -> None:
        self.snapshot = msgspec.structs.replace(snapshot, version=snapshot.version + 1)


class Predict:
    """The door under test and a client for it."""

    def __init__(
        self, folder: Path, *, max_body: int = 100_000, upstream: Upstream | None = None, base_url: str | None = None
    ) -> None:
        self.log = folder / "predict.log"
        self.state, self.host, self.notes = State(), Host(), list[str]()
        self.logs = logs = Logs(self.log)
        upstream = upstream or HttpxUpstream(httpx.MockTransport(self.host))
        self.badges = Badges()
        self.pauses: list[float] = []
        sources = MediaSources(upstream, self.badges, Reach(resolve=lambda *_: ["93.184.216.34"]))
        closed = frozenset({"ours"})
        via = Connection(upstream=upstream, credentials=self.badges, base_url=base_url, sources=sources, closed=closed)
        live = LiveSnapshot(self.state, Freshness(refresh=60.0), report=self.notes.append)
        places = {"custom_openai": Place(base_url="http://box/v1", secret="env:BOX")}
        directory = Directory(live, Endpoints(via), Defaults(project="p", location="us-central1", places=places))
        attempts = Attempts(renew=self.badges.renew, sleep=self._pause)
        answering = Answering(via, directory, attempts=attempts, prices=load(), logs=logs)
        answered = rules(answering, max_body=max_body)
        self.door = AsyncDoor(answered, live, logs, scope=Scope.PREDICT, refusals=REFUSALS)

        async def endpoint(request: Request) -> Response:
            return await self.door(request)

        verbs = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]
        self.app = Starlette(routes=[Path_("/{path:path}", endpoint, methods=verbs)])

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def call(self, method: str, path: str, *, key: str | None = "k", **sent: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        headers = {**({"authorization": f"Bearer {key}"} if key else {}), **sent.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            return await client.request(method, path, headers=headers, **sent)

    async def chat(self, model: str = "shop", *, key: str | None = "k", **fields: Any) -> httpx.Response:
        return await self.call("POST", CHAT, key=key, json={"model": model, "messages": MESSAGES, **fields})

    def lines(self) -> list[dict[str, Any]]:
        self.logs.flush()
        return [json.loads(line) for line in self.log.read_text().splitlines()]


class Caller:
    """A raw ASGI caller, of chat completions unless another path is named, who can hang up."""

    def __init__(self, predict: Predict, body: dict[str, object], *, path: str = CHAT) -> None:
        self.sent: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        self._body: bytes | None = json.dumps(body).encode()
        self._left = asyncio.Event()
        headers = [(b"authorization", b"Bearer k")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
        self.call = asyncio.ensure_future(predict.app(scope, self._receive, self._send))

    def leave(self) -> None:
        self._left.set()

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if message.get("body"):
            self.arrived.set()
