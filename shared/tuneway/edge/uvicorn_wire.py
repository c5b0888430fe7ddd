"""The client's connection below ASGI, where uvicorn serves with httptools, as it does in the cloud and locally.

Between a response and its connection stand four coroutines (Starlette's three around ``send``, and uvicorn's own). For
a whole answer that is nothing; for each of twenty thousand tokens a second it is a tenth of a core. Here is only what
uvicorn's ``send`` does with a piece of a body it has begun: one chunk of a chunked body, if the client is still there.
Beginning and ending an answer stay uvicorn's. Any other server, or a body of another form, goes the ordinary way.
"""

from collections.abc import Awaitable

from starlette.types import Receive
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tuneway.prediction.outlet import Held


class Wire:
    """``ports.Take`` of a stream's events; ``last`` is what was sent last."""

    __slots__ = ("_cycle", "_flow", "_write", "last")

    def __init__(self, cycle: RequestResponseCycle, first: bytes) -> None:
        self._cycle = cycle
        self._flow = cycle.flow
        self._write = cycle.transport.write
        self.last = first

    def take(self, events: bytes) -> Awaitable[object] | None:
        """Write them as one chunk; what to wait for when the client does not keep up."""
        self.last = events
        if not self._cycle.disconnected:
            self._write(b"%x\r\n%b\r\n" % (len(events), events))
        return Held(self._flow.drain) if self._flow.write_paused else None


def wire_below(receive: Receive, first: bytes) -> Wire | None:
    """The wire of an answer whose body has begun; None where this is not a chunked body of that server."""
    cycle = getattr(receive, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.chunked_encoding is not True or cycle.response_complete:
        return None
    return None if cycle.scope["method"] == "HEAD" else Wire(cycle, first)
