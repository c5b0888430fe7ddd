"""Google tokens: cached, renewed ahead of time, and kept while they are good."""

import asyncio
import json

import httpx
import pytest

from tuneway.adapters.google_tokens import GoogleTokens, StaticTokens
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import UpstreamError


class Metadata:
    """A metadata server that hands out ``t1``, ``t2``, …"""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.life = 3600
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        number = len(self.asked)
        await self.gate.wait()
        if self.down:
            return httpx.Response(503)
        token = {"access_token": f"t{number}", "expires_in": self.life, "token_type": "Bearer"}
        return httpx.Response(200, content=json.dumps(token))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def metadata() -> Metadata:
    return Metadata()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(metadata: Metadata, clock: Clock) -> GoogleTokens:
    upstream = HttpxUpstream(httpx.MockTransport(metadata))
    return GoogleTokens(upstream, metadata_url="http://metadata.test", clock=clock)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_metadata_server_is_asked_as_google_says(tokens: GoogleTokens, metadata: Metadata) -> None:
    assert await tokens.token() == "t1"
    [asked] = metadata.asked
    assert str(asked.url).endswith("/computeMetadata/v1/instance/service-accounts/default/token")
    assert asked.headers["metadata-flavor"] == "Google"


async def test_a_good_token_is_not_asked_for_again(tokens: GoogleTokens, metadata: Metadata, clock: Clock) -> None:
    await tokens.token()
    clock.now += 2900
    assert await tokens.token() == "t1"
    await settled()
    assert len(metadata.asked) == 1


async def test_many_first_requests_share_one_call(tokens: GoogleTokens, metadata: Metadata) -> None:
    assert set(await asyncio.gather(*(tokens.token() for _ in range(50)))) == {"t1"}
    assert len(metadata.asked) == 1


async def test_an_ageing_token_is_renewed_behind_the_requests(
    tokens: GoogleTokens, metadata: Metadata, clock: Clock
) -> None:
    await tokens.token()
    clock.now += 3100
    metadata.gate.clear()
    assert [await tokens.token() for _ in range(3)] == ["t1"] * 3
    await settled()
    metadata.gate.set()
    await settled()
    assert await tokens.token() == "t2"
    assert len(metadata.asked) == 2


async def test_a_short_token_is_renewed_in_its_last_fifth(
    tokens: GoogleTokens, metadata: Metadata, clock: Clock
) -> None:
    metadata.life = 300
    await tokens.token()
    clock.now += 200
    await tokens.token()
    await settled()
    assert len(metadata.asked) == 1
    clock.now += 41
    await tokens.token()
    await settled()
    assert len(metadata.asked) == 2


async def test_the_old_token_stays_while_renewing_fails(tokens: GoogleTokens, metadata: Metadata, clock: Clock) -> None:
    await tokens.token()
    clock.now += 3100
    metadata.down = True
    for _ in range(5):
        assert await tokens.token() == "t1"
        await settled()
    assert len(metadata.asked) == 2
    clock.now += 11
    metadata.down = False
    await tokens.token()
    await settled()
    assert await tokens.token() == "t3"


async def test_without_any_good_token_the_fault_is_ours(tokens: GoogleTokens, metadata: Metadata, clock: Clock) -> None:
    await tokens.token()
    clock.now += 3600
    metadata.down = True
    with pytest.raises(UpstreamError) as caught:
        await tokens.token()
    assert caught.value.status == 502


async def test_after_a_failure_the_next_request_tries_again(tokens: GoogleTokens, metadata: Metadata) -> None:
    metadata.down = True
    with pytest.raises(UpstreamError):
        await tokens.token()
    metadata.down = False
    assert await tokens.token() == "t2"


async def test_a_caller_who_leaves_does_not_end_the_others_renewal(tokens: GoogleTokens, metadata: Metadata) -> None:
    metadata.gate.clear()
    leaving, staying = (asyncio.ensure_future(tokens.token()) for _ in range(2))
    await settled()
    leaving.cancel()
    metadata.gate.set()
    assert await staying == "t1"


async def test_what_is_no_token_is_a_fault() -> None:
    upstream = HttpxUpstream(httpx.MockTransport(lambda _: httpx.Response(200, content=b"<html>")))
    with pytest.raises(UpstreamError):
        await GoogleTokens(upstream, metadata_url="http://metadata.test").token()


async def test_a_static_token_never_changes() -> None:
    assert await StaticTokens("simulated").token() == "simulated"
