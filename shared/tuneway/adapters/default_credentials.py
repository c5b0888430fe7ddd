"""Whoever is logged in on this computer: Google's Application Default Credentials, and AWS's default chain.

Both libraries take long to load, so each is loaded with the first call that needs it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import msgspec

from tuneway.adapters.answers import missing
from tuneway.adapters.aws_keys import AwsKeys
from tuneway.settings import environment

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class _Credentials(Protocol):
    token: str
    valid: bool

    def refresh(self, request: object) -> None: ...


_Found = tuple[_Credentials, str | None]


class _Auth(Protocol):
    def default(self, *, scopes: Sequence[str]) -> _Found: ...


class _FromInfo(Protocol):
    def __call__(self, info: Mapping[str, object], *, scopes: Sequence[str]) -> _Credentials: ...


# By the type that a key file says it is: where its class is, and how it is made.
_KINDS = {
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
}


class _Keys(Protocol):
    access_key: str
    secret_key: str
    token: str | None


class _Lent(Protocol):
    def get_frozen_credentials(self) -> _Keys: ...


class _Session(Protocol):
    def get_credentials(self) -> _Lent | None: ...


def login(given: str | None = None) -> tuple[object, str | None]:
    """Google's own credentials object, for clients of Google's, and its project; arguments as for ``DefaultTokens``.

    Raises UpstreamError (502).
    """
    return _google(given)


class DefaultTokens:
    """``ports.Tokens`` of the user, or of ``given``: a key file, or the JSON in it. For one event loop."""

    def __init__(self, given: str | None = None) -> None:
        self._given = given
        self._found: _Found | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """The token; a stale one is renewed first. Raises UpstreamError (502)."""
        async with self._lock:
            credentials, _ = await self._loaded()
            if not credentials.valid:
                await asyncio.to_thread(_refreshed, credentials)
        return credentials.token

    async def project(self) -> str | None:
        """The project the credentials are of, where they say it. Raises UpstreamError (502)."""
        async with self._lock:
            _, project = await self._loaded()
        return project

    async def renew(self) -> bool:
        """Ask for a fresh token, because this one was refused. Raises UpstreamError (502)."""
        async with self._lock:
            credentials, _ = await self._loaded()
            await asyncio.to_thread(_refreshed, credentials)
        return True

    async def _loaded(self) -> _Found:
        if self._found is None:
            self._found = await asyncio.to_thread(_google, self._given)
        return self._found


class DefaultKeys:
    """``aws_keys.KeySource`` of the environment, of AWS's files and of whatever else botocore looks at."""

    async def keys(self) -> AwsKeys:
        """The keys; lent ones are renewed by botocore. Raises UpstreamError (502)."""
        return await asyncio.to_thread(_aws)


def _google(given: str | None) -> _Found:
    auth = cast("_Auth", import_module("google.auth"))
    faults: tuple[type[Exception], ...] = (_google_error(), OSError, ValueError)
    try:
        if given is None:
            return auth.default(scopes=SCOPES)
        return _made(_info(given))
    except faults as exc:
        raise missing("no Application Default Credentials of Google were found") from exc


def _made(info: Mapping[str, object]) -> _Found:
    """Credentials of a kind that is known: others could send for a token wherever they say. Raises ValueError."""
    kind = str(info.get("type"))
    if kind not in _KINDS:
        raise ValueError("neither a service account's key nor a user's login")
    module, maker = _KINDS[kind]
    make = cast("_FromInfo", getattr(import_module(module).Credentials, maker))
    project = info.get("project_id") or info.get("quota_project_id")
    return make(info, scopes=SCOPES), None if project is None else str(project)


def _info(given: str) -> Mapping[str, object]:
    body = given.encode() if given.lstrip().startswith("{") else Path(given).read_bytes()
    return msgspec.json.decode(body, type=dict[str, object])


def _refreshed(credentials: _Credentials) -> None:
    try:
        credentials.refresh(import_module("google.auth.transport.requests").Request())
    except _google_error() as exc:
        raise missing("Google gave no token for the Application Default Credentials") from exc


def _google_error() -> type[Exception]:
    return cast("type[Exception]", import_module("google.auth.exceptions").GoogleAuthError)


def _aws() -> AwsKeys:
    variables = tuple(sorted(pair for pair in environment().items() if pair[0].startswith("AWS_")))
    found = _session(variables).get_credentials()
    if found is None:
        raise missing("no keys of AWS were found")
    keys = found.get_frozen_credentials()
    return AwsKeys(access_key_id=keys.access_key, secret_access_key=keys.secret_key, session_token=keys.token)


@lru_cache(maxsize=4)
def _session(_: tuple[tuple[str, str], ...]) -> _Session:
    """One for as long as AWS's variables stay as they are: it remembers the keys it was lent until they run out."""
    return cast("_Session", import_module("botocore.session").Session())
