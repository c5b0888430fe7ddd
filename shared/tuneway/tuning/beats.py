"""Places with so many running jobs that they are listed: when each is looked at next, and what was last seen there.

A *place* is a backend's location. What was seen of its jobs is kept in a few large documents, the *roll*: for each job
a short print of all that is worth a write, and how many of its events had been told. A listing that is held against
the roll shows what has changed without reading a single job.
"""

import re
import zlib
from collections.abc import Iterable

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import Documents, Message, ProviderJob, ProviderState, Topic, Write
from tuneway.state import Collection, Stored

# A document of Firestore holds 1 MiB; an entry has some 40 bytes.
SHARD = 20_000
FOREIGN = "-"
UNTAKEN = "?000"
TWENTIETHS = 20
LETTERS: dict[ProviderState, str] = {
    ProviderState.QUEUED: "q",
    ProviderState.RUNNING: "r",
    ProviderState.SUCCEEDED: "s",
    ProviderState.FAILED: "f",
    ProviderState.CANCELLED: "c",
}
WAITS = LETTERS[ProviderState.QUEUED]
_TOKEN = re.compile(r"[\w.-]{1,200}", re.ASCII)


class Place(msgspec.Struct, frozen=True):
    """A backend's location."""

    backend: str
    location: str

    @property
    def key(self) -> str:
        """Its document's id."""
        return f"{self.backend}:{self.location}"


class PlaceRef(msgspec.Struct, frozen=True):
    """What messages about a place carry: ``at`` is the time the look was due, by which it is known again."""

    place: Place
    at: float


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A place that is listed: when next, and how many seconds lie between two looks (``pace``).

    While a look is under way, ``claimed`` is the ``at`` of its message: delivered again, it may go on with it.
    ``failures`` counts the listings in a row that failed; ``asked`` is the last job asked for by itself meanwhile,
    when the time was too short for all. ``looks`` counts the looks at the place.
    """

    place: Place
    due: float
    pace: float
    watched: int = 0
    claimed: float | None = None
    failures: int = 0
    asked: str | None = None
    looks: int = 0


class Shard(msgspec.Struct, frozen=True):
    """Part of a roll: ``token=seen,token=seen``, one text, for Firestore would index every element of a list."""

    seen: str


class Seen(msgspec.Struct, frozen=True):
    """What was last seen of a job of ours: its print, and how many of its events were told by then."""

    print: str
    sequence: int

    def packed(self) -> str:
        """As it stands in a roll."""
        return f"{self.print}{self.sequence:x}"


def unpacked(text: str) -> Seen:
    """What ``packed`` made."""
    return Seen(text[:4], int(text[4:], 16))


def print_of(job: ProviderJob) -> str:
    """Four letters that differ when something worth a write does: the state always, all else in 4095 of 4096 cases."""
    told = f"{job.phase}|{job.epochs_done}|{_steps(job)}"
    return f"{LETTERS[job.state]}{zlib.crc32(told.encode()) & 0xFFF:03x}"


def is_token(text: str | None) -> bool:
    """Whether it may stand in a roll."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def look(beat: Beat) -> Message:
    """The message that has a place listed."""
    body = msgspec.json.encode(PlaceRef(beat.place, beat.due))
    return Message(topic=Topic.POLL_DUE, data=body, attributes={"place": beat.place.key})


def beats(documents: Documents) -> Collection[Beat]:
    """Every place that is listed."""
    return Collection(documents, "beats", Beat)


class Roll:
    """What was last seen of a place's jobs, by their tokens; ``save`` writes what was changed of it."""

    def __init__(self, documents: Documents, place: Place, *, shard: int = SHARD) -> None:
        self._documents = documents
        self._size = shard
        self._shards = Collection(documents, f"beats/{place.key}/shards", Shard)
        self._stored: dict[str, Stored[Shard]] = {each.id: each for each in self._shards.find()}
        self._held = {id_: _entries(stored.value) for id_, stored in self._stored.items()}
        self._changed: set[str] = set()

    def known(self) -> dict[str, str]:
        """Every token with what was seen, packed, or ``FOREIGN``."""
        return {token: seen for shard in self._held.values() for token, seen in shard.items()}

    def get(self, token: str) -> str | None:
        """What was seen of it, packed, or ``FOREIGN``; None when it was never seen."""
        id_ = self._shard_of(token)
        return None if id_ is None else self._held[id_][token]

    def put(self, token: str, seen: str) -> None:
        """Remember it, where it stands already or where there is room."""
        id_ = self._shard_of(token) or self._with_room()
        if self._held[id_].get(token) != seen:
            self._held[id_][token] = seen
            self._changed.add(id_)

    def drop(self, token: str) -> None:
        """Forget it."""
        id_ = self._shard_of(token)
        if id_ is not None:
            del self._held[id_][token]
            self._changed.add(id_)

    def save(self) -> None:
        """Write each shard that changed, by itself: together they may be too much. Raises Conflict when outrun."""
        for id_ in sorted(self._changed):
            self._documents.commit(self._write(id_))
            self._stored[id_] = self._shards.get(id_)
        self._changed = set()

    def gone(self) -> Iterable[Write]:
        """The writes that take the roll away."""
        return [self._shards.delete(id_) for id_ in self._stored]

    def _write(self, id_: str) -> Write:
        value = Shard(",".join(f"{token}={seen}" for token, seen in self._held[id_].items()))
        stored = self._stored.get(id_)
        return self._shards.create(id_, value) if stored is None else self._shards.replace(stored, value)

    def _shard_of(self, token: str) -> str | None:
        return next((id_ for id_, shard in self._held.items() if token in shard), None)

    def _with_room(self) -> str:
        for id_, shard in self._held.items():
            if len(shard) < self._size:
                return id_
        id_ = f"{len(self._held):04d}"
        self._held[id_] = {}
        return id_


def claimed(documents: Documents, ref: PlaceRef, *, now: float, seconds: float) -> Stored[Beat] | None:
    """The place's beat, kept from others for so long; None when it is not due, or somebody else was first.

    A message that is delivered again takes its own claim up: whoever had it before has died.
    """
    shelf = beats(documents)
    found = shelf.known(ref.place.key)
    if found is None or (found.value.due > now and found.value.claimed != ref.at):
        return None
    try:
        documents.commit(shelf.replace(found, msgspec.structs.replace(found.value, due=now + seconds, claimed=ref.at)))
    except Conflict:
        return None
    return shelf.get(found.id)


def _entries(shard: Shard) -> dict[str, str]:
    entries = (entry.partition("=") for entry in shard.seen.split(",") if entry)
    return {token: seen for token, _, seen in entries}


def _steps(job: ProviderJob) -> int:
    """How far it is, as coarsely as it is written down; where the end is unknown, in doublings."""
    done = job.steps_done or 0
    return done * TWENTIETHS // job.steps_total if job.steps_total else done.bit_length()
