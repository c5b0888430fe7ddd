"""Call models from this computer, through the very core the functions use: no tuneway has to run anywhere."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import msgspec
from typing_extensions import override

from tuneway.adapters import identity, prediction
from tuneway.adapters.aws_signing import sign
from tuneway.adapters.default_credentials import DefaultKeys, DefaultTokens
from tuneway.adapters.google_tokens import StaticTokens
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.api.background import background
from tuneway.api.errors import of_fault, refused
from tuneway.api.options import Asked, Surface, Way
from tuneway.api.places import GIVEN_KEY, defaults, given_key, given_project, identified, target
from tuneway.edge.surfaces.endpoints import Endpoints
from tuneway.errors import TunewayError
from tuneway.ports import Auth, Credentials, Timeouts, Upstream, UpstreamRequest
from tuneway.prediction.attempts import Ask, Attempts
from tuneway.prediction.calls import Connection, google_signed
from tuneway.prediction.chat import ChatQuestion, Question
from tuneway.prediction.dialects.openai.passage import passage_of
from tuneway.prediction.events import Events, Pieces
from tuneway.prediction.journey import Journey
from tuneway.prediction.surfaces.embeddings.question import EmbeddingQuestion
from tuneway.routing.identifiers import DedicatedEndpoint, Endpoint, HostedModel
from tuneway.routing.routes import Route, Target
from tuneway.settings import Settings, environment, from_env

A = TypeVar("A")
Google = DefaultTokens | StaticTokens
MOST_LINES = 64
MOST_CONNECT_SECONDS = 5.0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: what a line is shared by."""

    settings: Settings
    key: str | None
    vertex_credentials: str | None
    api_base: str | None
    timeout: float | None


class Variables(Mapping[str, str]):
    """The environment as it is at each call, and the call's own key in it."""

    def __init__(self, key: str | None) -> None:
        self._given = {GIVEN_KEY: key or ""}

    @override
    def __getitem__(self, name: str) -> str:
        return self._given[name] if name in self._given else environment()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter({**environment(), **self._given})

    @override
    def __len__(self) -> int:
        return len({**environment(), **self._given})


class LaptopCredentials:
    """``ports.Credentials`` of an installation that is one computer: AWS's default chain signs for Bedrock."""

    def __init__(self, others: Credentials) -> None:
        self._others = others
        self._keys = DefaultKeys()

    async def headers(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        """The headers to add to ``request``. Raises UpstreamError (502)."""
        if auth.kind == "sigv4" and auth.secret is None:
            return sign(request, await self._keys.keys(), region=auth.region)
        return await self._others.headers(request, auth)


class MarkedCredentials:
    """``ports.Credentials`` that let a call bear headers of its caller's; the proof of who asks goes before them."""

    def __init__(self, inner: Credentials, marks: Mapping[str, str]) -> None:
        self._inner = inner
        self._marks = marks

    async def headers(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        """The headers to add to ``request``. Raises UpstreamError (502)."""
        marked = msgspec.structs.replace(request, headers={**request.headers, **self._marks})
        return {**self._marks, **await self._inner.headers(marked, auth)}


class Line:
    """One account's way to all models: tokens, what its endpoints speak, how its targets fared."""

    def __init__(self, account: Account, upstream: Upstream) -> None:
        settings = account.settings
        self.google = _google(account)
        variables = Variables(account.key)
        known = identity.credentials(settings, upstream, google=self.google, environment=variables)
        self.via = Connection(
            upstream=upstream,
            credentials=LaptopCredentials(known),
            base_url=account.api_base or settings.vertex_url,
            timeouts=_timeouts(settings, account.timeout),
        )
        self.endpoints = Endpoints(self.via)
        self.attempts = Attempts(renew=self._renewed)

    async def _renewed(self, target: Target) -> bool:
        return google_signed(target) and await self.google.renew()


class Lines:
    """The lines in use, the most recent last. For one event loop."""

    def __init__(self) -> None:
        self._upstream = HttpxUpstream()
        self._lines: OrderedDict[Account, Line] = OrderedDict()
        background.at_end(self._upstream.close)

    def line(self, account: Account) -> Line:
        """The account's line, made when it is first asked for."""
        line = self._lines.pop(account, None) or Line(account, self._upstream)
        self._lines[account] = line
        while len(self._lines) > MOST_LINES:
            self._lines.popitem(last=False)
        return line


_LINES: dict[asyncio.AbstractEventLoop, Lines] = {}


async def whole(asked: Asked) -> bytes:
    """The answer as OpenAI's JSON. Raises APIError."""
    return await _answered(asked, lambda question: question.whole)


async def opened(asked: Asked) -> tuple[bytes, Pieces]:
    """The first events of a streamed completion, and the rest. Raises APIError."""

    def open_of(question: Question) -> Callable[[Target], Awaitable[tuple[bytes, Events]]]:
        return question.opened

    return await _answered(asked, open_of)


async def _answered(asked: Asked, ask_of: Callable[[Question], Ask[A]]) -> A:
    """The answer of the model, or of the first of the fallbacks that has one."""
    way = asked.way
    _check(way)
    others = msgspec.structs.replace(way, custom_llm_provider=None, num_retries=0)
    try:
        line = _lines().line(_account(way))
        journey = Journey(await _route(asked.model, way, line), stream=asked.stream)
        question = _QUESTIONS[asked.surface](asked.body, _marked(line.via, way), journey)
        return await line.attempts.answered(journey, ask_of(question), resolve=lambda name: _route(name, others, line))
    except TunewayError as fault:
        raise of_fault(fault) from fault


def _check(way: Way) -> None:
    """Refuse what cannot be meant. A key for one host is never sent to another's."""
    if way.fallbacks and (way.api_base or way.extra_headers or given_key(way)):
        raise refused(
            "Fallbacks may be at other hosts, so address and key come from the environment: leave api_base, api_key, "
            "extra_headers and AWS's keys out.",
            param="fallbacks",
        )


def _marked(via: Connection, way: Way) -> Connection:
    """The connection with the call's own headers on it."""
    if not way.extra_headers:
        return via
    return msgspec.structs.replace(via, credentials=MarkedCredentials(via.credentials, dict(way.extra_headers)))


def _chat(body: bytes, via: Connection, journey: Journey) -> Question:
    passage = passage_of(body, answer_id=f"chatcmpl-{secrets.token_hex(12)}", created=int(time.time()))
    return ChatQuestion(passage, via=via, journey=journey)


def _vectors(body: bytes, via: Connection, journey: Journey) -> Question:
    return EmbeddingQuestion(body, via=via, journey=journey)


_QUESTIONS: Mapping[Surface, Callable[[bytes, Connection, Journey], Question]] = {
    "chat/completions": _chat,
    "embeddings": _vectors,
}


async def _route(model: str, way: Way, line: Line) -> Route:
    """The route of a name that leads to one target by itself. Raises BadInput, NotFound, UpstreamError."""
    target = await _target(model, way, line)
    return Route(
        alias=model,
        targets=(msgspec.structs.replace(target, drop_params=way.drop_params),),
        created_at=0.0,
        fallbacks=way.fallbacks,
        context_fallbacks=way.fallbacks,
        content_fallbacks=way.fallbacks,
        retries=way.num_retries,
    )


async def _target(model: str, way: Way, line: Line) -> Target:
    identifier = identified(model, way)
    project = None if isinstance(identifier, HostedModel) else given_project(way) or await _own_project(line)
    settled = prediction.defaults(from_env()).places
    named = target(identifier, defaults(identifier, way, project=project, settled=settled))
    match identifier:
        case DedicatedEndpoint() | Endpoint(protocol=None):
            return await line.endpoints.target(named)
        case _:
            return named


async def _own_project(line: Line) -> str | None:
    """The project of Google's credentials, or the simulation's; an access token does not say it."""
    if isinstance(line.google, DefaultTokens):
        return await line.google.project()
    settings = from_env()
    return settings.project if settings.vertex_url else None


def _account(way: Way) -> Account:
    return Account(
        settings=from_env(),
        key=given_key(way),
        vertex_credentials=way.vertex_credentials,
        api_base=way.api_base,
        timeout=way.timeout,
    )


def _google(account: Account) -> Google:
    """On Vertex AI a given key is an access token; a simulated one takes any."""
    if account.key:
        return StaticTokens(account.key)
    if account.settings.vertex_url and account.vertex_credentials is None:
        return StaticTokens(prediction.SIMULATED)
    return DefaultTokens(account.vertex_credentials)


def _timeouts(settings: Settings, timeout: float | None) -> Timeouts:
    if timeout is None:
        return Timeouts(connect=settings.upstream_connect_timeout, read=settings.upstream_read_timeout)
    return Timeouts(connect=min(timeout, MOST_CONNECT_SECONDS), read=timeout)


def _lines() -> Lines:
    """Those of the running loop; what belongs to loops that ended is forgotten."""
    loop = asyncio.get_running_loop()
    if loop not in _LINES:
        _LINES.clear()
        _LINES[loop] = Lines()
    return _LINES[loop]
