"""Google access tokens from the metadata server, renewed ahead of time; a fixed one for the simulation."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, Upstream, UpstreamRequest

PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
SPARE_SECONDS = 600.0  # renew when less is left …
SPARE_PART = 0.2  # … or less than this part of the token's life
LAST_SECONDS = 30.0  # a token with less left is as good as none: the call it goes with takes time
PAUSE_SECONDS = 10.0  # between attempts to renew: the metadata server may hand out the old one until its last minutes
TIMEOUTS = Timeouts(connect=2.0, read=5.0)


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class GoogleTokens:
    """``ports.Tokens`` of the service account this process runs as. For one event loop."""

    def __init__(self, upstream: Upstream, *, metadata_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._request = UpstreamRequest(
            method="GET", url=metadata_url + PATH, headers={"metadata-flavor": "Google"}, timeouts=TIMEOUTS
        )
        self._clock = clock
        self._token = ""
        self._good_until = float("-inf")
        self._renew_from = float("-inf")
        self._renewal: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """The token; a good one is returned at once, and renewed behind the request's back when it ages."""
        now = self._clock()
        if now < self._good_until:
            if now >= self._renew_from:
                self._renewing()
            return self._token
        await asyncio.shield(self._renewing())
        return self._token

    def _renewing(self) -> asyncio.Task[None]:
        """The one renewal under way."""
        if self._renewal is None:
            self._renew_from = self._clock() + PAUSE_SECONDS
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
            self._renewal.add_done_callback(self._renewed)
        return self._renewal

    def _renewed(self, renewal: asyncio.Task[None]) -> None:
        self._renewal = None
        with suppress(asyncio.CancelledError):
            renewal.exception()  # looked at, so that a renewal nobody waits for fails in silence: the old token is good

    async def _renew(self) -> None:
        asked = self._clock()
        found = await self._fetched()
        spare = min(SPARE_SECONDS, SPARE_PART * found.expires_in)
        self._token = found.access_token
        self._good_until = asked + found.expires_in - LAST_SECONDS
        self._renew_from = max(asked + found.expires_in - spare, asked + PAUSE_SECONDS)

    async def _fetched(self) -> _Token:
        try:
            async with self._upstream.send(self._request) as response:
                body = await response.read()
                if response.status == 200:  # noqa: PLR2004  (HTTP's own number)
                    return msgspec.json.decode(body, type=_Token)
                raise _none(f"the metadata server answered {response.status}")
        except msgspec.DecodeError as exc:
            raise _none("the metadata server's answer is no token") from exc
        except UpstreamError as exc:
            raise _none(exc.message) from exc


class StaticTokens:
    """``ports.Tokens`` that never change: the simulation takes any."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """The token it was made with."""
        return self._token


def _none(reason: str) -> UpstreamError:
    return UpstreamError(
        f"No Google access token could be had: {reason}.", status=502, kind="server_error", code="no_upstream_token"
    )
