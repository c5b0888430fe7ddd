"""The asynchronous HTTP door: find the rule, check the key, call one use case; errors by the one table."""

import gc
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from tuneway.access.keys import Grant, Scope, admit, bearer, fingerprint
from tuneway.edge.errors import ClientLeft, MethodNotAllowed, TooLarge, rendered, unexpected
from tuneway.edge.logs import Logs, RequestLine, Severity
from tuneway.edge.replies import StreamReply, reply
from tuneway.errors import NotFound, TunewayError
from tuneway.routing.live import LiveSnapshot
from tuneway.routing.snapshot import Snapshot

FAULTS_OF_OURS = 500


class Visit:
    """One request under way: who asks, and what its log line will say."""

    __slots__ = (
        "asked",
        "estimated",
        "grant",
        "id",
        "key",
        "model",
        "path",
        "receive",
        "request",
        "snapshot",
        "started",
        "stream",
        "target",
        "tokens",
    )

    def __init__(self, request: Request) -> None:
        self.started = time.perf_counter()
        self.id = f"req-{secrets.token_hex(12)}"
        self.request = request
        self.path: str = request.scope["path"]
        self.receive: Receive = request.receive
        self.snapshot = Snapshot()
        self.grant: Grant | None = None
        self.key: str | None = None
        self.model: str | None = None
        self.target: str | None = None
        self.stream = False
        self.asked: float | None = None
        self.tokens: tuple[int, int] | None = None
        self.estimated = False

    def header(self, name: bytes) -> str | None:
        """The first header of that lower-case name; a framework's mapping costs ten times more."""
        for known, value in self.request.scope["headers"]:
            if known == name:
                text: str = value.decode("latin-1")
                return text
        return None

    def line(self, status: int, error: str | None = None) -> RequestLine:
        """What is worth knowing of this request now that it is over."""
        ended = time.perf_counter()
        read, written = self.tokens or (None, None)
        return RequestLine(
            severity=_severity(status),
            message="request",
            time=datetime.now(UTC),
            request=self.id,
            path=self.path,
            status=status,
            ms=_ms(ended - self.started),
            ms_upstream=None if self.asked is None else _ms(ended - self.asked),
            owner=self.grant.owner if self.grant else None,
            key=self.key,
            model=self.model,
            target=self.target,
            stream=self.stream,
            tokens_in=read,
            tokens_out=written,
            estimated=self.estimated,
            error=error,
        )


Handler = Callable[[Visit], Awaitable[Response]]
Rules = Mapping[str, Mapping[str, Handler]]


class AsyncDoor:
    """Answers requests by path and method; a path that ends in ``/`` stands for all below it."""

    def __init__(self, rules: Rules, live: LiveSnapshot, logs: Logs, *, scope: Scope) -> None:
        self._exact = {path: methods for path, methods in rules.items() if not path.endswith("/")}
        self._below = {path: methods for path, methods in rules.items() if path.endswith("/")}
        self._live = live
        self._logs = logs
        self._scope = scope
        _leave_the_garbage()

    async def __call__(self, request: Request) -> Response:
        """The answer; never raises for what a caller, a model's host or this code did."""
        visit = Visit(request)
        error: str | None = None
        try:
            answer: Response = await self._answer(visit)
        except TunewayError as fault:
            answer, error = reply(rendered(fault)), fault.code or type(fault).__name__
        except Exception as fault:  # noqa: BLE001  (the last net: a framework would answer in its own words)
            self._logs.note("ERROR", repr(fault), request=visit.id, trace=traceback.format_exc())
            answer, error = reply(unexpected()), "internal_error"
        answer.raw_headers.append((b"x-request-id", visit.id.encode()))
        if not isinstance(answer, StreamReply):  # a stream writes its line when it is over
            self._logs.write(visit.line(answer.status_code, error))
        return answer

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
        """Look the key up; one that is unknown is looked up again in a snapshot read after it came."""
        mark = fingerprint(bearer(visit.header(b"authorization")))
        visit.snapshot = await self._live.get()
        grant = visit.snapshot.keys.get(mark)
        if grant is None:
            visit.snapshot = await self._live.renewed()
            grant = visit.snapshot.keys.get(mark)
        visit.grant = admit(grant, self._scope, now=time.time())
        visit.key = mark[:12]


async def body_of(visit: Visit, *, limit: int) -> bytes:
    """The request's body. Raises TooLarge, ClientLeft."""
    declared = visit.header(b"content-length")
    if declared and declared.isdigit() and int(declared) > limit:
        raise TooLarge(limit)
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await visit.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft("The client left before its request was complete.", code="client_left")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(pieces[-1])
        if size > limit:
            raise TooLarge(limit)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _leave_the_garbage() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor look so often.

    Its full rounds over all modules are what the slowest requests waited for.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def _severity(status: int) -> Severity:
    return "ERROR" if status >= FAULTS_OF_OURS else "INFO"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
