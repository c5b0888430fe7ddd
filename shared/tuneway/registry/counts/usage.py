"""Where requests are counted: which documents one goes into, and what is in them.

An hour of one owner's, key's, route's and target's requests is a few documents (*shards*), each request in the one its
id says: delivered again it meets its own mark there and is not counted twice. A shard remembers the last
``REMEMBERED`` requests, so no document grows with traffic.
"""

import hashlib
import zlib
from collections.abc import Iterator

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Delete, Documents, Key
from tuneway.registry.counts.tallies import ERROR, Request, Tally, tally_of
from tuneway.state import Collection

HOUR = 3600
SHARDS = 8
REMEMBERED = 10_000
MARK = 8  # letters of a request's mark: 48 bits, so that of 10,000 two meet once in five million shards
PAGE = 500
MOST_DOCUMENTS = 50_000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """One shard of an hour, which began ``at``. ``seen`` is the marks of the last requests, one after another."""

    owner: str
    key: str
    route: str
    target: str
    at: int
    tally: Tally = Tally()
    seen: str = ""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """One shard of what is counted for one target in one step of a canary."""

    target: str
    tally: Tally = Tally()
    seen: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one request adds to one document; ``fresh`` is that document before its first request."""

    key: Key
    fresh: Usage | Counted
    mark: str
    tally: Tally


def entries(request: Request) -> Iterator[Entry]:
    """All that the request adds: to its hour, and to the canary that its route is under."""
    yield _of_the_hour(request)
    if request.trial is not None:
        # A latency that holds a failed attempt's says nothing of the one who answered.
        own = Counted(target=request.target, tally=tally_of(request, timed=request.attempts == 1))
        yield _of_the_trial(request.trial, request.id, own)
        for number, target in enumerate(request.failed):
            yield _of_the_trial(request.trial, request.id, Counted(target=target, tally=ERROR), again=f"/{number}")


def added(kept: Usage | Counted, entry: Entry, total: Tally) -> Usage | Counted:
    """The document with the entry in it; ``total`` is what it holds then."""
    seen = (kept.seen + entry.mark)[-MARK * REMEMBERED :]
    return msgspec.structs.replace(kept, tally=total, seen=seen)


def has_seen(kept: Usage | Counted, mark: str) -> bool:
    """Whether this request stands in the document already."""
    at = kept.seen.find(mark)
    while at >= 0 and at % MARK:
        at = kept.seen.find(mark, at + 1)
    return at >= 0


def trial_of(mark: str) -> str:
    """The collection of what is counted under a canary's mark."""
    return f"trials/{mark}/tallies"


def counted_of(documents: Documents, mark: str) -> list[tuple[str, Counted]]:
    """What was counted under a canary's mark, with the documents' ids."""
    tallies = Collection(documents, f"trials/{mark}/tallies", Counted)
    return [(stored.id, stored.value) for stored in tallies.find()]


def forgotten(documents: Documents, mark: str) -> list[Delete]:
    """The writes that take all of it away."""
    return [Delete(Key(trial_of(mark), id_)) for id_, _ in counted_of(documents, mark)]


def hours(
    documents: Documents, *, start: float, end: float, owner: str | None = None, route: str | None = None
) -> list[Usage]:
    """The shards of the hours that begin in this time, of one owner or one route or all. Raises BadInput: too many."""
    kept = Collection(documents, "usage", Usage)
    found: list[Usage] = []
    after: str | None = None
    while True:
        if owner is not None:
            page = kept.find(
                ("owner", "==", owner), ("at", ">=", start), ("at", "<", end), order_by="at", after=after, limit=PAGE
            )
        elif route is not None:
            page = kept.find(
                ("route", "==", route), ("at", ">=", start), ("at", "<", end), order_by="at", after=after, limit=PAGE
            )
        else:
            page = kept.find(("at", ">=", start), ("at", "<", end), order_by="at", after=after, limit=PAGE)
        # Which requests were counted is what is large of a shard, and nobody reads it here.
        found += [msgspec.structs.replace(stored.value, seen="") for stored in page]
        if len(page) < PAGE:
            return found
        if len(found) >= MOST_DOCUMENTS:
            raise BadInput("That is more usage than one answer can hold. Ask for less time.", param="from")
        after = page[-1].id


def mark_of(text: str) -> str:
    """A request's mark."""
    digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
    return "".join(_LETTERS[(int.from_bytes(digest) >> 6 * place) & 63] for place in range(MARK))


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _of_the_hour(request: Request) -> Entry:
    hour = int(request.at // HOUR * HOUR)
    fresh = Usage(owner=request.owner, key=request.key, route=request.route, target=request.target, at=hour)
    whose = _digest(request.owner, request.key, request.route, request.target)
    key = Key("usage", f"{hour}-{whose}-{_shard(request.id)}")
    return Entry(key=key, fresh=fresh, mark=mark_of(request.id), tally=tally_of(request))


def _of_the_trial(trial: str, id_: str, one: Counted, *, again: str = "") -> Entry:
    key = Key(trial_of(trial), f"{_digest(one.target)}-{_shard(id_)}")
    return Entry(key=key, fresh=Counted(target=one.target), mark=mark_of(id_ + again), tally=one.tally)


def _shard(id_: str) -> int:
    return zlib.crc32(id_.encode()) % SHARDS


def _digest(*parts: str) -> str:
    """A name for all of them: model names hold slashes, which documents' names may not."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
