"""Cloud Run before the functions, and the load balancer before Cloud Run: who may come in, and on to the instance.

This stands for ingress and IAM: a request comes from the internet, from the load balancer or from inside (Pub/Sub,
Eventarc, Cloud Scheduler of the project); a function takes only what its ``ingress_settings`` say, and, unless all
users may invoke it, only a call signed for its own URL by an account that has roles/run.invoker.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import httpx
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.integration.deployed.declared import Declared, Service
from tests.integration.deployed.identities import Identities
from tests.integration.deployed.instances import HOST, Instance

NETWORK = "x-network"  # in the place of the network that a request comes from; nobody outside knows its value
ENTERED = {
    "ALLOW_ALL": {"internet", "balancer", "inside"},
    "ALLOW_INTERNAL_AND_GCLB": {"balancer", "inside"},
    "ALLOW_INTERNAL_ONLY": {"inside"},
}
MOST_BODY = 32 * 1024 * 1024  # Cloud Run takes no more by HTTP/1: https://cloud.google.com/run/quotas, read 2026-11
HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer"}
ATTEMPTS = 3
Headers = list[tuple[bytes, bytes]]


class Refused(Exception):
    """What Cloud Run answers by itself."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class CloudRun:
    """An ASGI application on many ports: those of the functions' own URLs; any other is the load balancer's."""

    def __init__(self, declared: Declared, instances: Mapping[str, Instance], identities: Identities) -> None:
        self._declared = declared
        self._instances = instances
        self._identities = identities
        self._ports = {int(each.url.rpartition(":")[2]): name for name, each in declared.services.items()}
        self._inside = secrets.token_urlsafe(16)
        self._rooms = {name: asyncio.Semaphore(each.concurrency) for name, each in declared.services.items()}
        # A connection that is kept may be the one that a dying instance closes.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        # How long an answer may take is each function's own limit.
        longest = max(each.timeout for each in declared.services.values())
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(longest, connect=5.0), limits=limits, trust_env=False)

    def signed(self, account: str, audience: str) -> dict[str, str]:
        """The headers of a call from inside, as this account, for this audience."""
        return {NETWORK: self._inside, "authorization": f"Bearer {self._identities.token(account, audience)}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            name = self._admitted(Request(scope))
            body = _small(await Request(scope, receive).body())
            await _unless_left(self._answered(name, scope, body, send), receive)
        except Refused as refused:
            await _say(refused.status, send)

    def _admitted(self, request: Request) -> str:
        """The function that is meant. Raises Refused."""
        network, name = self._place(request)
        service = self._declared.services[name]
        if network not in ENTERED[service.ingress]:
            raise Refused(HTTPStatus.NOT_FOUND)
        if "allUsers" not in service.invokers:
            self._check(request.headers.get("authorization", ""), service)
        return name

    def _place(self, request: Request) -> tuple[str, str]:
        name = self._ports.get(request.scope["server"][1])
        if name is None:
            return "balancer", _matching(self._declared.paths, request.url.path)
        inside = secrets.compare_digest(request.headers.get(NETWORK, ""), self._inside)
        return "inside" if inside else "internet", name

    def _check(self, authorization: str, service: Service) -> None:
        if not authorization:
            raise Refused(HTTPStatus.FORBIDDEN)
        email = self._identities.email(authorization.removeprefix("Bearer "), service.url)
        if email is None:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        if f"serviceAccount:{email}" not in service.invokers:
            raise Refused(HTTPStatus.FORBIDDEN)

    async def _answered(self, name: str, scope: Scope, body: bytes, send: Send) -> None:
        service = self._declared.services[name]
        try:
            async with self._rooms[name], asyncio.timeout(service.timeout):
                answer = await self._sent(name, scope, body)
                try:
                    await _passed(answer, send)
                finally:
                    await answer.aclose()
        except TimeoutError as exc:
            raise Refused(HTTPStatus.GATEWAY_TIMEOUT) from exc

    async def _sent(self, name: str, scope: Scope, body: bytes) -> httpx.Response:
        """The instance's answer, its body unread. One that cannot be reached never saw the request: another does."""
        for _ in range(ATTEMPTS):
            port = await asyncio.to_thread(self._instances[name].port)
            url = f"http://{HOST}:{port}{scope['raw_path'].decode()}?{scope['query_string'].decode()}".rstrip("?")
            request = self._client.build_request(
                scope["method"], url, headers=list(_forwarded(scope["headers"])), content=body
            )
            try:
                return await self._client.send(request, stream=True)
            except httpx.ConnectError:
                continue
            except httpx.TransportError as exc:
                # It died with the request in its hands.
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE) from exc
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)


def _small(body: bytes) -> bytes:
    if len(body) > MOST_BODY:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return body


def _matching(paths: Mapping[str, str], path: str) -> str:
    """The function of the longest rule: ``/a`` is itself alone, ``/a/*`` all below it."""
    fitting = [rule for rule in paths if rule == path or (rule.endswith("/*") and path.startswith(rule[:-1]))]
    return paths[max(fitting, key=len)]


def _forwarded(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    kept = HOP_BY_HOP | {NETWORK.encode(), b"content-length"}
    yield from ((name, value) for name, value in headers if name not in kept)
    if b"x-cloud-trace-context" not in dict(headers):
        yield b"x-cloud-trace-context", f"{secrets.token_hex(16)}/1;o=1".encode()
    yield b"x-forwarded-proto", b"https"


async def _passed(answer: httpx.Response, send: Send) -> None:
    """Chunk by chunk. An answer that breaks off breaks off for the caller, too."""
    headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    async for chunk in answer.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _unless_left(answering: Any, receive: Receive) -> None:
    """Answer until the caller has gone; what is then under way is given up."""
    answered, left = asyncio.ensure_future(answering), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({answered, left}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            answered.result()
    finally:
        answered.cancel()
        left.cancel()
        await asyncio.gather(answered, left, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    message: MutableMapping[str, Any] = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


async def _say(status: HTTPStatus, send: Send) -> None:
    body = status.phrase.encode()
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
