"""Documents that count what Firestore would bill, and a bus that keeps what it is given, for the polling benchmark.

A million jobs are not kept as documents: one that nobody has written since the beginning is made when it is read.
"""

from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import Create, Delete, Document, Key, Message, Put, Query, Replace, Where, Write
from tuneway.tuning.jobs import Job, JobId, dated


class Counted(msgspec.Struct):
    """What Firestore would bill, and how many commits there were."""

    reads: int = 0
    commits: int = 0
    written: int = 0


class Outbox:
    """A bus that keeps what was published until it is taken."""

    def __init__(self) -> None:
        self._sent: list[Message] = []

    def publish(self, *messages: Message) -> None:
        """Keep them."""
        self._sent.extend(messages)

    def taken(self) -> list[Message]:
        """All that came since the last time."""
        sent, self._sent = self._sent, []
        return sent


class MemoryDocuments:
    """``ports.Documents`` that count; a job that was never written is made by ``unwritten``."""

    def __init__(self, unwritten: Callable[[str], Job | None]) -> None:
        self.counted = Counted()
        self._unwritten = unwritten
        self._held: dict[str, dict[str, tuple[dict[str, object], int]]] = {}
        self._version = 0

    def lay(self, path: str, value: Job) -> None:
        """Put a job there that somebody else wrote."""
        collection, _, id_ = path.rpartition("/")
        self._put(Key(collection, id_), _fields(dated(value)))

    def close(self, id_: JobId) -> None:
        """As the registry does once it has the model; not part of polling."""
        fields, _ = self._held["jobs"][id_]
        self._put(Key("jobs", id_), fields | {"open": False, "due": None})

    def get(self, key: Key) -> Document | None:
        """One read, found or not."""
        self.counted.reads += 1
        return self._at(key)

    def find(self, query: Query) -> list[Document]:
        """A read for each that is found, and one when none is."""
        held = self._held.get(query.collection, {})
        found = [id_ for id_, (fields, _) in held.items() if all(_fits(fields, where) for where in query.where)]
        if query.order_by is not None:
            by = query.order_by
            found.sort(key=lambda id_: (held[id_][0][by], id_))
        found = found[: query.limit]
        self.counted.reads += max(1, len(found))
        documents = [document for id_ in found if (document := self._at(Key(query.collection, id_)))]
        return documents or self._one_unwritten(query)

    def commit(self, *writes: Write) -> None:
        """All writes or none."""
        self.counted.commits += 1
        self.counted.written += len(writes)
        for write in writes:
            match write:
                case Replace(version=version) if (found := self._at(write.key)) is None or found.version != version:
                    raise Conflict(write.key.id)
                case Delete():
                    self._held.get(write.key.collection, {}).pop(write.key.id, None)
                case Create(fields=fields) | Replace(fields=fields) | Put(fields=fields):
                    self._put(write.key, fields)

    def _put(self, key: Key, fields: dict[str, object]) -> None:
        self._version += 1
        self._held.setdefault(key.collection, {})[key.id] = (fields, self._version)

    def _at(self, key: Key) -> Document | None:
        found = self._held.get(key.collection, {}).get(key.id)
        if found is not None:
            return Document(key, found[0], str(found[1]))
        job = self._unwritten(key.id) if key.collection == "jobs" else None
        return None if job is None else Document(key, _fields(dated(job)), "0")

    def _one_unwritten(self, query: Query) -> list[Document]:
        """Unwritten jobs are watched: they are due in days, so that one answers for all that are asked by limit."""
        if query.collection != "jobs" or query.limit != 1:
            return []
        found = self._at(Key("jobs", "ftjob-0"))
        return [] if found is None else [found]


def _fields(value: object) -> dict[str, object]:
    return msgspec.convert(msgspec.to_builtins(value), dict[str, object])


def _fits(fields: dict[str, object], where: Where) -> bool:
    held, asked = fields.get(where.field), where.value
    if not isinstance(held, (int, float)) or not isinstance(asked, (int, float)):
        return held == asked and where.operator == "=="
    compared = {"==": held == asked, "<": held < asked, "<=": held <= asked, ">": held > asked, ">=": held >= asked}
    return compared[where.operator]
