"""The list of models: as Anthropic's clients know it where one asks, else as OpenAI's.

Anthropic's clients say which version of its API they speak in a header that no other client sends. Sources: OpenAI's
published OpenAPI document; Anthropic's API reference, ``ModelInfo``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qs

import msgspec

from tuneway.edge.replies import Reply
from tuneway.edge.surfaces.answering import admitted
from tuneway.edge.surfaces.directory import may_call, unknown, visible
from tuneway.edge.visits import Visit
from tuneway.edge.whole_numbers import whole
from tuneway.errors import BadInput
from tuneway.prediction.surfaces.messages.headers import VERSION_HEADER
from tuneway.routing.routes import Route

MODELS = "/v1/models"
PAGE, LONGEST_PAGE = 20, 1000


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model as OpenAI lists it."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All models a key can call by a name of their own."""

    object: Literal["list"] = "list"
    data: list[Model]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model as Anthropic lists it; what nobody knows of an alias is null."""

    type: Literal["model"] = "model"
    id: str
    display_name: str
    created_at: datetime
    lifecycle: Literal["active"] = "active"
    deprecated_at: None = None
    retires_at: None = None
    max_input_tokens: None = None
    max_tokens: None = None


class ModelPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the models, the newest first; the ids are cursors."""

    data: list[ModelInfo]
    has_more: bool
    first_id: str | None
    last_id: str | None


async def models(visit: Visit) -> Reply:
    """``GET /v1/models``: the aliases this caller may know of."""
    grant = admitted(visit)
    routes = [route for route in visit.snapshot.routes.values() if may_call(route, grant)]
    routes.sort(key=lambda route: (route.created_at, route.alias))
    if _of_anthropic(visit):
        return Reply(200, msgspec.json.encode(_page(routes[::-1], _query(visit))))
    return Reply(200, msgspec.json.encode(ModelList(data=[_model(route) for route in routes])))


async def model(visit: Visit) -> Reply:
    """``GET /v1/models/{id}``."""
    name = visit.path.removeprefix(MODELS + "/").rstrip("/")
    route = visible(visit.snapshot, name, admitted(visit))
    if route is None:
        raise unknown(name)
    return Reply(200, msgspec.json.encode(_info(route) if _of_anthropic(visit) else _model(route)))


def _of_anthropic(visit: Visit) -> bool:
    return visit.header(VERSION_HEADER.encode()) is not None


def _model(route: Route) -> Model:
    return Model(id=route.alias, created=int(route.created_at), owned_by=route.owner or "tuneway")


def _info(route: Route) -> ModelInfo:
    created = datetime.fromtimestamp(int(route.created_at), UTC)
    return ModelInfo(id=route.alias, display_name=route.alias, created_at=created)


def _query(visit: Visit) -> dict[str, str]:
    """The parameters, each as it was said last."""
    asked: bytes = visit.request.scope["query_string"]
    return {name: values[-1] for name, values in parse_qs(asked.decode("latin-1")).items()}


def _page(routes: Sequence[Route], query: dict[str, str]) -> ModelPage:
    """The page asked for: the first, that after ``after_id``, or that which ends before ``before_id``."""
    limit, names = _limit(query), [route.alias for route in routes]
    if "before_id" in query:
        end = _place("before_id", query, names)
        start = max(end - limit, 0)
        more = start > 0
    else:
        start = _place("after_id", query, names) + 1 if "after_id" in query else 0
        end = start + limit
        more = end < len(names)
    shown = [_info(route) for route in routes[start:end]]
    first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
    return ModelPage(data=shown, has_more=more, first_id=first, last_id=last)


def _limit(query: dict[str, str]) -> int:
    size = whole(query.get("limit", str(PAGE)), least=1, most=LONGEST_PAGE)
    if size is None:
        raise BadInput(f"limit: a whole number from 1 to {LONGEST_PAGE}", param="limit", code="invalid_value")
    return size


def _place(cursor: str, query: dict[str, str], names: Sequence[str]) -> int:
    if query[cursor] not in names:
        raise BadInput(
            f"{cursor}: no such model. Use the first_id or last_id of a page.", param=cursor, code="invalid_value"
        )
    return names.index(query[cursor])
