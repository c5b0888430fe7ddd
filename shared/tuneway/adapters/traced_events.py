"""Events that bear the trace of the request or event that they come from."""

from tuneway.ports import Events, Message
from tuneway.ports.traces import carrying


class TracedEvents:
    """``ports.Events`` over another: every message takes the current trace along."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def publish(self, *messages: Message) -> None:
        """As the other one's. Raises BadInput, TryLater."""
        self._events.publish(*map(carrying, messages))
