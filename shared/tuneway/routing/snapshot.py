"""The snapshot: all that ``predict`` needs to answer, published with one version.

A change to a route or a key commits its own document, the route's history and the next snapshot together, so they
never disagree.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tuneway.errors import Conflict, TryLater
from tuneway.ports import Create, Delete, Document, Documents, Key, Put, Query, Replace, Write
from tuneway.routing.fragments import Snapshot, cut, from_json, head_from_json, joined
from tuneway.routing.history import Entry, Mark, entry_writes, numbered, versions
from tuneway.state import fields_of

__all__ = ["ATTEMPTS", "PARTS", "SNAPSHOT", "Mark", "Snapshot", "change", "current", "from_json", "part_key"]

SNAPSHOT = Key("snapshots", "routes")
PARTS = f"{SNAPSHOT.collection}/{SNAPSHOT.id}/parts"
ATTEMPTS = 20
LONGEST_PAUSE_MS = 200
_PATIENT_FROM = 3  # the first attempts follow at once: the one who was in the way is done


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    body: str


class _Published(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot as it was found, with what guards and spares the next write."""

    head: Document | None = None
    snapshot: Snapshot = Snapshot()
    parts: tuple[_Part, ...] = ()


def part_key(number: int) -> Key:
    """Where a part of the snapshot lies."""
    return Key(PARTS, f"{number:03d}")


def current(documents: Documents) -> Snapshot:
    """The snapshot now; an empty one before the first change. Raises TryLater."""
    return _published(documents).snapshot


def change(
    documents: Documents,
    apply: Callable[[Snapshot], Snapshot],
    *writes: Write,
    mark: Mark | None = None,
    now: Callable[[], float] = time.time,
) -> Snapshot:
    """Commit ``writes`` and the snapshot that ``apply`` makes of the current one, together; the new snapshot.

    What becomes of routes is numbered and kept in their history under ``mark``, and their own documents are written
    from the snapshot, whatever ``writes`` say of them but for their guards. Raises Conflict when one of ``writes`` is
    stale itself, or when others keep changing the snapshot first, and BadInput when it would be too large.
    """
    numbers = _Numbers(documents)
    for attempt in range(ATTEMPTS):
        found = _published(documents)
        before = found.snapshot
        settled, entries = numbered(before, apply(before), mark=mark or Mark(), at=now(), last=numbers.last)
        after = msgspec.structs.replace(settled, version=before.version + 1)
        own = _route_writes(writes, after, entries)
        try:
            documents.commit(*own, *entry_writes(documents, entries), *_snapshot_writes(found, after))
        except Conflict:
            if attempt == ATTEMPTS - 1 or documents.get(SNAPSHOT) == found.head:
                raise
            _pause(attempt)
        else:
            return after
    raise Conflict("The routes keep changing. Try again.")


class _Numbers:
    """The last numbers of aliases that lead nowhere now; each is looked up once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: dict[str, int] = {}

    def last(self, alias: str) -> int:
        """The number of the newest entry; 0 where there is none."""
        if alias not in self._known:
            newest = versions(self._documents, alias).find(order_by="number", descending=True, limit=1)
            self._known[alias] = newest[0].value.number if newest else 0
        return self._known[alias]


def _route_writes(writes: Sequence[Write], after: Snapshot, entries: Iterable[Entry]) -> list[Write]:
    """The given writes, those of routes with the routes as the snapshot has them; and what they leave out."""
    settled = [_settled(write, after) for write in writes]
    given = {write.key for write in writes}
    for entry in entries:
        key = Key("routes", entry.alias)
        if key not in given:
            given.add(key)
            there = after.routes.get(entry.alias)
            settled.append(Delete(key) if there is None else Put(key, fields_of(there)))
    return settled


def _settled(write: Write, after: Snapshot) -> Write:
    route = after.routes.get(write.key.id) if write.key.collection == "routes" else None
    if route is None or isinstance(write, Delete):
        return write
    return msgspec.structs.replace(write, fields=fields_of(route))


def _published(documents: Documents) -> _Published:
    """The snapshot with all its parts, of one version. Raises TryLater."""
    for attempt in range(ATTEMPTS):
        head = documents.get(SNAPSHOT)
        if head is None:
            return _Published()
        said = head_from_json(str(head.fields["body"]))
        if not said.parts:
            return _Published(head=head, snapshot=said.whole)
        parts = _parts(documents)
        if tuple(part.version for part in parts) == said.parts:
            fragments = [from_json(part.body) for part in parts]
            return _Published(head=head, snapshot=joined(fragments, version=said.version), parts=parts)
        _pause(attempt)
    raise TryLater("The routes change faster than they can be read. Try again.")


def _parts(documents: Documents) -> tuple[_Part, ...]:
    return tuple(msgspec.convert(document.fields, _Part) for document in documents.find(Query(collection=PARTS)))


def _snapshot_writes(found: _Published, after: Snapshot) -> list[Write]:
    """The head, and those parts that are not what they were."""
    bodies = [body.decode() for body in cut(after, before=len(found.parts))]
    kept = found.parts if len(bodies) == len(found.parts) else ()
    parts = [
        kept[place] if kept and kept[place].body == body else _Part(version=after.version, body=body)
        for place, body in enumerate(bodies)
    ]
    body = {"version": after.version, "parts": [part.version for part in parts]} if parts else after
    head: dict[str, object] = {"version": after.version, "body": msgspec.json.encode(body).decode()}
    return [
        Create(SNAPSHOT, head) if found.head is None else Replace(SNAPSHOT, head, found.head.version),
        *(Put(part_key(place), fields_of(part)) for place, part in enumerate(parts) if part.version == after.version),
        *(Delete(part_key(place)) for place in range(len(parts), len(found.parts))),
    ]


def _pause(attempt: int) -> None:
    """A moment by luck, so that those who met do not meet again."""
    if attempt >= _PATIENT_FROM:
        longest = min(2**attempt, LONGEST_PAUSE_MS)
        time.sleep((1 + secrets.randbelow(longest)) / 1000)
