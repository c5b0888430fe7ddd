"""The state: documents, their writes and queries."""

from typing import Literal, Protocol

import msgspec


class Key(msgspec.Struct, frozen=True):
    """Where a document lies: ``jobs`` + ``ftjob-1``, or ``jobs/ftjob-1/events`` + ``000001``."""

    collection: str
    id: str


class Document(msgspec.Struct, frozen=True):
    """A stored document and the version that guards its next write."""

    key: Key
    fields: dict[str, object]
    version: str


class Create(msgspec.Struct, frozen=True, tag=True):
    """Write a document that must not exist yet."""

    key: Key
    fields: dict[str, object]


class Replace(msgspec.Struct, frozen=True, tag=True):
    """Write over a document that must still have ``version``."""

    key: Key
    fields: dict[str, object]
    version: str


class Put(msgspec.Struct, frozen=True, tag=True):
    """Write a document whatever is there."""

    key: Key
    fields: dict[str, object]


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Remove a document; one that is not there is no error."""

    key: Key


Write = Create | Replace | Put | Delete
Operator = Literal["==", "<", "<=", ">", ">="]


class Where(msgspec.Struct, frozen=True):
    """One condition on a top-level or dotted field; documents without the field never match."""

    field: str
    operator: Operator
    value: str | int | float | bool


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one collection in a stated order: by ``order_by``, then by id, both in one direction.

    ``after`` is the id of the last document of the page before; an id that is gone raises NotFound.
    """

    collection: str
    where: tuple[Where, ...] = ()
    order_by: str | None = None
    descending: bool = False
    after: str | None = None
    limit: int | None = None


class Documents(Protocol):
    """The state: documents with guarded, atomic writes. Values are JSON types; a list never holds a list directly."""

    def get(self, key: Key) -> Document | None:
        """The document now, or None."""
        ...

    def find(self, query: Query) -> list[Document]:
        """The documents that match, in the query's order."""
        ...

    def commit(self, *writes: Write) -> None:
        """Do all writes or none. Raises AlreadyExists (Create), Conflict (Replace: stale, gone), TryLater (away)."""
        ...
