"""The asynchronous HTTP door: find the rule, check the key, call one use case; errors by the one table."""

import gc
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from tuneway.access.keys import Scope, admit, bearer, fingerprint
from tuneway.edge.errors import Answer, MethodNotAllowed, rendered, unforeseen
from tuneway.edge.replies import StreamReply, reply
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.turnstile import Turnstile
from tuneway.edge.visits import Visit
from tuneway.errors import NotFound, TunewayError
from tuneway.routing.live import LiveSnapshot

_IDS_AT_ONCE = 256
_ID_BYTES = 12
_BEGUN_A_TURN = 4  # about a millisecond's work
_WHERE = "A base_url ends in /v1 for OpenAI's clients, and before it for Anthropic's; GET /v1/models lists the models."

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
        self._streams = set[StreamReply]()
        self._turnstile = Turnstile(a_turn=_BEGUN_A_TURN, streams=self._streams)
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
        if isinstance(answer, StreamReply):  # which writes its line when it is over
            answer.open = self._streams
        else:
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
        asked = visit.request.method
        handler = methods.get("GET" if asked == "HEAD" else asked)  # servers keep the body of a HEAD's answer
        if handler is None:
            raise MethodNotAllowed(asked, list(methods))
        await self._admit(visit)
        return await handler(visit)

    def _found_below(self, path: str) -> Mapping[str, Handler]:
        for prefix, methods in self._below.items():
            if path.startswith(prefix) and path != prefix:
                return methods
        if path.rstrip("/") in self._exact:
            return self._exact[path.rstrip("/")]
        raise NotFound(f"There is nothing at {path}. {_WHERE}", code="unknown_url")

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


def _request_ids() -> Iterator[str]:
    """``req-…`` without end. Randomness is fetched for many at a time, because each fetch is a system call."""
    while True:
        drawn = secrets.token_hex(_ID_BYTES * _IDS_AT_ONCE)
        for start in range(0, len(drawn), 2 * _ID_BYTES):
            yield f"req-{drawn[start : start + 2 * _ID_BYTES]}"


def _leave_the_garbage() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor look so often.

    Its full rounds over all modules are what the slowest requests waited for. An answer leaves no garbage of its own,
    and to look among a thousand open streams for what others left makes them all stand still.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
