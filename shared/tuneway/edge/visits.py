"""A request under way: who asks, what is read of it, and what its answer's headers and its log line say."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.types import Receive

from tuneway.access.keys import Grant
from tuneway.edge.errors import ClientLeft, TooLarge
from tuneway.edge.replies import Headers
from tuneway.edge.telemetry.lines import RequestLine, severity_of
from tuneway.errors import BadInput
from tuneway.ports.traces import Trace
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.journey import Journey
from tuneway.routing.names import TELEMETRY, place, served, shown
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import Snapshot

Cost = Callable[[Usage, Target], float | None]


class _Spent(msgspec.Struct, frozen=True, gc=False):
    """What answers took, together; None where nothing was counted, or no price is known."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    estimated: bool = False


_NOTHING = _Spent()


class Visit(msgspec.Struct, kw_only=True, eq=False):
    """One request under way: who asks, and what its log line will say."""

    id: str
    request: Request
    path: str
    receive: Receive
    fields: Mapping[bytes, bytes]
    started: float = msgspec.field(default_factory=time.perf_counter)
    trace: Trace | None = None
    snapshot: Snapshot = Snapshot()
    grant: Grant | None = None
    key: str | None = None
    operation: str | None = None
    model: str | None = None
    asked: float | None = None
    journey: Journey | None = None
    cost: Cost | None = None
    prompt: object = None

    def header(self, name: bytes) -> str | None:
        """The first header of that lower-case name; a framework's mapping costs ten times more."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")

    def sets_out(self, journey: Journey, operation: str) -> None:
        """A model is asked from here on."""
        self.asked = time.perf_counter()
        self.journey = journey
        self.operation = operation

    def headers(self) -> Headers:
        """Which target answered, after how many attempts, and how much of the time was ours."""
        journey = self.journey
        if journey is None or journey.target is None:
            return ()
        ours = time.perf_counter() - self.started - journey.waited
        told = [
            (b"x-tuneway-target", _shown(journey.target)),
            (b"x-tuneway-attempts", b"%d" % journey.attempts),
            (b"x-tuneway-overhead-ms", b"%.2f" % (ours * 1000)),
        ]
        if journey.family is not None:
            told.append((b"x-tuneway-prompt-family", journey.family.encode()))
        if journey.dropped:
            told.append((b"x-tuneway-dropped-params", ", ".join(journey.dropped).encode("ascii", "replace")))
        return told

    def line(self, status: int, error: str | None = None) -> RequestLine:
        """What is worth knowing of this request now that it is over."""
        ended = time.perf_counter()
        journey = self.journey
        target = None if journey is None else journey.target
        spent = _NOTHING if journey is None else _spent(journey.counted, self.cost)
        trace = self.trace
        return RequestLine(
            severity=severity_of(status),
            message="request",
            time=datetime.now(UTC),
            trace=None if trace is None else trace.name,
            span=None if trace is None else trace.span,
            sampled=None if trace is None else trace.sampled,
            parent=None if trace is None else trace.parent,
            request=self.id,
            path=self.path,
            status=status,
            ms=_ms(ended - self.started),
            ms_upstream=None if self.asked is None else _ms(ended - self.asked),
            owner=self.grant.owner if self.grant else None,
            key=self.key,
            target=place(target) if target else None,
            attempts=journey.attempts if journey else 0,
            stream=journey is not None and journey.stream,
            estimated=spent.estimated,
            cost_usd=spent.cost_usd,
            prompt=self.prompt,
            operation=self.operation,
            provider=TELEMETRY[target.provider] if target else None,
            model=self.model,
            served=served(target) if target else None,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            error=error,
            failed=tuple(map(place, journey.failed)) if journey and journey.blamed else (),
            trial=journey.route.trial if journey else None,
            asleep=tuple(map(place, journey.slept)) if journey and journey.slept else (),
        )


async def body_of(visit: Visit, *, limit: int) -> bytes:
    """The request's body. Raises TooLarge, ClientLeft, BadInput (compressed)."""
    if (coding := visit.header(b"content-encoding")) is not None and coding.lower() not in {"", "identity"}:
        raise BadInput(
            f"A body with content-encoding '{coding}' is not read. Send it as it is.", code="compressed_body"
        )
    declared = visit.header(b"content-length")
    if declared and declared.isdigit() and int(declared) > limit:
        raise TooLarge(limit)
    body, more = await _piece(visit)
    if not more and len(body) <= limit:  # nearly every request
        return body
    pieces, size = [body], len(body)
    while more and size <= limit:
        body, more = await _piece(visit)
        pieces.append(body)
        size += len(body)
    if size > limit:
        raise TooLarge(limit)
    return b"".join(pieces)


async def _piece(visit: Visit) -> tuple[bytes, bool]:
    """What has come of the body, and whether there is more to come."""
    message = await visit.receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft("The client left before its request was complete.", code="client_left")
    return message.get("body", b""), message.get("more_body", False)


@lru_cache(maxsize=1024)
def _shown(target: Target) -> bytes:
    """A target's name for callers, as a header bears it."""
    return shown(target).encode("ascii", "replace")


def _spent(counted: Sequence[tuple[Usage, Target]], cost: Cost | None) -> _Spent:
    """The sums; the cost of all is unknown where one of them is."""
    if not counted:
        return _NOTHING
    tokens_in, tokens_out, estimated, usd = 0, 0, False, 0.0 if cost else None
    for usage, target in counted:
        tokens_in += usage.prompt_tokens
        tokens_out += usage.completion_tokens
        estimated = estimated or usage.estimated is True
        one = cost(usage, target) if cost else None
        usd = None if usd is None or one is None else usd + one
    return _Spent(tokens_in, tokens_out, usd, estimated)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
