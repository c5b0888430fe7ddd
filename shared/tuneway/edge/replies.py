"""Answers on the wire, as lean ASGI applications: the prediction path has no room for a framework's responses."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from tuneway.edge.errors import Answer, ClientLeft
from tuneway.edge.spout import Spout, spout_of
from tuneway.edge.uvicorn_wire import Wire
from tuneway.prediction.events import Events

Headers = Sequence[tuple[bytes, bytes]]
JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
EVENTS: tuple[bytes, bytes] = (b"content-type", b"text/event-stream; charset=utf-8")
Ended = Callable[[int, str | None], None]
CLIENT_LEFT = 499
DONE = b"data: [DONE]\n\n"
LIVE: Headers = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


class Reply(Response):
    """A whole JSON answer."""

    def __init__(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Set what Response sets, at a tenth of the price."""
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [JSON, (b"content-length", b"%d" % len(body)), *headers]

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


class StreamReply(Response):
    """Server-sent events as they come: one arrival, one send; a client that leaves ends the generator.

    ``first`` has been waited for already, so that a fault before it could still be a status. ``ended`` is told the
    status and the fault, if any, once the last event is out; ``mark`` stands in the last piece of a whole stream. Who
    leaves after that has got all of it: SDKs hang up at the mark, and a host may take its time to end the body.
    It stands among the ``open`` ones while it is told.
    """

    def __init__(self, first: bytes, events: Events, *, ended: Ended, mark: bytes = DONE) -> None:
        self.status_code = 200
        self.body = b""
        self.background = None
        self.raw_headers = [EVENTS, *LIVE]
        self._first = self._last = first
        self._events = events
        self._ended = ended
        self._mark = mark
        self.open = set[StreamReply]()

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, fault = CLIENT_LEFT, "client_left"
        self.open.add(self)
        try:
            with Watch(receive):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": self._first, "more_body": True})
                await self._poured(spout_of(receive, send, first=self._first))
            # Not watched: a server calls a client with its answer gone.
            await send({"type": "http.response.body", "body": b""})
            status, fault = (200, "") if self._whole else (200, "upstream_broke")
        except ClientLeft:
            status, fault = (200, "") if self._whole else (CLIENT_LEFT, "client_left")
        except Exception:
            status, fault = 200, "internal_error"
            raise
        finally:
            self.open.discard(self)
            try:
                await self._events.aclose()
            finally:
                self._ended(status, fault or None)

    @property
    def _whole(self) -> bool:
        return self._mark in self._last

    async def _poured(self, spout: Spout | Wire) -> None:
        """All pieces but the first."""
        try:
            await self._events.pour(spout.take)
        finally:
            self._last = spout.last


class Watch:
    """Cancels the block, as ClientLeft, when the client hangs up; it looks at once, or when ``lookout`` says so."""

    __slots__ = ("_left", "_looking", "_lookout", "_receive", "_task", "due", "over")

    def __init__(self, receive: Receive, lookout: "Lookout | None" = None) -> None:
        self._receive = receive
        self._lookout = lookout
        self._left = False
        self._looking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[object] | None = None
        self.due = 0.0
        self.over = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._lookout is None:
            self.look()
        else:
            self._lookout.keep(self)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over = True
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None  # or the task's end, which holds its frame, and this would keep each other alive
        if self._left and self._task is not None and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise ClientLeft("The client left before its answer was complete.", code="client_left")

    def look(self) -> None:
        """Begin to look whether the client is there."""
        self._looking = asyncio.get_running_loop().create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        if self._task is not None:
            self._task.cancel()


class Lookout:
    """Lets watches begin ``after`` seconds: an answer that takes less is not worth the price of looking.

    One timer serves all: one for each would cost more than the rest of the watch. For one event loop.
    """

    def __init__(self, *, after: float) -> None:
        self._after = after
        self._kept: deque[Watch] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def keep(self, watch: Watch) -> None:
        """Let the watch begin in time, unless it is over by then."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        watch.due = self._loop.time() + self._after
        self._kept.append(watch)
        if self._timer is None:
            self._timer = self._loop.call_at(watch.due, self._begin, self._loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        now, kept = loop.time(), self._kept
        while kept and (kept[0].over or kept[0].due <= now):
            watch = kept.popleft()
            if not watch.over:
                watch.look()
        self._timer = loop.call_at(kept[0].due, self._begin, loop) if kept else None


def reply(answer: Answer, headers: Headers = ()) -> Reply:
    """An answer of the error table, on the wire."""
    own = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    return Reply(answer.status, answer.body, (*own, *headers))
