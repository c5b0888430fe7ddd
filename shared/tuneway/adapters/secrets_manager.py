"""Secrets from Google's Secret Manager over REST: ``projects/…/secrets/…/versions/…``, kept for minutes."""

import binascii
import re
import time
from base64 import b64decode
from collections.abc import Callable
from functools import partial

import msgspec

from tuneway.adapters.answers import TIMEOUTS, answer, missing
from tuneway.adapters.renewed import Renewed
from tuneway.ports import Tokens, Upstream, UpstreamRequest

KEPT_SECONDS = 300.0
MOST_KEPT = 1024
_REF = re.compile(
    r"projects/[a-z0-9][a-z0-9.:-]{0,127}(?:/locations/(?P<location>[a-z][a-z0-9-]{0,40}))?"
    r"/secrets/[A-Za-z0-9_-]{1,255}/versions/(?:latest|[0-9]{1,19}|[A-Za-z][A-Za-z0-9_-]{0,62})"
)


class _Payload(msgspec.Struct, frozen=True):
    data: str


class _Version(msgspec.Struct, frozen=True):
    payload: _Payload


class SecretManager:
    """``ports.Secrets``; a changed ``latest`` is seen within minutes. For one event loop."""

    def __init__(
        self,
        upstream: Upstream,
        tokens: Tokens,
        *,
        base_url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``base_url`` stands in for scheme and host of every call."""
        self._upstream = upstream
        self._tokens = tokens
        self._base_url = base_url
        self._clock = clock
        self._known: dict[str, Renewed[str]] = {}

    async def value(self, ref: str) -> str:
        """The secret, without blanks around it. Raises UpstreamError (502)."""
        held = self._known.get(ref)
        if held is None:
            held = self._known[ref] = Renewed(partial(self._fetched, ref), clock=self._clock)
            if len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]
        return await held.value()

    async def _fetched(self, ref: str) -> tuple[str, float]:
        headers = {"authorization": f"Bearer {await self._tokens.token()}"}
        request = UpstreamRequest(method="GET", url=self._url(ref), headers=headers, timeouts=TIMEOUTS)
        body = await answer(self._upstream, request, who="Secret Manager")
        try:
            data = msgspec.json.decode(body, type=_Version).payload.data
            return b64decode(data, validate=True).decode().strip(), KEPT_SECONDS
        except (msgspec.DecodeError, binascii.Error, ValueError):
            # Without its cause, whose text may hold a piece of the secret.
            raise missing("Secret Manager's answer is no secret") from None

    def _url(self, ref: str) -> str:
        found = _REF.fullmatch(ref)
        if found is None:
            raise missing("a reference to a secret is not of the form projects/…/secrets/…/versions/…")
        location = found["location"]
        host = f"secretmanager.{location}.rep.googleapis.com" if location else "secretmanager.googleapis.com"
        return f"{self._base_url or f'https://{host}'}/v1/{ref}:access"
