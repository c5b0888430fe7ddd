"""Google's tokens from the metadata server: access tokens, and identity tokens for other clouds."""

import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from tuneway.adapters.renewed import Renewed
from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, Upstream, UpstreamRequest

ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
TIMEOUTS = Timeouts(connect=2.0, read=5.0)
OK = 200
_JWT_PARTS = 3


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class _Claims(msgspec.Struct, frozen=True):
    exp: float
    iat: float


class GoogleTokens:
    """``ports.Tokens`` of the service account this process runs as. For one event loop."""

    def __init__(self, upstream: Upstream, *, metadata_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._url = f"{metadata_url}{ACCOUNT}/token"
        self._token = Renewed(self._fetched, clock=clock)

    async def token(self) -> str:
        """The token; a good one is returned at once, and renewed behind the request's back when it ages."""
        return await self._token.value()

    async def renew(self) -> bool:
        """Ask for a fresh one, because this one was refused; True when there is one. Raises UpstreamError (502)."""
        return await self._token.renewed()

    async def _fetched(self) -> tuple[str, float]:
        body = await _answer(self._upstream, self._url, what="access")
        try:
            found = msgspec.json.decode(body, type=_Token)
        except msgspec.DecodeError as exc:
            raise _none("the metadata server's answer is no token", what="access") from exc
        return found.access_token, found.expires_in


class GoogleIdentity:
    """``ports.Tokens`` that tell another cloud (``audience``) which service account this is. For one event loop."""

    def __init__(
        self, upstream: Upstream, *, metadata_url: str, audience: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstream = upstream
        self._url = f"{metadata_url}{ACCOUNT}/identity?{urlencode({'audience': audience, 'format': 'full'})}"
        self._token = Renewed(self._fetched, clock=clock)

    async def token(self) -> str:
        """The signed token, as text."""
        return await self._token.value()

    async def _fetched(self) -> tuple[str, float]:
        body = await _answer(self._upstream, self._url, what="identity")
        try:
            token = body.decode("ascii").strip()
            return token, _life(token)
        except ValueError as exc:  # msgspec's and base64's errors are ValueErrors too
            raise _none("the metadata server's answer is no token", what="identity") from exc


class StaticTokens:
    """``ports.Tokens`` that never change: the simulation takes any."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """The token it was made with."""
        return self._token

    async def renew(self) -> bool:
        """There is never another one."""
        return False


async def _answer(upstream: Upstream, url: str, *, what: str) -> bytes:
    request = UpstreamRequest(method="GET", url=url, headers={"metadata-flavor": "Google"}, timeouts=TIMEOUTS)
    try:
        async with upstream.send(request) as response:
            body = await response.read()
            if response.status == OK:
                return body
            raise _none(f"the metadata server answered {response.status}", what=what)
    except UpstreamError as exc:
        raise _none(exc.message, what=what) from exc


def _life(token: str) -> float:
    """Seconds the token was made for; the metadata server keeps one, so what is left of it may be less."""
    parts = token.split(".")
    if len(parts) != _JWT_PARTS:
        raise ValueError("no JWT")
    claims = msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=_Claims)
    return min(claims.exp - time.time(), claims.exp - claims.iat)


def _none(reason: str, *, what: str) -> UpstreamError:
    already_told = f"No Google {what} token could be had: "
    return UpstreamError(
        already_told + reason.removeprefix(already_told).rstrip(".") + ".",
        status=502,
        kind="server_error",
        code="no_upstream_token",
    )
