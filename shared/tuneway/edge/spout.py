"""A stream's events sent to the caller from within the reading of what arrives: no task wakes for them.

Through ASGI's ordinary ``send``: a server's ``send`` waits only for a client that reads too slowly. So it is begun
outside of any task, and a task takes over only where it did not come to its end at once. Nothing has to be known of the
server for that. Where the server is known, ``uvicorn_wire.py`` has a shorter way.
"""

from collections.abc import Awaitable, Coroutine, Generator
from typing import cast

from starlette.types import Receive, Send
from typing_extensions import override

from tuneway.edge.uvicorn_wire import Wire, wire_below

Steps = Coroutine[object, None, None]


class Spout:
    """``ports.Take`` of a stream's events; ``last`` is what was sent last."""

    __slots__ = ("_send", "last")

    def __init__(self, send: Send, first: bytes) -> None:
        self._send = send
        self.last = first

    def take(self, events: bytes) -> Awaitable[object] | None:
        """Send them."""
        self.last = events
        return begun(cast("Steps", self._send({"type": "http.response.body", "body": events, "more_body": True})))


def spout_of(receive: Receive, send: Send, *, first: bytes) -> Spout | Wire:
    """The shortest way to the caller, to whom the head and ``first`` have been sent."""
    return wire_below(receive, first) or Spout(send, first)


def begun(steps: Steps) -> Awaitable[None] | None:
    """Run a coroutine up to where it first has to wait: None when it came to its end, else what is left of it."""
    try:
        waits_for = steps.send(None)
    except StopIteration:
        return None
    return _Begun(steps, waits_for)


class _Begun(Awaitable[None]):
    """The rest of a coroutine, to be awaited in a task."""

    def __init__(self, steps: Steps, waits_for: object) -> None:
        self._steps = steps
        self._waits_for = waits_for

    @override
    def __await__(self) -> Generator[object, None, None]:
        try:
            yield self._waits_for
            yield from self._steps.__await__()
        finally:
            self._steps.close()  # whoever is cancelled leaves nothing half done
