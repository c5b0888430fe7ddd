"""Proof for a call, whichever kind its provider asks for."""

from collections.abc import Callable, Mapping
from typing import assert_never

from tuneway.adapters.answers import missing
from tuneway.adapters.aws_keys import AwsKeys, KeySource, keys_in
from tuneway.adapters.aws_signing import sign
from tuneway.ports import Auth, Secrets, Tokens, UpstreamRequest


class CloudCredentials:
    """``ports.Credentials`` of an installation; the clouds it has no identity in are None. For one event loop."""

    def __init__(
        self,
        secrets: Secrets,
        google: Tokens,
        *,
        entra: Callable[[str], Tokens] | None = None,
        aws: KeySource | None = None,
    ) -> None:
        """``entra`` makes the tokens of a scope, once for each."""
        self._secrets = secrets
        self._google = google
        self._entra = entra
        self._aws = aws
        self._scopes: dict[str, Tokens] = {}

    async def headers(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        """The headers to add to ``request``, which must then be sent as it is. Raises UpstreamError (502)."""
        match auth.kind:
            case "google":
                return {auth.header: f"Bearer {await self._google.token()}"}
            case "key":
                return {auth.header: await self._secret(auth)}
            case "bearer":
                return {auth.header: f"Bearer {await self._secret(auth)}"}
            case "entra":
                return {auth.header: f"Bearer {await self._entra_token(auth.scope)}"}
            case "sigv4":
                return await self._signed(request, auth)
            case "none":
                return {}
            case _:
                assert_never(auth.kind)

    async def _secret(self, auth: Auth) -> str:
        if auth.secret is None:
            raise missing("the route has no 'secret' for it, and its kind of host has no other way")
        return _one_line(await self._secrets.value(auth.secret))

    async def _entra_token(self, scope: str) -> str:
        if self._entra is None:
            raise missing("the route has no 'secret', and no application of Entra ID is set up")
        if scope not in self._scopes:
            self._scopes[scope] = self._entra(scope)
        return await self._scopes[scope].token()

    async def _signed(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        """Signed with AWS keys; an API key of Bedrock is a bearer token and signs nothing."""
        if auth.secret is None:
            return sign(request, await self._own_keys(), region=auth.region, service=auth.service)
        secret = await self._secrets.value(auth.secret)
        if secret.startswith("{"):
            return sign(request, keys_in(secret), region=auth.region, service=auth.service)
        return {auth.header: f"Bearer {_one_line(secret)}"}

    async def _own_keys(self) -> AwsKeys:
        if self._aws is None:
            raise missing("the route has no 'secret', and neither a role nor keys of AWS are set up")
        return await self._aws.keys()


def _one_line(secret: str) -> str:
    """A secret fit for a header."""
    if not secret.isascii() or not secret.isprintable():
        raise missing("a secret holds characters that no header can")
    return secret
