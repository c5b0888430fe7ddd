"""One HTTP call to a model's host: the provider's URL, wrap and credentials, the framing, and the fault of a refusal.

What is asked and what the answer means is the dialect's; how it travels is here.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

import msgspec
from msgspec.structs import replace

from tuneway.errors import UpstreamError
from tuneway.ports import Auth, Credentials, Sources, Timeouts, Upstream, UpstreamRequest, UpstreamResponse
from tuneway.prediction import upstream_errors
from tuneway.prediction.dialects.openai import faults as openai_faults
from tuneway.prediction.framing.event_stream import EventStreamDecoder
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet
from tuneway.prediction.patience import Patience
from tuneway.prediction.providers import table
from tuneway.prediction.providers.addresses import Framing, Operation
from tuneway.routing.routes import Dialect, Target

Refused = Callable[[int, Mapping[str, str], bytes], UpstreamError]
OK = HTTPStatus.OK.value
JSON = {"content-type": "application/json"}
_ENCODER = msgspec.json.Encoder()
# What a host's error status means, where its dialect says more about it than the house's table knows.
_REFUSALS: dict[Dialect, Refused] = {"openai": openai_faults.from_answer}


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How models are reached; ``base_url`` stands in for Vertex AI's scheme and hosts (the simulation).

    ``sources`` fetches what a message refers to and a model's host does not fetch; None leaves it to be refused.
    ``closed`` names the buckets that no message may refer to, whoever would fetch it.
    """

    upstream: Upstream
    credentials: Credentials
    base_url: str | None = None
    timeouts: Timeouts = Timeouts()
    sources: Sources | None = None
    closed: frozenset[str] = frozenset()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a target: ``body`` in its dialect, as fields or as the very bytes to send."""

    target: Target
    operation: Operation
    body: Mapping[str, object] | bytes
    stream: bool = False
    headers: Mapping[str, str] = {}


class Framer(Protocol):
    """Bytes in, events out."""

    def decode(self, data: bytes) -> Iterable[bytes]:
        """The events that ``data`` completes."""
        ...

    def flush(self) -> Iterable[bytes]:
        """The event that the end of the body completes."""
        ...


class Teller(Protocol):
    """Events in, the caller's own events out; ``usage`` is what was counted so far."""

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        ...

    def arrived(self, events: Iterable[bytes]) -> tuple[bytes, UpstreamError | None]:
        """What the events up to the first error come to, and the error."""
        ...

    def ended(self) -> bytes:
        """What the end brings. Raises UpstreamError when it came too early."""
        ...


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call goes, and how it proves who sends it."""

    url: str
    auth: Auth
    framing: Framing
    headers: Mapping[str, str]


_FRAMERS: dict[Framing, Callable[[], Framer]] = {
    "sse": SseDecoder,
    "event_stream": EventStreamDecoder,
    "none": SseDecoder,
}


@lru_cache(maxsize=1024)
def place_of(target: Target, operation: Operation, *, stream: bool, base_url: str | None) -> Place:
    """Where to send a call. Raises BadInput for a target that leads nowhere or has no such operation."""
    instead = base_url if target.provider == "vertex" else None
    return Place(
        url=table.url(target, operation=operation, stream=stream, base_url=instead),
        auth=table.auth(target),
        framing=table.framing(target),
        headers={**JSON, **table.headers(target)},
    )


def streams(target: Target) -> bool:
    """Whether the target's host can stream at all."""
    return table.framing(target) != "none"


def google_signed(target: Target) -> bool:
    """Whether a call to the target bears Google's token."""
    return table.auth(target).kind == "google"


async def whole(call: Call, *, via: Connection, journey: Journey) -> bytes:
    """The body of the answer. Raises BadInput, UpstreamError."""
    request = await _request(call, via)
    journey.waits()
    try:
        async with via.upstream.send(request) as response:
            await _accepted(response, call.target)
            return await response.read()
    finally:
        journey.goes_on()


async def told(
    call: Call, teller: Teller, outlet: Outlet, *, via: Connection, journey: Journey
) -> AsyncGenerator[bytes, None]:
    """``outlet.Source``: what each arrival of bytes comes to, and what the end brings; nothing is held back.

    What came before an error is told before it is raised. Raises BadInput, UpstreamError. Close it when the caller
    leaves: that ends the call. The journey learns the tokens in any case. Once ``outlet`` is open, it gets what comes
    after the next piece, all but what the end brings.
    """
    framing = _FRAMERS[_place(call, via).framing]()
    async with _answered(call, via, journey) as response:
        try:
            patience = Patience(journey, response.chunks())
            with patience as arrivals:
                data: bytes | None = b""
                while data is not None:
                    data = await anext(arrivals, None)
                    journey.goes_on()
                    news, error = teller.arrived(framing.flush() if data is None else framing.decode(data))
                    if news:
                        yield news
                    if error is not None:
                        raise error
                    if take := outlet.fed_by(framing.decode, teller.arrived):
                        await patience.pour(take)
            yield teller.ended()
        finally:
            journey.usage = teller.usage


@asynccontextmanager
async def _answered(call: Call, via: Connection, journey: Journey) -> AsyncGenerator[UpstreamResponse, None]:
    """The answer that the host gives; until something of it has come, it is the host's turn."""
    request = await _request(call, via)
    journey.waits()
    try:
        async with via.upstream.send(request) as response:
            await _accepted(response, call.target)
            yield response
    finally:
        journey.goes_on()


def _place(call: Call, via: Connection) -> Place:
    return place_of(call.target, call.operation, stream=call.stream, base_url=via.base_url)


async def _request(call: Call, via: Connection) -> UpstreamRequest:
    place = _place(call, via)
    headers = {**place.headers, **call.headers} if call.headers else place.headers
    request = UpstreamRequest(url=place.url, headers=headers, body=_encoded(call), timeouts=via.timeouts)
    proof = await via.credentials.headers(request, place.auth)
    return replace(request, headers={**headers, **proof}) if proof else request


def _encoded(call: Call) -> bytes:
    if isinstance(call.body, bytes):
        return call.body
    return _ENCODER.encode(table.wrap(call.body, call.target, stream=call.stream))


async def _accepted(response: UpstreamResponse, target: Target) -> None:
    if response.status != OK:
        refusal = _REFUSALS.get(target.dialect, upstream_errors.from_answer)
        raise refusal(response.status, response.headers, await response.read())
