"""A fake vendor: it records what is asked, refuses what the vendor refuses, and answers as it is told."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from tests.vendors.listening import Heard, echo
from tests.vendors.script import PLAIN, Answer, Error, Manner, Raw, Reply
from tests.vendors.serving import Connections, reset, serving

DONE = b"data: [DONE]\n\n"


class Refused(Exception):
    """What the vendor answers instead of a model's words."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived. ``body`` is decoded JSON, a form's fields, or None; ``left`` is set when the caller
    went away before the answer was complete, ``ended`` when the answer was over for whatever reason."""

    method: str
    path: str
    raw_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any
    parameters: Mapping[str, str] = field(default_factory=dict)
    left: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Wire(Protocol):
    """One surface of one vendor: pure functions between its bytes and the script's words."""

    stream_kind: str

    def read(self, asked: Asked) -> Asked:
        """The request with its body in one spelling, where the vendor takes several."""
        return asked

    def check(self, asked: Asked, fake: "Fake") -> None:
        """Raises Refused as the vendor would."""

    def heard(self, asked: Asked) -> Heard: ...
    def streams(self, asked: Asked) -> bool: ...
    def whole(self, asked: Asked, reply: Reply) -> object: ...
    def events(self, asked: Asked, reply: Reply) -> list[bytes]: ...
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]: ...
    def broken(self, error: Error) -> bytes: ...


class Fake:
    """What tests hold: where it listens, what it was asked, and what it says next."""

    def __init__(self, *, key: str = "test-key", **facts: Any) -> None:
        self.key = key
        self.facts = facts
        self.url = ""
        self.connections = Connections()
        self.requests: list[Asked] = []
        self._next: deque[Answer] = deque()
        self._always: Answer | None = None

    def answers(self, *answers: Answer) -> None:
        """Say these next, one for each request that is not refused."""
        self._next.extend(answers)

    def always(self, answer: Answer | None) -> None:
        """Say this whenever nothing else is waiting; None echoes again."""
        self._always = answer

    def upcoming(self) -> Answer | None:
        """What was told to come next; taken by asking."""
        return self._next.popleft() if self._next else self._always

    @property
    def bodies(self) -> list[Any]:
        return [asked.body for asked in self.requests]


Build = Callable[[Fake], list[Route]]


@contextmanager
def running(fake: Fake, build: Build) -> Iterator[Fake]:
    """The fake, listening for the length of the block."""
    with serving(Starlette(routes=build(fake))) as served:
        fake.url, fake.connections = served.url, served.connections
        yield fake


def route(fake: Fake, path: str, wire: Wire) -> Route:
    """A POST to a model."""

    async def answer(request: Request) -> Response:
        asked = await recorded(fake, request)
        return answered(asked, fake, wire)

    return Route(path, answer, methods=["POST"])


def told(asked: Asked, fake: Fake, wire: Wire) -> "Delivery | None":
    """What was told to come next where it is no model's words: for surfaces that answer none."""
    match fake.upcoming():
        case Error() as error:
            return _failed(asked, wire, error)
        case Raw() as raw:
            return _raw(asked, raw)
        case _:
            return None


async def recorded(fake: Fake, request: Request) -> Asked:
    """The request, noted down."""
    raw = await request.body()
    asked = Asked(
        method=request.method,
        path=request.url.path,
        raw_path=request.scope["raw_path"].decode(),
        query=dict(request.query_params),
        headers=dict(request.headers),
        raw=raw,
        body=_decoded(raw, request.headers.get("content-type", "")),
        parameters={name: str(value) for name, value in request.path_params.items()},
    )
    fake.requests.append(asked)
    return asked


def _decoded(raw: bytes, kind: str) -> Any:
    if kind.startswith("application/x-www-form-urlencoded"):
        return {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def answered(asked: Asked, fake: Fake, wire: Wire) -> "Delivery":
    """The answer to one request: a refusal, what was told, or an echo."""
    try:
        asked = wire.read(asked)
        wire.check(asked, fake)
        answer = fake.upcoming() or echo(wire.heard(asked))
        match answer:
            case Error():
                return _failed(asked, wire, answer)
            case Raw():
                return _raw(asked, answer)
            case Reply():
                return _replied(asked, wire, answer)
    except Refused as refused:
        return _failed(asked, wire, refused.error)


def _replied(asked: Asked, wire: Wire, reply: Reply) -> "Delivery":
    if not wire.streams(asked):
        return Delivery(asked, [encoded(wire.whole(asked, reply))], manner=reply.manner)
    parts = wire.events(asked, reply)
    if wire.stream_kind.startswith("text/event-stream"):
        parts = _styled(parts, reply.manner)
    if reply.manner.broken is not None:
        parts = [*parts[: reply.manner.broken], wire.broken(Error(503))]
    return Delivery(asked, parts, kind=wire.stream_kind, manner=reply.manner, streamed=True)


def _failed(asked: Asked, wire: Wire, error: Error) -> "Delivery":
    body, headers = wire.failed(error)
    waiting = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    parts = [body if isinstance(body, bytes) else encoded(body)]
    return Delivery(
        asked, parts, status=error.status, headers={**headers, **waiting, **error.headers}, manner=error.manner
    )


def _raw(asked: Asked, raw: Raw) -> "Delivery":
    return Delivery(
        asked, raw.body, status=raw.status, kind=raw.kind, headers=raw.headers, manner=raw.manner, streamed=True
    )


def _styled(events: list[bytes], manner: Manner) -> list[bytes]:
    """Server-sent events as the manner has them written."""
    kept = [event for event in events if manner.done or event != DONE]
    if manner.comments:
        kept = [b": keep-alive\n\n" + event for event in kept]
    return [event.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for event in kept] if manner.crlf else kept


def encoded(value: object) -> bytes:
    """JSON as servers send it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Delivery(Response):
    """An answer on its way, in its manner."""

    def __init__(
        self,
        asked: Asked,
        parts: Iterable[bytes],
        *,
        status: int = 200,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
        manner: Manner = PLAIN,
        streamed: bool = False,
    ) -> None:
        self.asked, self.parts, self.manner = asked, parts, manner
        sized = {} if streamed else {"content-length": str(sum(map(len, parts)))}
        named = {"content-type": kind, "x-request-id": "req_of_the_fake", **sized, **(headers or {})}
        self.start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        }

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        delivering = asyncio.ensure_future(self._deliver(scope["state"]["transport"], send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({delivering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not delivering.done():
                self.asked.left.set()
        finally:
            delivering.cancel()
            leaving.cancel()
            await asyncio.gather(delivering, leaving, return_exceptions=True)
            self.asked.ended.set()

    async def _deliver(self, transport: asyncio.Transport, send: Send) -> None:
        await asyncio.sleep(self.manner.delay)
        if await self._ended(-1, transport):
            return
        await send(self.start)
        async for part in self._timed(transport):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if not transport.is_closing():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _timed(self, transport: asyncio.Transport) -> AsyncIterator[bytes]:
        sent = 0
        for sent, part in enumerate(self.parts):
            if await self._ended(sent, transport):
                return
            if self.manner.cut is not None and sent >= self.manner.cut:
                yield part[: len(part) // 2]
                transport.close()
                return
            size = self.manner.pieces or max(1, len(part))
            for at in range(0, len(part), size):
                yield part[at : at + size]
                await asyncio.sleep(self.manner.between)
        await self._ended(sent + 1, transport)

    async def _ended(self, sent: int, transport: asyncio.Transport) -> bool:
        """Whether this is where the answer stops short; a hang does not come back."""
        if self.manner.hang is not None and sent >= self.manner.hang:
            await asyncio.Event().wait()
        if self.manner.reset is not None and sent >= self.manner.reset:
            reset(transport)
            return True
        return False


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
