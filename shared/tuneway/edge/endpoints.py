"""Endpoints that no route describes: asked about once, then remembered for a while."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from tuneway.errors import NotFound, UpstreamError
from tuneway.ports import Timeouts, UpstreamRequest
from tuneway.prediction.complete import Connection
from tuneway.prediction.providers import vertex
from tuneway.prediction.upstream_errors import broken, from_answer
from tuneway.routing.routes import Target

REMEMBERED_SECONDS = 300.0
REMEMBERED_ENDPOINTS = 1024
TIMEOUTS = Timeouts(connect=5.0, read=10.0)


class _DeployedModel(msgspec.Struct, frozen=True, rename="camel"):
    dedicated_resources: dict[str, object] | None = None


class _Endpoint(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of Vertex AI's Endpoint that say how it is called."""

    dedicated_endpoint_enabled: bool = False
    dedicated_endpoint_dns: str = ""
    deployed_models: tuple[_DeployedModel, ...] = ()


class Endpoints:
    """Targets by resource name, from ``endpoints.get``. For one event loop."""

    def __init__(self, via: Connection, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._via = via
        self._clock = clock
        self._known: dict[str, tuple[float, Target]] = {}
        self._asking: dict[str, asyncio.Task[Target]] = {}

    async def target(self, resource: str) -> Target:
        """How to call the endpoint. Raises NotFound, BadInput, UpstreamError."""
        until, target = self._known.get(resource, (0.0, None))
        if target is not None and self._clock() < until:
            return target
        asking = self._asking.get(resource)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(self._asked(resource))
            self._asking[resource] = asking
            asking.add_done_callback(lambda task: self._settled(resource, task))
        return await asyncio.shield(asking)

    def _settled(self, resource: str, asking: asyncio.Task[Target]) -> None:
        del self._asking[resource]
        if asking.cancelled() or asking.exception() is not None:
            return
        self._known.pop(resource, None)
        self._known[resource] = (self._clock() + REMEMBERED_SECONDS, asking.result())
        while len(self._known) > REMEMBERED_ENDPOINTS:
            del self._known[next(iter(self._known))]

    async def _asked(self, resource: str) -> Target:
        headers = {"authorization": f"Bearer {await self._via.tokens.token()}"}
        origin = self._via.base_url or f"https://{vertex.host(resource.split('/')[3])}"
        url = f"{origin.rstrip('/')}/v1/{resource}"
        request = UpstreamRequest(method="GET", url=url, headers=headers, timeouts=TIMEOUTS)
        async with self._via.upstream.send(request) as response:
            body = await response.read()
            if response.status == HTTPStatus.NOT_FOUND:
                raise NotFound(f"Vertex AI knows no {resource}.")
            if response.status != HTTPStatus.OK:
                raise from_answer(response.status, response.headers, body)
        return _target(resource, body)


def _target(resource: str, body: bytes) -> Target:
    """A model on machines of its own is a container that speaks ``predict``; what Google serves speaks Gemini."""
    try:
        found = msgspec.json.decode(body, type=_Endpoint)
    except msgspec.DecodeError as exc:
        raise _unreadable() from exc
    own_machines = any(model.dedicated_resources is not None for model in found.deployed_models)
    host = found.dedicated_endpoint_dns if found.dedicated_endpoint_enabled else ""
    return Target(resource=resource, dialect="instances" if own_machines else "gemini", host=host or None)


def _unreadable() -> UpstreamError:
    return broken("Vertex AI's description of the endpoint cannot be read. Try again.")
