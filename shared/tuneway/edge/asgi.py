"""The asynchronous HTTP door: find the rule, check the key, call one use case; errors by the one table."""

import gc
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from tuneway.access.keys import Grant, Scope, admit, bearer, fingerprint
from tuneway.edge.errors import Answer, ClientLeft, MethodNotAllowed, TooLarge, rendered, unforeseen
from tuneway.edge.replies import Headers, StreamReply, reply
from tuneway.edge.telemetry.lines import RequestLine, Severity
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.turnstile import Turnstile
from tuneway.errors import BadInput, NotFound, TunewayError
from tuneway.ports.traces import Trace
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.journey import Journey
from tuneway.routing.live import LiveSnapshot
from tuneway.routing.names import TELEMETRY, place, served, shown
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import Snapshot

FAULTS_OF_OURS = 500
_IDS_AT_ONCE = 256
_ID_BYTES = 12
_BEGUN_A_TURN = 4  # about a millisecond's work


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
    cost: Callable[[Usage, Target], float | None] | None = None
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
        counted = [] if journey is None else journey.counted
        trace = self.trace
        return RequestLine(
            severity=_severity(status),
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
            estimated=any(usage.estimated is True for usage, _ in counted),
            cost_usd=self._cost(counted),
            prompt=self.prompt,
            operation=self.operation,
            provider=TELEMETRY[target.provider] if target else None,
            model=self.model,
            served=served(target) if target else None,
            tokens_in=sum(usage.prompt_tokens for usage, _ in counted) if counted else None,
            tokens_out=sum(usage.completion_tokens for usage, _ in counted) if counted else None,
            error=error,
            failed=tuple(map(place, journey.failed)) if journey and journey.blamed else (),
            trial=journey.route.trial if journey else None,
            asleep=tuple(map(place, journey.slept)) if journey and journey.slept else (),
        )

    def _cost(self, counted: Sequence[tuple[Usage, Target]]) -> float | None:
        """What all of it cost; unknown where one of them is."""
        if self.cost is None or not counted:
            return None
        costs = [cost for usage, target in counted if (cost := self.cost(usage, target)) is not None]
        return sum(costs) if len(costs) == len(counted) else None


Handler = Callable[[Visit], Awaitable[Response]]
Rules = Mapping[str, Mapping[str, Handler]]
Refusal = Callable[[TunewayError, str], Answer]


class AsyncDoor:
    """Answers requests by path and method; a path that ends in ``/`` stands for all below it.

    ``refusals`` say, by the beginning of the path or by a header that none but they send, how a fault and the request's
    id are told to clients that are not OpenAI's.
    """

    def __init__(
        self, rules: Rules, live: LiveSnapshot, logs: Logs, *, scope: Scope, refusals: Mapping[str, Refusal] = {}
    ) -> None:
        self._exact = {path: methods for path, methods in rules.items() if not path.endswith("/")}
        self._below = {path: methods for path, methods in rules.items() if path.endswith("/")}
        self._live = live
        self._logs = logs
        self._scope = scope
        self._refusals = refusals
        self._turnstile = Turnstile(a_turn=_BEGUN_A_TURN)
        self._ids = _request_ids()
        _leave_the_garbage()

    async def __call__(self, request: Request) -> Response:
        """The answer; never raises for what a caller, a model's host or this code did."""
        scope = request.scope
        # The first of several headers with one name counts.
        fields = dict(reversed(scope["headers"]))
        visit = Visit(id=next(self._ids), request=request, path=scope["path"], receive=request.receive, fields=fields)
        visit.trace = self._logs.started(visit.header(b"traceparent"), visit.header(b"x-cloud-trace-context"))
        error: str | None = None
        try:
            if (turn := self._turnstile.entry()) is not None:
                await turn
            answer: Response = await self._answer(visit)
        except TunewayError as fault:
            answer, error = self._refused(fault, visit), fault.code or type(fault).__name__
        except Exception as fault:  # noqa: BLE001  (the last net: a framework would answer in its own words)
            stack = traceback.format_exc()
            self._logs.note("ERROR", repr(fault), request=visit.id, stack=stack, trace=visit.trace)
            answer, error = self._refused(unforeseen(), visit), "internal_error"
        answer.raw_headers.append((b"x-request-id", visit.id.encode()))
        answer.raw_headers += visit.headers()
        if not isinstance(answer, StreamReply):  # a stream writes its line when it is over
            self._logs.write_soon(visit.line(answer.status_code, error))
        return answer

    def _refused(self, fault: TunewayError, visit: Visit) -> Response:
        """A fault in the words of the surface that was asked."""
        for sign, refusal in self._refusals.items():
            if visit.path == sign or visit.path.startswith(f"{sign}/") or visit.header(sign.encode()) is not None:
                return reply(refusal(fault, visit.id))
        return reply(rendered(fault))

    async def _answer(self, visit: Visit) -> Response:
        methods = self._exact[visit.path] if visit.path in self._exact else self._found_below(visit.path)
        handler = methods.get(visit.request.method)
        if handler is None:
            raise MethodNotAllowed(visit.request.method, list(methods))
        await self._admit(visit)
        return await handler(visit)

    def _found_below(self, path: str) -> Mapping[str, Handler]:
        for prefix, methods in self._below.items():
            if path.startswith(prefix) and path != prefix:
                return methods
        if path.rstrip("/") in self._exact:
            return self._exact[path.rstrip("/")]
        raise NotFound(f"There is nothing at {path}.", code="unknown_url")

    async def _admit(self, visit: Visit) -> None:
        """Look the key up; one that is unknown is looked up again in a snapshot read after it came.

        Anthropic's header wins over the other, as at Anthropic: the other may hold what the platform wants to see.
        """
        mark = fingerprint(visit.header(b"x-api-key") or bearer(visit.header(b"authorization")))
        visit.snapshot = await self._live.get()
        grant = visit.snapshot.keys.get(mark)
        if grant is None:
            visit.snapshot = await self._live.renewed()
            grant = visit.snapshot.keys.get(mark)
        visit.grant = admit(grant, self._scope, now=time.time())
        visit.key = mark[:12]


async def body_of(visit: Visit, *, limit: int) -> bytes:
    """The request's body. Raises TooLarge, ClientLeft, BadInput (compressed)."""
    if (coding := visit.header(b"content-encoding")) not in {None, "identity"}:
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


def _request_ids() -> Iterator[str]:
    """``req-…`` without end. Randomness is fetched for many at a time, because each fetch is a system call."""
    while True:
        drawn = secrets.token_hex(_ID_BYTES * _IDS_AT_ONCE)
        for start in range(0, len(drawn), 2 * _ID_BYTES):
            yield f"req-{drawn[start : start + 2 * _ID_BYTES]}"


@lru_cache(maxsize=1024)
def _shown(target: Target) -> bytes:
    """A target's name for callers, as a header bears it."""
    return shown(target).encode("ascii", "replace")


def _leave_the_garbage() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor look so often.

    Its full rounds over all modules are what the slowest requests waited for. An answer leaves no garbage of its own,
    and to look among a thousand open streams for what others left makes them all stand still.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _severity(status: int) -> Severity:
    return "ERROR" if status >= FAULTS_OF_OURS else "INFO"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
