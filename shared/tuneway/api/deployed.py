"""Call a deployed tuneway: OpenAI's JSON over HTTP."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import IO, TypeVar

import httpx
import msgspec

from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.api.background import background
from tuneway.api.errors import APIConnectionError, APIError, Timeout, cut_off, of_answer, of_fault, refused, told_by
from tuneway.api.options import Asked, Way, setting
from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, UpstreamRequest, UpstreamResponse
from tuneway.prediction.events import Pieces
from tuneway.routing.policy import pause

A = TypeVar("A")

JSON = {"content-type": "application/json"}
TIMEOUT = 600.0
CONNECT = 5.0
PASSING = frozenset({408, 409, 429, 500, 502, 503, 504})
ROUTES_OWN = (
    "vertex_project",
    "vertex_location",
    "vertex_credentials",
    "api_base",
    "api_version",
    "aws_region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "fallbacks",
    "drop_params",
)
UNANSWERED: Mapping[type[APIError], str] = {APIConnectionError: "cannot be reached", Timeout: "did not answer in time"}
URL, KEY = "TUNEWAY_URL", "TUNEWAY_API_KEY"
_UPSTREAMS: dict[asyncio.AbstractEventLoop, HttpxUpstream] = {}


class Tuneway(msgspec.Struct, frozen=True, kw_only=True):
    """Where one is and the key for it; ``url`` ends in ``/v1``, ``extra`` are headers of the caller's."""

    url: str
    key: str
    timeout: float = TIMEOUT
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """The proof of who asks, and what else the call is to bear."""
        return {**dict(self.extra), "authorization": f"Bearer {self.key}"}


def located(base_url: str | None, api_key: str | None, timeout: float | None = None) -> Tuneway:
    """The tuneway of the arguments, else of ``TUNEWAY_URL`` and ``TUNEWAY_API_KEY``. Raises BadRequestError."""
    url = (base_url or setting(URL) or "").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise refused(f"Which tuneway? Give base_url (https://…) or set {URL}.", param="base_url")
    key = api_key or setting(KEY)
    if not key:
        raise refused(f"A tuneway wants a key. Give api_key or set {KEY}.", param="api_key")
    return Tuneway(url=url if url.endswith("/v1") else f"{url}/v1", key=key, timeout=timeout or TIMEOUT)


def marked(there: Tuneway, headers: Iterable[tuple[str, str]]) -> Tuneway:
    """The same tuneway, called with these headers."""
    return msgspec.structs.replace(there, extra=tuple(headers))


def is_meant(asked: Asked) -> bool:
    """With ``base_url``; and a bare alias, which nobody else knows, where ``TUNEWAY_URL`` is set."""
    way = asked.way
    if way.base_url is not None:
        return True
    bare = "/" not in asked.model and way.custom_llm_provider is None and way.api_base is None
    return bare and setting(URL) is not None


async def whole(asked: Asked) -> bytes:
    """The answer as OpenAI's JSON. Raises APIError."""
    return await _tried(asked, _whole)


async def opened(asked: Asked) -> tuple[bytes, Pieces]:
    """The first events of a streamed completion, and the rest. Raises APIError."""
    return await _tried(asked, _opened)


async def _tried(asked: Asked, ask: Callable[[Asked], Awaitable[A]]) -> A:
    """The first answer; after a fault that may pass, another try, as often as ``num_retries`` says."""
    _check(asked.way)
    for failures in range(asked.way.num_retries):
        try:
            return await ask(asked)
        except APIError as fault:
            seconds = pause(failures, asked=fault.retry_after, draw=random.random)
            if fault.status_code not in PASSING or seconds is None:
                raise
        await asyncio.sleep(seconds)
    return await ask(asked)


def _check(way: Way) -> None:
    """Refuse what only its routes can tell a deployed tuneway."""
    for name in ROUTES_OWN:
        if getattr(way, name):
            raise refused(f"A deployed tuneway has it from its routes: leave '{name}' out.", param=name)


async def _whole(asked: Asked) -> bytes:
    try:
        async with _upstream().send(_request(asked)) as response:
            await _accepted(response)
            return await response.read()
    except UpstreamError as fault:
        raise _unanswered(asked, of_fault(fault)) from fault


async def _opened(asked: Asked) -> tuple[bytes, Pieces]:
    pieces = _pieces(asked)
    try:
        async for first in pieces:
            return first, pieces
    except UpstreamError as fault:
        raise _unanswered(asked, of_fault(fault)) from fault
    raise cut_off()


def _unanswered(asked: Asked, fault: APIError) -> APIError:
    """The fault, with the address that is at fault: it is tuneway's own that was called, not a model's."""
    url = located(asked.way.base_url, asked.way.api_key).url
    words = f"{url} {UNANSWERED[type(fault)]}." if type(fault) in UNANSWERED else fault.message
    return type(fault)(words, status_code=fault.status_code, told=told_by(fault))


def call(
    there: Tuneway, method: str, path: str, *, body: object = None, query: Mapping[str, str] | None = None
) -> bytes:
    """One small call and its answer. Raises APIError."""
    content = None if body is None else msgspec.json.encode(body)
    return _told(there, lambda http: http.request(method, path, content=content, params=query, headers=JSON))


def upload(there: Tuneway, file: tuple[str, IO[bytes]], *, purpose: str) -> bytes:
    """One multipart upload and its answer. Raises APIError."""
    return _told(there, lambda http: http.post("files", files={"file": file}, data={"purpose": purpose}))


def _told(there: Tuneway, send: Callable[[httpx.Client], httpx.Response]) -> bytes:
    timeout = httpx.Timeout(there.timeout, connect=CONNECT)
    try:
        with httpx.Client(base_url=there.url, headers=there.headers, timeout=timeout, trust_env=False) as http:
            response = send(http)
    except httpx.HTTPError as exc:
        raise APIConnectionError(f"{there.url} does not answer: {exc}", status_code=502) from exc
    if response.is_error:
        raise of_answer(response.status_code, response.headers, response.content)
    return response.content


async def _pieces(asked: Asked) -> AsyncGenerator[bytes, None]:
    async with _upstream().send(_request(asked)) as response:
        await _accepted(response)
        async for piece in response.chunks():
            yield piece


def _request(asked: Asked) -> UpstreamRequest:
    way = asked.way
    there = located(way.base_url, way.api_key, way.timeout)
    timeouts = Timeouts(connect=min(CONNECT, there.timeout), read=there.timeout)
    headers = {**JSON, **dict(way.extra_headers), **there.headers}
    return UpstreamRequest(url=f"{there.url}/{asked.surface}", headers=headers, body=asked.body, timeouts=timeouts)


async def _accepted(response: UpstreamResponse) -> None:
    if response.status != HTTPStatus.OK:
        raise of_answer(response.status, response.headers, await response.read())


def _upstream() -> HttpxUpstream:
    """The connections of the running loop; what belongs to loops that ended is forgotten."""
    loop = asyncio.get_running_loop()
    if loop not in _UPSTREAMS:
        _UPSTREAMS.clear()
        _UPSTREAMS[loop] = HttpxUpstream()
        background.at_end(_UPSTREAMS[loop].close)
    return _UPSTREAMS[loop]
