"""Chat completions and the list of models, as OpenAI's clients know them."""

import time
from functools import partial

import msgspec
from starlette.responses import Response

from tuneway.access.keys import Grant
from tuneway.edge.asgi import Visit, body_of
from tuneway.edge.directory import Directory, may_call, unknown, visible
from tuneway.edge.logs import Logs
from tuneway.edge.replies import Reply, StreamReply, Watch
from tuneway.errors import NotAuthenticated
from tuneway.prediction.complete import Connection, complete, stream
from tuneway.prediction.hub.answer import Exchange, Usage, encode_completion
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.hub.request import ChatRequest
from tuneway.routing.routes import Route, Target

UNWATCHED_SECONDS = 0.25
CHAT = "/v1/chat/completions"
MODELS = "/v1/models"


class Chat:
    """``POST /v1/chat/completions``."""

    def __init__(self, via: Connection, directory: Directory, logs: Logs, *, max_body: int) -> None:
        self._via = via
        self._directory = directory
        self._logs = logs
        self._max_body = max_body

    async def completions(self, visit: Visit) -> Response:
        """The answer, or a stream of them."""
        request = decode_chat_request(await body_of(visit, limit=self._max_body))
        visit.model = request.model
        target = await self._directory.target(request.model, visit.snapshot, admitted(visit))
        visit.target = target.resource
        visit.asked = time.perf_counter()
        if request.stream:
            return await self._streamed(visit, request, target)
        return await self._whole(visit, request, target)

    async def _whole(self, visit: Visit, request: ChatRequest, target: Target) -> Reply:
        with Watch(visit.receive, after=UNWATCHED_SECONDS):
            completion = await complete(_exchange(visit, request), target, via=self._via)
        _count(visit, completion.usage)
        return Reply(200, encode_completion(completion))

    async def _streamed(self, visit: Visit, request: ChatRequest, target: Target) -> StreamReply:
        visit.stream = True
        events = stream(_exchange(visit, request), target, via=self._via, counted=partial(_count, visit))
        with Watch(visit.receive, after=UNWATCHED_SECONDS):
            first = await anext(events)
        return StreamReply(first, events, ended=lambda status, fault: self._logs.write(visit.line(status, fault)))


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model as OpenAI lists it."""

    id: str
    object: str = "model"
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All models a key can call by a name of their own."""

    object: str = "list"
    data: list[Model]


async def models(visit: Visit) -> Reply:
    """``GET /v1/models``: the aliases this caller may know of, oldest first."""
    routes = [route for route in visit.snapshot.routes.values() if may_call(route, admitted(visit))]
    listed = ModelList(data=[_model(route) for route in sorted(routes, key=lambda r: (r.created_at, r.alias))])
    return Reply(200, msgspec.json.encode(listed))


async def model(visit: Visit) -> Reply:
    """``GET /v1/models/{id}``."""
    name = visit.path.removeprefix(MODELS + "/")
    route = visible(visit.snapshot, name, admitted(visit))
    if route is None:
        raise unknown(name)
    return Reply(200, msgspec.json.encode(_model(route)))


def admitted(visit: Visit) -> Grant:
    """Whom the door let in. Raises NotAuthenticated when it let nobody in."""
    if visit.grant is None:
        raise NotAuthenticated("No API key was looked at.")
    return visit.grant


def _model(route: Route) -> Model:
    return Model(id=route.alias, created=int(route.created_at), owned_by=route.owner or "tuneway")


def _exchange(visit: Visit, request: ChatRequest) -> Exchange:
    return Exchange(request=request, id=f"chatcmpl-{visit.id[4:]}", created=int(time.time()))


def _count(visit: Visit, usage: Usage) -> None:
    visit.tokens = (usage.prompt_tokens, usage.completion_tokens)
    visit.estimated = usage.estimated is True
