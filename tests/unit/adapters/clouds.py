"""Fakes of other clouds' ways to hand out credentials, for tests."""

import json
from base64 import urlsafe_b64encode
from time import time

import httpx
from typing_extensions import override

from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import UpstreamError


class Cloud:
    """Answers every call with ``answer`` and keeps what it was asked."""

    def __init__(self, answer: str = "", status: int = 200) -> None:
        self.answer = answer
        self.status = status
        self.asked: list[httpx.Request] = []
        self.upstream = HttpxUpstream(httpx.MockTransport(self._answered))

    def _answered(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, content=self.answer)


class Unreachable(Cloud):
    @override
    def _answered(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeSecrets:
    """``ports.Secrets`` from a table."""

    def __init__(self, **values: str) -> None:
        self.values = values

    async def value(self, ref: str) -> str:
        return self.values[ref]


class Numbered:
    """``ports.Tokens`` that name what they are for."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def token(self) -> str:
        return self.name


def jwt(**claims: float) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


def identity_token(life: float = 3600.0) -> str:
    now = time()
    return jwt(iat=now, exp=now + life)


def told(fault: UpstreamError) -> str:
    """All that an error and its causes say."""
    causes: list[BaseException] = []
    cause: BaseException | None = fault
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__
    return " ".join(f"{one!r} {one}" for one in causes)
