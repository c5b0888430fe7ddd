"""The moments of a story at which something can go wrong: each write, each publication, each call of a provider."""

from collections.abc import Callable
from enum import StrEnum
from typing import NoReturn, TypeVar

from tests.fakes import Crash
from tuneway.errors import Conflict, TryLater
from tuneway.ports import Document, Documents, Key, Message, Query, Write

T = TypeVar("T")


class Fault(StrEnum):
    """What goes wrong at a point."""

    DIES_BEFORE = "the process dies before"
    DIES_AFTER = "the process dies after"
    LOST = "done, and the answer is lost"
    AWAY = "not done, away for the moment"
    STALE = "not done, somebody else was first"
    REFUSED = "not done, refused"
    VISITED_BEFORE = "somebody else acts just before"
    VISITED_AFTER = "somebody else acts just after"
    VISITED_DIES = "the process dies after, and somebody else acts"


class Socket(StrEnum):
    """What a point is a use of."""

    WRITE = "write"
    PUBLICATION = "publish"
    CALL = "call"
    LOOK = "look"


EVERYWHERE = frozenset({Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.LOST, Fault.AWAY})
VISITS = frozenset({Fault.VISITED_BEFORE, Fault.VISITED_AFTER, Fault.VISITED_DIES})
DEADLY = frozenset({Fault.DIES_AFTER, Fault.VISITED_DIES})
POSSIBLE = {
    Socket.WRITE: EVERYWHERE | VISITS | {Fault.STALE},
    Socket.PUBLICATION: EVERYWHERE | VISITS,
    Socket.CALL: EVERYWHERE | VISITS | {Fault.STALE, Fault.REFUSED},
    # A look changes nothing: to die before it or after it, or once somebody else has acted, is one and the same, as is
    # whether its answer is lost or the provider away or busy.
    Socket.LOOK: frozenset({Fault.DIES_AFTER, Fault.LOST, Fault.REFUSED, Fault.VISITED_BEFORE, Fault.VISITED_AFTER}),
}


class Points:
    """Counts the points, and at number ``at`` lets ``fault`` happen; a visit is ``visitor``."""

    def __init__(self, at: int = 0, fault: Fault | None = None) -> None:
        self.at = at
        self.fault = fault
        self.visitor: Callable[[], object] = lambda: None
        self.watch: Callable[[], object] = lambda: None
        self.passed: list[tuple[Socket, str]] = []

    def through(self, socket: Socket, name: str, deed: Callable[[], T], *, instead: Callable[[Fault], T]) -> T:
        """What came of ``deed``; ``instead`` gives or raises what is seen of a deed that was lost, or not done."""
        self.passed.append((socket, name))
        fault = self.fault if len(self.passed) == self.at else None
        try:
            return self._met(fault, deed, instead)
        finally:
            if socket is not Socket.LOOK:
                self.watch()

    def _met(self, fault: Fault | None, deed: Callable[[], T], instead: Callable[[Fault], T]) -> T:
        match fault:
            case None:
                return deed()
            case Fault.AWAY | Fault.STALE | Fault.REFUSED:
                return instead(fault)
            case Fault.LOST:
                deed()
                return instead(fault)
            case Fault.DIES_BEFORE:
                raise Crash
            case Fault.VISITED_BEFORE:
                self.visitor()
                return deed()
            case Fault.DIES_AFTER | Fault.VISITED_AFTER | Fault.VISITED_DIES:
                return self._afterwards(fault, deed())

    def _afterwards(self, fault: Fault, done: T) -> T:
        if fault in VISITS:
            self.visitor()
        if fault in DEADLY:
            raise Crash
        return done


class PointedDocuments:
    """A store whose every write is a point."""

    def __init__(self, inner: Documents, points: Points) -> None:
        self._inner = inner
        self._points = points

    def get(self, key: Key) -> Document | None:
        return self._inner.get(key)

    def find(self, query: Query) -> list[Document]:
        return self._inner.find(query)

    def commit(self, *writes: Write) -> None:
        name = ", ".join(f"{write.key.collection}/{write.key.id}" for write in writes)
        self._points.through(Socket.WRITE, name, lambda: self._inner.commit(*writes), instead=_unwritten)


class PointedEvents:
    """A bus whose every publication is a point; ``sent`` is what was published."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self.sent: list[Message] = []

    def publish(self, *messages: Message) -> None:
        if messages:
            name = ", ".join(message.topic for message in messages)
            deed = lambda: self.sent.extend(messages)  # noqa: E731 - one line where it is used
            self._points.through(Socket.PUBLICATION, name, deed, instead=_unsent)


def _unwritten(fault: Fault) -> NoReturn:
    if fault is Fault.STALE:
        raise Conflict("Somebody else wrote first.")
    raise TryLater(f"The state: {fault}.")


def _unsent(fault: Fault) -> NoReturn:
    raise TryLater(f"The bus: {fault}.")
