"""The simulated Vertex AI at the end of a deployer's own session, its every call a point; no network between."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
from requests.adapters import BaseAdapter
from typing_extensions import override

from tests.integration.hosting.points import Fault, Points, Socket
from tuneway.adapters.vertex_deploying import VertexDeployer
from tuneway.local.vertex.app import matching
from tuneway.local.vertex.call import Call, Cloud, Reply
from tuneway.local.vertex.endpoints import endpoint_named
from tuneway.local.vertex.operations import get as operation
from tuneway.local.vertex.protos import camel
from tuneway.local.vertex.records import EndpointRecord, ModelRecord, OperationRecord, VersionRecord
from tuneway.local.vertex.refusals import CODES, Refusal, error_body, not_found
from tuneway.local.vertex.settings import VertexSettings
from tuneway.local.vertex.store import Store

PROJECT = "local-project"
URL = "http://simulated"
MEMORY = Path(":memory:")
MAKING = {"UploadModelOperationMetadata", "CreateEndpointOperationMetadata"}
ANSWERS = {Fault.AWAY: "UNAVAILABLE", Fault.STALE: "ABORTED", Fault.REFUSED: "PERMISSION_DENIED"}


class Vertex:
    """A simulation in memory and the deployer that calls it; what is being made there is not seen before it is done.

    ``dooms`` names what is begun there and fails in the end, all of it or the next one.
    """

    def __init__(self, folder: Path, points: Points, clock: "Clock") -> None:
        settings = VertexSettings(store=MEMORY, objects=folder / "objects", clock=lambda: clock.now, project=PROJECT)
        self.cloud = Cloud(settings, Store(settings.store))
        self.dooms, self.dooms_all = "", True
        self.doomed: set[str] = set()
        self.deployer = VertexDeployer(project=PROJECT, timeout=60, vertex_url=URL)
        session = self.deployer._rest._session()  # noqa: SLF001 - its own session, with the simulation for a network
        session.trust_env = False
        session.mount(URL, _Wire(self, points))

    def goes_on(self, after: "Vertex") -> None:
        """With everything that is there now."""
        # Only here is a store copied, which is in no file.
        after.cloud.store._connection.backup(self.cloud.store._connection)  # noqa: SLF001 - see above
        self.doomed |= after.doomed
        self.dooms, self.dooms_all = after.dooms, after.dooms_all

    def endpoints(self) -> dict[str, dict[str, int]]:
        """The endpoints by name, each with the models that are there now and their percents of the calls."""
        now = self.cloud.now()
        found = [endpoint_named(self.cloud, each.name) for each in self.cloud.store.every(EndpointRecord)]
        return {
            each.name: {on.id: each.traffic.get(on.id, 0) for on in each.deployed if on.ready <= now} for each in found
        }

    def models(self) -> list[str]:
        return [each.name for each in self.cloud.store.every(ModelRecord)]

    def close(self) -> None:
        self.cloud.store.close()

    def answer(self, method: str, path: str, *, query: Mapping[str, str], body: bytes) -> tuple[int, object]:
        before = self.cloud.store.get(EndpointRecord, path.partition(":")[0])
        try:
            self._check_seen(path)
            rule, ids = matching(method, path)
            call = Call(method=method, version="v1", ids=ids, query=dict(query), body=body)
            reply = rule.handler(self.cloud, call)
        except Refusal as refusal:
            return refusal.code, error_body(refusal)
        assert isinstance(reply, Reply)
        if method == "POST" and self.dooms and path.endswith(self.dooms):
            self._doom(reply, before)
            self.dooms = self.dooms if self.dooms_all else ""
        return reply.status, self._ended_badly(reply) if rule.handler is operation else reply.body

    def _check_seen(self, path: str) -> None:
        """Raises Refusal (404) for what is still being made; its operations are seen."""
        name = path.partition(":")[0]
        begun = self.cloud.store.newest_first(OperationRecord, name)
        if any(each.metadata_type in MAKING and each.done > self.cloud.now() for _, each in begun):
            raise not_found(name)

    def _doom(self, reply: Reply, before: EndpointRecord | None) -> None:
        """What was begun comes to nothing: its operation will say so, and what it made is not there."""
        name = _name(reply)
        self.doomed.add(name)
        owner, store = name.partition("/operations/")[0], self.cloud.store
        if before is not None:
            store.put(owner, before)
            return
        store.delete(EndpointRecord, owner)
        store.delete(ModelRecord, owner)
        store.delete(VersionRecord, f"{owner}@1")

    def _ended_badly(self, reply: Reply) -> object:
        body = msgspec.convert(reply.body, dict[str, object])
        if not body.get("done") or _name(reply) not in self.doomed:
            return body
        kept = {key: value for key, value in body.items() if key != "response"}
        return {**kept, "error": {"code": CODES["RESOURCE_EXHAUSTED"][1], "message": "No quota for L4."}}


class Clock:
    """Seconds, moved by the story."""

    def __init__(self, now: float) -> None:
        self.now = now


class _Wire(BaseAdapter):
    """Takes a prepared request to the simulation and its answer back."""

    def __init__(self, vertex: Vertex, points: Points) -> None:
        super().__init__()
        self._vertex = vertex
        self._points = points

    @override
    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        parts = urlsplit(request.url or "")
        path = parts.path.removeprefix("/v1/")
        query = {camel(key): value for key, value in parse_qsl(parts.query)}
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        assert isinstance(raw, bytes)

        def asked() -> requests.Response:
            status, said = self._vertex.answer(str(request.method), path, query=query, body=raw)
            return _response(request, status, said)

        def instead(fault: Fault) -> requests.Response:
            if fault is Fault.LOST:
                raise requests.ConnectionError("The answer was lost.")
            refusal = Refusal(ANSWERS[fault], f"{fault}.")
            return _response(request, refusal.code, error_body(refusal))

        name = f"{request.method} {path.partition('/locations/')[2].partition('/')[2]}"
        socket = Socket.LOOK if request.method == "GET" else Socket.CALL
        return self._points.through(socket, name, asked, instead=instead)

    @override
    def close(self) -> None:
        """Nothing is open."""


def _name(reply: Reply) -> str:
    return str(msgspec.convert(reply.body, dict[str, object])["name"])


def _response(request: requests.PreparedRequest, status: int, said: object) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = request.url or ""
    response.raw = BytesIO(msgspec.json.encode(said))
    return response
