"""The Upstream port on httpx: for everything off the prediction path, and for tests through its MockTransport."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager

import httpx

from tuneway.errors import UpstreamError
from tuneway.ports import LARGEST_ANSWER, Timeouts, UpstreamRequest

HEADERS = {"user-agent": "tuneway", "accept-encoding": "identity"}
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=90.0)


class HttpxUpstream:
    """Pooled HTTP/1.1: no redirects, no proxies from the environment, bodies exactly as sent."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``transport`` replaces the network."""
        self._client = httpx.AsyncClient(
            transport=transport, headers=HEADERS, limits=LIMITS, follow_redirects=False, trust_env=False
        )

    @asynccontextmanager
    async def send(self, request: UpstreamRequest) -> AsyncGenerator["_Answer"]:
        """The call, started by ``async with``. Raises UpstreamError (502 unreachable, 504 too slow)."""
        try:
            response = await self._client.send(self._built(request), stream=True)
        except httpx.HTTPError as exc:
            raise _fault(exc) from exc
        try:
            yield _Answer(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Free every connection."""
        await self._client.aclose()

    def _built(self, request: UpstreamRequest) -> httpx.Request:
        url, headers = httpx.URL(request.url), dict(request.headers)
        extensions: dict[str, object] = {}
        if request.address is not None:  # the name is what the certificate is for and what the server knows itself by
            headers["host"] = url.netloc.decode("ascii")
            extensions["sni_hostname"] = url.raw_host.decode("ascii")
            url = url.copy_with(host=request.address)
        return self._client.build_request(
            request.method,
            url,
            headers=headers,
            content=request.body or None,
            timeout=_timeout(request.timeouts),
            extensions=extensions,
        )


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def read(self) -> bytes:
        pieces, size = list[bytes](), 0
        async with aclosing(self.chunks()) as chunks:
            async for piece in chunks:
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_ANSWER:
                    raise _too_large()
        return b"".join(pieces)

    async def chunks(self) -> AsyncGenerator[bytes]:
        if self._response.is_stream_consumed:  # a MockTransport's answer, made whole
            yield self._response.content
            return
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.HTTPError as exc:
            raise _fault(exc) from exc


def _timeout(timeouts: Timeouts) -> httpx.Timeout:
    return httpx.Timeout(timeouts.read, connect=timeouts.connect, pool=timeouts.connect)


def _too_large() -> UpstreamError:
    return UpstreamError(
        "The model's host sent more than any answer holds.", status=502, kind="server_error", code="upstream_error"
    )


def _fault(exc: httpx.HTTPError) -> UpstreamError:
    if isinstance(exc, httpx.TimeoutException):
        return UpstreamError(
            "The model's host did not answer in time.", status=504, kind="server_error", code="timeout"
        )
    return UpstreamError(
        "The connection to the model's host failed.", status=502, kind="server_error", code="upstream_unreachable"
    )
