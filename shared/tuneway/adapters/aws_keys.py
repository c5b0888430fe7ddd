"""Keys for AWS: written down as secrets, or lent for an hour against Google's word for who we are.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import re
import time
from collections.abc import Callable
from html import unescape
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from typing_extensions import override

from tuneway.adapters.answers import TIMEOUTS, answer, missing
from tuneway.adapters.renewed import Renewed
from tuneway.ports import Secrets, Tokens, Upstream, UpstreamRequest

AUDIENCE = "sts.amazonaws.com"
LENT_SECONDS = 3600
_ROLE = re.compile(r"arn:aws(?:-[a-z-]+)?:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")
_ELEMENT = r"<{0}>\s*([^<\s]+)\s*</{0}>"


class AwsKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is signed with; ``session_token`` belongs to keys that were lent."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @override
    def __repr__(self) -> str:
        return "AwsKeys(…)"


class KeySource(Protocol):
    """Where keys come from."""

    async def keys(self) -> AwsKeys:
        """Keys good for minutes at least. Raises UpstreamError (502)."""
        ...


class WrittenKeys:
    """A user's long-lived keys in one secret: a JSON object of ``access_key_id`` and ``secret_access_key``."""

    def __init__(self, secrets: Secrets, ref: str) -> None:
        self._secrets = secrets
        self._ref = ref

    async def keys(self) -> AwsKeys:
        """The keys, as the secret holds them now."""
        return keys_in(await self._secrets.value(self._ref))


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role that trusts Google's identity tokens, and the region whose STS lends its keys."""

    arn: str
    region: str
    session: str = "tuneway"

    def __post_init__(self) -> None:
        """A region becomes part of a host to which a token is sent. Raises ValueError, at the start of a process."""
        if _ROLE.fullmatch(self.arn) is None or _REGION.fullmatch(self.region) is None:
            raise ValueError("A role has an ARN (arn:aws:iam::123456789012:role/name) and a region.")


class LentKeys:
    """A role's keys for an hour, renewed ahead of time. For one event loop."""

    def __init__(
        self,
        upstream: Upstream,
        identity: Tokens,
        role: Role,
        *,
        base_url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``identity`` gives Google's identity token, ``base_url`` stands in for STS's scheme and host."""
        self._upstream = upstream
        self._identity = identity
        self._role = role
        self._url = f"{base_url or f'https://sts.{role.region}.amazonaws.com'}/"
        self._keys = Renewed(self._fetched, clock=clock)

    async def keys(self) -> AwsKeys:
        """The keys; good ones are returned at once, and renewed behind the request's back when they age."""
        return await self._keys.value()

    async def _fetched(self) -> tuple[AwsKeys, float]:
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": self._role.arn,
            "RoleSessionName": self._role.session,
            "DurationSeconds": str(LENT_SECONDS),
            "WebIdentityToken": await self._identity.token(),
        }
        request = UpstreamRequest(
            url=self._url,
            headers={"content-type": "application/x-www-form-urlencoded", "accept": "text/xml"},
            body=urlencode(form).encode(),
            timeouts=TIMEOUTS,
        )
        return _lent(await answer(self._upstream, request, who="AWS STS")), float(LENT_SECONDS)


def keys_in(secret: str) -> AwsKeys:
    """The keys in a secret that is a JSON object. Raises UpstreamError (502)."""
    try:
        return msgspec.json.decode(secret.encode(), type=AwsKeys)
    except msgspec.DecodeError:
        raise missing("the secret with AWS keys needs access_key_id and secret_access_key") from None


def _lent(body: bytes) -> AwsKeys:
    text = body.decode(errors="replace")
    access, secret, token = (_element(text, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    if not (access and secret and token):
        raise missing("AWS STS's answer holds no keys")
    return AwsKeys(access_key_id=access, secret_access_key=secret, session_token=token)


def _element(text: str, name: str) -> str:
    """An element's text: STS's answer is flat where the keys are, and none of them holds markup."""
    found = re.search(_ELEMENT.format(name), text)
    return unescape(found[1]) if found else ""
