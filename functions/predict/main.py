"""The predict door: chats, completions, embeddings, messages and the list of models. Wiring only."""

import asyncio

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from tuneway.access.keys import Scope
from tuneway.adapters import prediction
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.edge.asgi import AsyncDoor
from tuneway.edge.surfaces.answering import Answering
from tuneway.edge.surfaces.directory import Directory
from tuneway.edge.surfaces.endpoints import Endpoints
from tuneway.edge.surfaces.paths import REFUSALS, rules
from tuneway.edge.telemetry.logs import configure
from tuneway.prediction.attempts import Attempts
from tuneway.routing.live import LiveSnapshot
from tuneway.settings import Settings, from_env

settings = from_env()
logs = configure(settings)
doors: dict[asyncio.AbstractEventLoop, AsyncDoor] = {}  # of the running loop alone


@functions_framework.aio.http
async def predict(request: Request) -> Response:
    """Answer what ``edge/surfaces/paths.py`` lists."""
    loop = asyncio.get_running_loop()
    door = doors.get(loop)
    if door is None:
        doors.clear()
        door = doors[loop] = built(settings)
    return await door(request)


def built(settings: Settings) -> AsyncDoor:
    """The door and all behind it, for the running event loop."""
    upstream = HttptoolsUpstream()
    google = prediction.google(settings, upstream)
    via = prediction.connection(settings, upstream, google)
    snapshots = prediction.snapshots(settings, upstream, google)
    live = LiveSnapshot(snapshots, prediction.freshness(settings), report=lambda fact: logs.note("WARNING", fact))
    directory = Directory(live, Endpoints(via), prediction.defaults(settings))
    attempts = Attempts(renew=prediction.renewal(google))
    answering = Answering(via, directory, attempts=attempts, prices=prediction.prices(settings), logs=logs)
    answered = rules(answering, max_body=settings.max_body)
    return AsyncDoor(answered, live, logs, scope=Scope.PREDICT, refusals=REFUSALS)
