"""Entra ID access tokens for Azure: client credentials, with a secret or with Google's word for who we are.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import re
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from tuneway.adapters.answers import TIMEOUTS, answer, missing
from tuneway.adapters.renewed import Renewed
from tuneway.ports import Secrets, Tokens, Upstream, UpstreamRequest

AUTHORITY = "https://login.microsoftonline.com"
AUDIENCE = "api://AzureADTokenExchange"  # what a federated credential expects in Google's token, unless it was changed
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")
_CLIENT = re.compile(r"[A-Za-z0-9-]{1,64}")


class Proof(Protocol):
    """What an application proves itself with."""

    async def fields(self) -> dict[str, str]:
        """The form's fields. Raises UpstreamError (502)."""
        ...


class ClientSecret:
    """A secret of the application, by reference."""

    def __init__(self, secrets: Secrets, ref: str) -> None:
        self._secrets = secrets
        self._ref = ref

    async def fields(self) -> dict[str, str]:
        """The secret itself."""
        return {"client_secret": await self._secrets.value(self._ref)}


class Federated:
    """An identity token that the application trusts: Google's, for the service account this process runs as."""

    def __init__(self, identity: Tokens) -> None:
        self._identity = identity

    async def fields(self) -> dict[str, str]:
        """The token, as an assertion."""
        return {"client_assertion_type": _JWT_BEARER, "client_assertion": await self._identity.token()}


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class EntraApplication(msgspec.Struct, frozen=True, kw_only=True):
    """An application registered in a tenant. ``authority`` differs in sovereign clouds."""

    tenant: str
    client: str
    authority: str = AUTHORITY

    def __post_init__(self) -> None:
        """A tenant becomes part of a URL to which a secret is sent. Raises ValueError, at the start of a process."""
        if _TENANT.fullmatch(self.tenant) is None or _CLIENT.fullmatch(self.client) is None:
            raise ValueError("An Entra application has a tenant (an id or a domain) and a client id.")


class EntraTokens:
    """``ports.Tokens`` of an application for one scope. For one event loop."""

    def __init__(
        self,
        upstream: Upstream,
        application: EntraApplication,
        proof: Proof,
        *,
        scope: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._application = application
        self._proof = proof
        self._scope = scope
        self._token = Renewed(self._fetched, clock=clock)

    async def token(self) -> str:
        """The token; a good one is returned at once, and renewed behind the request's back when it ages."""
        return await self._token.value()

    async def _fetched(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._application.client,
            "scope": self._scope,
            **await self._proof.fields(),
        }
        request = UpstreamRequest(
            url=f"{self._application.authority}/{self._application.tenant}/oauth2/v2.0/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            timeouts=TIMEOUTS,
        )
        body = await answer(self._upstream, request, who="Entra ID")
        try:
            found = msgspec.json.decode(body, type=_Token)
        except msgspec.DecodeError:
            raise missing("Entra ID's answer is no token") from None
        return found.access_token, found.expires_in
