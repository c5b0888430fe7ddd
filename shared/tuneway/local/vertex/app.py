"""The simulated Vertex AI as a Starlette app: which handler answers which call, and how its answer is sent."""

import asyncio
import functools
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneway.local.vertex import (
    changes,
    completions,
    control,
    copies,
    custom_jobs,
    deployments,
    embeddings,
    endpoints,
    generate,
    metadata,
    models,
    operations,
    predict,
    protos,
    storage,
    tuning_jobs,
    uploads,
)
from tuneway.local.vertex.blobs import Blobs
from tuneway.local.vertex.call import Call, Cloud, Reply, Rule, Stream
from tuneway.local.vertex.faults import FaultLayer, Faults
from tuneway.local.vertex.finish import settle
from tuneway.local.vertex.refusals import Refusal, error_body
from tuneway.local.vertex.settings import VertexSettings
from tuneway.local.vertex.storage import json_response
from tuneway.local.vertex.store import Store

# Google's REST clients poll operations below /ui, whatever version they speak.
VERSIONS = ("v1", "v1beta1", "ui")
VERBS = ["GET", "POST", "PATCH", "DELETE", "PUT"]
SIMULATED = (b"x-simulated", b"vertex-ai")
# The openapi rule comes before the one for any endpoint id, operations after all that is more exact.
RULES: tuple[Rule, ...] = (
    *tuning_jobs.RULES,
    *custom_jobs.RULES,
    *models.RULES,
    *copies.RULES,
    *endpoints.RULES,
    *changes.RULES,
    *deployments.RULES,
    *generate.RULES,
    *embeddings.RULES,
    *completions.RULES,
    *predict.RULES,
    *operations.RULES,
)


def create_app(settings: VertexSettings) -> Starlette:
    """The app; its state lies in ``settings.store`` and ``settings.objects`` alone."""
    store = Store(settings.store)
    settings.objects.mkdir(parents=True, exist_ok=True)
    cloud, faults = Cloud(settings, store), Faults()
    blobs = Blobs(settings.objects, store)

    async def vertex(version: str, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, cloud, request, version=version, body=body)

    return Starlette(
        routes=[
            *control.routes(cloud, faults),
            *metadata.routes(settings),
            *storage.routes(blobs),
            *uploads.routes(blobs),
            *(
                Route(f"/{version}/{{path:path}}", functools.partial(vertex, version), methods=VERBS)
                for version in VERSIONS
            ),
        ],
        middleware=[Middleware(Marked), Middleware(FaultLayer, faults), Middleware(TokenLayer, settings)],
        lifespan=functools.partial(_lifespan, store),
    )


@asynccontextmanager
async def _lifespan(store: Store, _: Starlette) -> AsyncGenerator[None]:
    # Google's protos take a second or two to import: begun at once, awaited by the first call that needs them.
    warming = asyncio.create_task(run_in_threadpool(protos.types))
    yield
    await warming
    store.close()


class Marked:
    """Says on every answer that it is simulated."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Marks the head of the answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), SIMULATED]}
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)


class TokenLayer:
    """Asks for a Bearer token, when the settings say so, on all that needs one in the real world."""

    def __init__(self, app: ASGIApp, settings: VertexSettings) -> None:
        self._app = app
        self._required = settings.require_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses with 401, or passes the call on."""
        if scope["type"] == "http" and self._required and not _open(str(scope["path"])):
            scheme, _, token = Request(scope).headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                message = "Request is missing required authentication credential. Expected OAuth 2 access token."
                refused = json_response(error_body(Refusal("UNAUTHENTICATED", message)), status=401)
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _open(path: str) -> bool:
    return path == "/" or path.startswith(("/_simulate", "/computeMetadata"))


def _answered(cloud: Cloud, request: Request, *, version: str, body: bytes) -> Response:
    try:
        rule, ids = matching(request.method, str(request.path_params["path"]))
        call = Call(method=request.method, version=version, ids=ids, query=_query(request), body=body)
        cloud.store.tally(f"{rule.method} {rule.path.partition('{location}/')[2]}")
        settle(cloud)
        return _response(cloud, rule.handler(cloud, call))
    except Refusal as refusal:
        return json_response(error_body(refusal), status=refusal.code)


def _response(cloud: Cloud, answer: Reply | Stream) -> Response:
    match answer:
        case Stream(pieces, media_type, headers):
            paced = _paced(iter(pieces), cloud.settings.chunk_seconds / cloud.settings.speed)
            return StreamingResponse(paced, media_type=media_type, headers=headers)
        case Reply(bytes() as body, status, headers):
            return Response(body, status_code=status, headers=headers)
        case Reply(body, status, headers):
            return Response(
                msgspec.json.encode(body), status_code=status, headers=headers, media_type="application/json"
            )


async def _paced(pieces: Iterator[bytes], pause: float) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(pause)


def matching(method: str, path: str) -> tuple[Rule, dict[str, str]]:
    """The rule for a call and the named pieces of its path. Raises Refusal (404)."""
    for rule in RULES:
        found = _pattern(rule.path).fullmatch(path) if rule.method == method else None
        if found:
            return rule, found.groupdict()
    raise Refusal("NOT_FOUND", f"The simulation has no method {method} {path}.")


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(template)))


def _query(request: Request) -> dict[str, str]:
    """Google's clients may spell query parameters either way."""
    return {protos.camel(key): value for key, value in request.query_params.items()}
