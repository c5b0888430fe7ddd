"""What an endpoint speaks: its name alone does not say it, so it is asked, once.

1. ``endpoints.get``: without machines of its own it is a tuned model that Google serves: ``generateContent``.
2. Otherwise a container. An empty body to ``chat/completions`` costs nothing, and a server that speaks OpenAI's words
   misses the ``messages`` in it.
3. One that does not is asked through ``predict``, unless its own predict route is chat completions: then ``rawPredict``
   reaches them.

A dedicated endpoint is reached by its own host name alone; ``endpoints.get`` says which.
"""

import re
from http import HTTPStatus

import msgspec

from tuneway.errors import NotFound, UpstreamError
from tuneway.ports import Auth, Timeouts, UpstreamRequest
from tuneway.prediction.calls import JSON, Connection, place_of
from tuneway.prediction.providers import vertex
from tuneway.prediction.providers.addresses import instead
from tuneway.prediction.upstream_errors import broken, from_answer
from tuneway.routing.routes import Target

GOOGLE = Auth(kind="google")
TIMEOUTS = Timeouts(connect=5.0, read=10.0)
_CHAT_ROUTE = "/chat/completions"
_MISSED = re.compile(rb"\bmessages\b")
_UNDERSTOOD = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR})
_UNDECIDED = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class _DeployedModel(msgspec.Struct, frozen=True, rename="camel"):
    model: str = ""
    dedicated_resources: object = None
    automatic_resources: object = None
    shared_resources: object = None


class _Endpoint(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of Vertex AI's Endpoint that say how it is called."""

    dedicated_endpoint_enabled: bool = False
    dedicated_endpoint_dns: str = ""
    deployed_models: tuple[_DeployedModel, ...] = ()


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    image_uri: str = ""
    predict_route: str = ""


class _Model(msgspec.Struct, frozen=True, rename="camel"):
    container_spec: _Container = _Container()


class Found(msgspec.Struct, frozen=True):
    """How to call an endpoint; not ``certain`` while nothing is deployed on it, because anything may be, soon."""

    target: Target
    certain: bool


async def detected(named: Target, *, via: Connection) -> Found:
    """How to call the endpoint that ``named`` names. Raises NotFound, BadInput, UpstreamError."""
    endpoint = await _endpoint(named.resource, via)
    host = endpoint.dedicated_endpoint_dns if endpoint.dedicated_endpoint_enabled else ""
    chatting = Target(resource=named.resource, dialect="openai", host=host or None)
    own = await _own_container(endpoint.deployed_models, via)
    if own is None:
        gemini = msgspec.structs.replace(chatting, dialect="gemini")
        return Found(gemini, certain=bool(endpoint.deployed_models))
    if await _chats(chatting, via):
        return Found(chatting, certain=True)
    if own.predict_route.endswith(_CHAT_ROUTE):
        return Found(msgspec.structs.replace(chatting, raw=True), certain=True)
    return Found(msgspec.structs.replace(chatting, dialect="instances"), certain=True)


async def _own_container(deployed: tuple[_DeployedModel, ...], via: Connection) -> _Container | None:
    """The container behind an endpoint; None when what is deployed is served by Google itself.

    Machines of its own mean a container. Automatic and shared resources may be Google's: there the model says.
    """
    for model in deployed:
        if model.dedicated_resources is not None:
            return await _container(model.model, via)
        if (model.automatic_resources, model.shared_resources) != (None, None):
            container = await _container(model.model, via)
            if container.image_uri:
                return container
    return None


async def _endpoint(resource: str, via: Connection) -> _Endpoint:
    status, body = await _got(resource, via)
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(f"Vertex AI knows no {resource}.", param="model", code="model_not_found")
    if status != HTTPStatus.OK:
        raise from_answer(status, {}, body)
    try:
        return msgspec.json.decode(body, type=_Endpoint)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise broken("Vertex AI's description of the endpoint cannot be read. Try again.") from exc


async def _chats(target: Target, via: Connection) -> bool:
    """Whether the container behind an endpoint takes chat completions. Raises UpstreamError when it cannot be told."""
    there = place_of(target, "chat", stream=False, base_url=via.base_url)
    request = UpstreamRequest(url=there.url, headers=JSON, body=b"{}", timeouts=TIMEOUTS)
    status, body = await _asked(request, via)
    if status in _UNDECIDED:
        raise from_answer(status, {}, body)
    return (status == HTTPStatus.OK and b'"choices"' in body) or (
        status in _UNDERSTOOD and _MISSED.search(body) is not None
    )


async def _container(model: str, via: Connection) -> _Container:
    """The model's container, as far as it may be looked at."""
    if not model:
        return _Container()
    try:
        status, body = await _got(model, via)
        found = msgspec.json.decode(body, type=_Model) if status == HTTPStatus.OK else _Model()
    except (UpstreamError, msgspec.DecodeError, UnicodeDecodeError):
        return _Container()
    return found.container_spec


async def _got(resource: str, via: Connection) -> tuple[int, bytes]:
    location = dict(zip(resource.split("/")[::2], resource.split("/")[1::2], strict=False)).get("locations", "")
    url = instead(f"https://{vertex.host(location)}/v1/{resource}", via.base_url)
    request = UpstreamRequest(method="GET", url=url, headers={}, timeouts=TIMEOUTS)
    return await _asked(request, via)


async def _asked(request: UpstreamRequest, via: Connection) -> tuple[int, bytes]:
    proof = await via.credentials.headers(request, GOOGLE)
    proven = msgspec.structs.replace(request, headers={**request.headers, **proof})
    async with via.upstream.send(proven) as response:
        return response.status, await response.read()
