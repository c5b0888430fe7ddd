"""The predict door: chat completions and the list of models. Wiring only."""

import asyncio
from weakref import WeakKeyDictionary

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from tuneway.access.keys import Scope
from tuneway.adapters.google_tokens import GoogleTokens, StaticTokens
from tuneway.adapters.snapshots_firestore import FirestoreSnapshots
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.edge.asgi import AsyncDoor, Rules
from tuneway.edge.chat import CHAT, MODELS, Chat, model, models
from tuneway.edge.directory import Directory
from tuneway.edge.endpoints import Endpoints
from tuneway.edge.logs import configure
from tuneway.ports import Snapshots, Timeouts, Tokens, Upstream
from tuneway.prediction.complete import Connection
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.settings import Settings, from_env

settings = from_env()
logs = configure(settings.log_file)
doors: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncDoor] = WeakKeyDictionary()


@functions_framework.aio.http
async def predict(request: Request) -> Response:
    """Answer ``/v1/chat/completions`` and ``/v1/models``."""
    loop = asyncio.get_running_loop()
    if loop not in doors:
        doors[loop] = built(settings)
    return await doors[loop](request)


def built(settings: Settings) -> AsyncDoor:
    """The door and all behind it, for the running event loop."""
    upstream = HttptoolsUpstream()
    google = GoogleTokens(upstream, metadata_url=settings.metadata_url)
    tokens = StaticTokens("simulated") if settings.vertex_url else google
    freshness = Freshness(refresh=settings.snapshot_refresh, linger=settings.snapshot_stale)
    live = LiveSnapshot(
        snapshots(settings, upstream, google), freshness, report=lambda fact: logs.note("WARNING", fact)
    )
    timeouts = Timeouts(connect=settings.upstream_connect_timeout, read=settings.upstream_read_timeout)
    via = Connection(upstream=upstream, tokens=tokens, base_url=settings.vertex_url, timeouts=timeouts)
    names = Directory(live, Endpoints(via), project=settings.project, location=settings.location)
    chat = Chat(via, names, logs, max_body=settings.max_body)
    rules: Rules = {CHAT: {"POST": chat.completions}, MODELS: {"GET": models}, f"{MODELS}/": {"GET": model}}
    return AsyncDoor(rules, live, logs, scope=Scope.PREDICT)


def snapshots(settings: Settings, upstream: Upstream, google: Tokens) -> Snapshots:
    """SQLite in the state folder, or Firestore, whose emulator takes the token "owner"."""
    if settings.state_folder:
        return SqliteSnapshots(settings.state_folder / "state.sqlite")
    return FirestoreSnapshots(upstream, StaticTokens("owner") if settings.firestore_emulator else google, settings)
