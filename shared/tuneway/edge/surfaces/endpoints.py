"""Endpoints that no route describes: asked about once, then remembered for a while."""

import asyncio
import time
from collections.abc import Callable

from tuneway.prediction.calls import Connection
from tuneway.prediction.detect import Found, detected
from tuneway.routing.routes import Target

REMEMBERED_SECONDS = 300.0
REMEMBERED_ENDPOINTS = 1024


class Endpoints:
    """Targets by resource name, detected. For one event loop."""

    def __init__(self, via: Connection, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._via = via
        self._clock = clock
        self._known: dict[str, tuple[float, Target]] = {}
        self._asking: dict[str, asyncio.Task[Found]] = {}

    async def target(self, named: Target) -> Target:
        """How to call the endpoint. Raises NotFound, BadInput, UpstreamError."""
        resource = named.resource
        until, target = self._known.get(resource, (0.0, None))
        if target is not None and self._clock() < until:
            return target
        asking = self._asking.get(resource)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(detected(named, via=self._via))
            self._asking[resource] = asking
            asking.add_done_callback(lambda task: self._settled(resource, task))
        return (await asyncio.shield(asking)).target

    def _settled(self, resource: str, asking: asyncio.Task[Found]) -> None:
        del self._asking[resource]
        if asking.cancelled() or asking.exception() is not None or not asking.result().certain:
            return
        self._known.pop(resource, None)
        self._known[resource] = (self._clock() + REMEMBERED_SECONDS, asking.result().target)
        while len(self._known) > REMEMBERED_ENDPOINTS:
            del self._known[next(iter(self._known))]
