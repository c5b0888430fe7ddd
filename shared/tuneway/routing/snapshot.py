"""The snapshot: all that ``predict`` needs to answer, in one versioned document.

A change to a route or a key commits its own document and the next snapshot together, so the two never disagree.
"""

from collections.abc import Callable

import msgspec

from tuneway.access.keys import Grant
from tuneway.errors import Conflict
from tuneway.ports import Create, Document, Documents, Key, Replace, Write
from tuneway.routing.routes import Route

SNAPSHOT = Key("snapshots", "routes")
ATTEMPTS = 20


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Routes by alias and grants by key fingerprint; ``version`` rises by one with every change.

    ``places`` says whose a place is that a tenant's model answers at, whether a route leads there or not.
    """

    version: int = 0
    routes: dict[str, Route] = {}
    keys: dict[str, Grant] = {}
    places: dict[str, str] = {}

    def with_route(self, route: Route) -> "Snapshot":
        """The snapshot with this route added or replaced."""
        return msgspec.structs.replace(self, routes={**self.routes, route.alias: route})

    def without_route(self, alias: str) -> "Snapshot":
        """The snapshot with no such alias."""
        return msgspec.structs.replace(self, routes={a: r for a, r in self.routes.items() if a != alias})

    def with_place(self, place: str, owner: str) -> "Snapshot":
        """The snapshot with this place known as the owner's."""
        return msgspec.structs.replace(self, places={**self.places, place: owner})

    def without_place(self, place: str) -> "Snapshot":
        """The snapshot with this place nobody's."""
        return msgspec.structs.replace(self, places={p: owner for p, owner in self.places.items() if p != place})

    def with_key(self, fingerprint: str, grant: Grant) -> "Snapshot":
        """The snapshot with this key admitted."""
        return msgspec.structs.replace(self, keys={**self.keys, fingerprint: grant})

    def without_key(self, fingerprint: str) -> "Snapshot":
        """The snapshot with this key refused."""
        return msgspec.structs.replace(self, keys={f: g for f, g in self.keys.items() if f != fingerprint})


def from_json(body: bytes | str) -> Snapshot:
    """Decode a snapshot's JSON. Raises msgspec.DecodeError when it is broken."""
    return msgspec.json.decode(body, type=Snapshot)


def current(documents: Documents) -> Snapshot:
    """The snapshot now; an empty one before the first change."""
    found = documents.get(SNAPSHOT)
    return from_json(str(found.fields["body"])) if found else Snapshot()


def change(documents: Documents, apply: Callable[[Snapshot], Snapshot], *writes: Write) -> Snapshot:
    """Commit ``writes`` and the snapshot that ``apply`` makes of the current one, together; the new snapshot.

    Raises Conflict when one of ``writes`` is stale itself, or when others keep changing the snapshot first.
    """
    for attempt in range(ATTEMPTS):
        found = documents.get(SNAPSHOT)
        before = from_json(str(found.fields["body"])) if found else Snapshot()
        after = msgspec.structs.replace(apply(before), version=before.version + 1)
        try:
            documents.commit(*writes, _write(found, after))
        except Conflict:
            if attempt == ATTEMPTS - 1 or documents.get(SNAPSHOT) == found:
                raise
        else:
            return after
    raise Conflict("The routes keep changing. Try again.")


def _write(found: Document | None, snapshot: Snapshot) -> Create | Replace:
    fields: dict[str, object] = {"version": snapshot.version, "body": msgspec.json.encode(snapshot).decode()}
    return Replace(SNAPSHOT, fields, found.version) if found else Create(SNAPSHOT, fields)
