"""How the snapshot is cut into documents: whole while it is small, then into parts of which a change writes one.

Every name has its part by its checksum, so a part holds the same names until their number changes. The head says at
which version each part was written last: a reader fetches those that are newer than its own, and sees by it when one
was written over meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from zlib import crc32

import msgspec

from tuneway.access.keys import Grant
from tuneway.errors import BadInput
from tuneway.routing.routes import Route

T = TypeVar("T")
KIB = 1024
WHOLE = 512 * KIB  # half of what a document may hold
AIM = 64 * KIB  # read and decoded in about a millisecond
SPAN = (AIM // 4, 2 * AIM)  # of an average part, within which nothing is cut anew
LARGEST_PART = 960 * KIB
MOST_PARTS = 512
MOST = 8 * KIB * KIB  # Firestore takes 10 MiB in one commit: https://cloud.google.com/firestore/quotas (read 2026-11)


class Asleep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of a place where nothing answers for now: times in Unix seconds.

    Waking takes about ``seconds``. ``ready_at`` is when it will answer, once it is being woken; before, ``wakes_at`` is
    when it is woken by itself, and ``strict`` says that a call does not do it.
    """

    seconds: float
    ready_at: float | None = None
    wakes_at: float | None = None
    strict: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Routes by alias and grants by key fingerprint; ``version`` rises by one with every change.

    ``places`` says whose a place is that a tenant's model answers at, whether a route leads there or not, ``asleep``
    where nothing answers for now.
    """

    version: int = 0
    routes: dict[str, Route] = {}
    keys: dict[str, Grant] = {}
    places: dict[str, str] = {}
    asleep: dict[str, Asleep] = {}

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

    def with_sleep(self, place: str, asleep: Asleep) -> "Snapshot":
        """The snapshot with this place asleep."""
        return msgspec.structs.replace(self, asleep={**self.asleep, place: asleep})

    def without_sleep(self, place: str) -> "Snapshot":
        """The snapshot with this place awake, if it is there at all."""
        return msgspec.structs.replace(self, asleep={p: said for p, said in self.asleep.items() if p != place})

    def with_key(self, fingerprint: str, grant: Grant) -> "Snapshot":
        """The snapshot with this key admitted."""
        return msgspec.structs.replace(self, keys={**self.keys, fingerprint: grant})

    def without_key(self, fingerprint: str) -> "Snapshot":
        """The snapshot with this key refused."""
        return msgspec.structs.replace(self, keys={f: g for f, g in self.keys.items() if f != fingerprint})


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the first document holds: all of it, or the version at which each part was written last."""

    version: int = 0
    parts: tuple[int, ...] = ()
    routes: dict[str, Route] = {}
    keys: dict[str, Grant] = {}
    places: dict[str, str] = {}
    asleep: dict[str, Asleep] = {}

    @property
    def whole(self) -> Snapshot:
        """The snapshot of a head that has no parts."""
        return Snapshot(
            version=self.version, routes=self.routes, keys=self.keys, places=self.places, asleep=self.asleep
        )


def from_json(body: bytes | str) -> Snapshot:
    """Decode a snapshot's or a part's JSON. Raises msgspec.DecodeError when it is broken."""
    return msgspec.json.decode(body, type=Snapshot)


def head_from_json(body: bytes | str) -> Head:
    """Decode the first document's JSON. Raises msgspec.DecodeError when it is broken."""
    return msgspec.json.decode(body, type=Head)


def joined(parts: Sequence[Snapshot], *, version: int) -> Snapshot:
    """The snapshot of which these are the parts."""
    whole = Snapshot(version=version)
    for part in parts:
        whole.routes.update(part.routes)
        whole.keys.update(part.keys)
        whole.places.update(part.places)
        whole.asleep.update(part.asleep)
    return whole


def cut(snapshot: Snapshot, *, before: int) -> list[bytes]:
    """The parts' JSON, of a snapshot that had so many ``before``; none when it is small enough to stay whole.

    Raises BadInput when no number of parts would do.
    """
    if before == 0:
        size = len(msgspec.json.encode(snapshot))
        return [] if size <= WHOLE else _cut_anew(snapshot, size)
    parts = _encoded(snapshot, before)
    size = sum(map(len, parts))
    if size <= WHOLE // 2:
        return []
    fine = SPAN[0] <= size // before <= SPAN[1] and max(map(len, parts)) <= LARGEST_PART
    return parts if fine and size <= MOST else _cut_anew(snapshot, size)


def _cut_anew(snapshot: Snapshot, size: int) -> list[bytes]:
    if size > MOST:
        raise _too_large(size)
    count = 2
    while count * AIM < size:
        count *= 2
    while count <= MOST_PARTS:
        parts = _encoded(snapshot, count)
        if max(map(len, parts)) <= LARGEST_PART:
            return parts
        count *= 2
    raise _too_long(snapshot) or _too_large(size)


def _encoded(snapshot: Snapshot, count: int) -> list[bytes]:
    kinds: Mapping[str, Sequence[Mapping[str, object]]] = {
        "routes": _dealt(snapshot.routes, count),
        "keys": _dealt(snapshot.keys, count),
        "places": _dealt(snapshot.places, count),
        "asleep": _dealt(snapshot.asleep, count),
    }
    return [msgspec.json.encode({name: hands[place] for name, hands in kinds.items()}) for place in range(count)]


def _dealt(values: Mapping[str, T], count: int) -> list[dict[str, T]]:
    hands: list[dict[str, T]] = [{} for _ in range(count)]
    for name, value in values.items():
        hands[crc32(name.encode()) % count][name] = value
    return hands


def _too_long(snapshot: Snapshot) -> BadInput | None:
    """What names the route that is larger than any part; None where it is not a route that is too large."""
    sizes = {alias: len(msgspec.json.encode(route)) for alias, route in snapshot.routes.items()}
    longest = max(sizes, key=lambda alias: sizes[alias], default="")
    if sizes.get(longest, 0) <= LARGEST_PART // 2:
        return None
    return BadInput(
        f"The route '{longest}' would have {sizes[longest]:,} bytes, and one may have about {LARGEST_PART:,}. Shorten "
        "its prompts, addresses or fallbacks.",
        param="alias",
        code="snapshot_too_large",
    )


def _too_large(size: int) -> BadInput:
    return BadInput(
        f"The routes and keys would have {size:,} bytes, more than the {MOST:,} that one change can publish. "
        "Take away routes and keys that nobody uses, or shorten the longest.",
        code="snapshot_too_large",
    )
