"""Chat completions and the list of models, as OpenAI's clients know them."""

import time

import msgspec
from starlette.responses import Response

from tuneway.edge.answering import Answering, Wish, admitted
from tuneway.edge.asgi import Visit, body_of
from tuneway.edge.directory import may_call, unknown, visible
from tuneway.edge.replies import Reply
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import ChatQuestion, Question
from tuneway.prediction.dialects.openai.passage import asked_of
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.journey import Journey
from tuneway.routing.routes import Route

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"


class Chat:
    """``POST /v1/chat/completions``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def completions(self, visit: Visit) -> Response:
        """The answer, or a stream of them."""
        body = await body_of(visit, limit=self._max_body)
        asked = asked_of(body)
        answer_id, created = f"chatcmpl-{visit.id[4:]}", int(time.time())

        def question(journey: Journey, via: Connection) -> Question:
            return ChatQuestion(body, id=answer_id, created=created, via=via, journey=journey)

        wish = Wish(
            operation="chat", model=asked.model, stream=asked.stream is True, body=body, check=decode_chat_request
        )
        return await self._answering.answered(visit, wish, question)


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


def _model(route: Route) -> Model:
    return Model(id=route.alias, created=int(route.created_at), owned_by=route.owner or "tuneway")
