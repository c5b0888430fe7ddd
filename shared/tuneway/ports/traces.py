"""The trace that the work at hand belongs to: the edge sets it, the bus carries it on."""

from contextvars import ContextVar

import msgspec

from tuneway.ports.events import Message

TRACEPARENT = "traceparent"


class Trace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A place in a trace, in W3C's words: ``id`` is 32 hex digits, ``span`` and ``parent`` are 16.

    ``span`` is what everything done here is a child of: our own span where spans are exported, else the caller's, which
    a caller may leave out. ``name`` is the trace's in Cloud Logging.
    """

    id: str
    span: str | None = None
    parent: str | None = None
    sampled: bool = False
    name: str = ""

    def header(self) -> str | None:
        """As a ``traceparent``: https://www.w3.org/TR/trace-context/ (level 1)."""
        return self.span and f"00-{self.id}-{self.span}-{self.sampled:02x}"


CURRENT: ContextVar[Trace | None] = ContextVar("tuneway_trace", default=None)


def carrying(message: Message) -> Message:
    """The message with the current trace in its attributes; one that bears a trace already, as a letter does, keeps it.

    CloudEvents have a name of their own for it, in the Pub/Sub binding with their prefix:
    https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md
    """
    trace = CURRENT.get()
    header = trace.header() if trace is not None else None
    if header is None or TRACEPARENT in message.attributes:
        return message
    told = {TRACEPARENT: header} | ({f"ce-{TRACEPARENT}": header} if "ce-specversion" in message.attributes else {})
    return msgspec.structs.replace(message, attributes={**message.attributes, **told})
