"""Documents as typed collections: what a room reads and writes of the state."""

from typing import Generic, TypeVar

import msgspec

from tuneway.errors import NotFound, Stale
from tuneway.ports import Create, Delete, Documents, Key, Operator, Put, Query, Replace, Where

T = TypeVar("T")


class Stored(msgspec.Struct, Generic[T], frozen=True):
    """A value as it was read, with the version that guards its next write."""

    id: str
    value: T
    version: str


class Collection(Generic[T]):
    """Values of one type under one collection name."""

    def __init__(self, documents: Documents, name: str, kind: type[T]) -> None:
        self._documents = documents
        self._name = name
        self._kind = kind

    def get(self, id_: str) -> Stored[T]:
        """The value now. Raises NotFound."""
        found = self.known(id_)
        if found is None:
            raise NotFound(f"There is no {self._name}/{id_}.")
        return found

    def known(self, id_: str) -> Stored[T] | None:
        """The value now; None when there is none."""
        document = self._documents.get(Key(self._name, id_))
        if document is None:
            return None
        return Stored(id_, msgspec.convert(document.fields, self._kind), document.version)

    def find(
        self,
        *where: tuple[str, Operator, str | int | float | bool],
        order_by: str | None = None,
        descending: bool = False,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[Stored[T]]:
        """The values that match every condition, in order. Raises NotFound when ``after`` is gone."""
        query = Query(
            collection=self._name,
            where=tuple(Where(*condition) for condition in where),
            order_by=order_by,
            descending=descending,
            after=after,
            limit=limit,
        )
        return [
            Stored(found.key.id, msgspec.convert(found.fields, self._kind), found.version)
            for found in self._documents.find(query)
        ]

    def create(self, id_: str, value: T) -> Create:
        """The write that adds ``value``."""
        return Create(Key(self._name, id_), fields_of(value))

    def replace(self, stored: Stored[T], value: T) -> Replace:
        """The write that puts ``value`` in the place of what was read."""
        return Replace(Key(self._name, stored.id), fields_of(value), stored.version)

    def put(self, id_: str, value: T) -> Put:
        """The write that sets ``value`` whatever is there."""
        return Put(Key(self._name, id_), fields_of(value))

    def delete(self, id_: str) -> Delete:
        """The write that removes it."""
        return Delete(Key(self._name, id_))


def check_version(expected: int | None, current: int, *, what: str, there: object = None) -> None:
    """Whether an edit was made from what is there now; None edits whatever is there. Raises Stale.

    ``what`` names the thing, as in ``route 'prod'``, and ``there`` is it, for a caller who may see it. The write that
    follows is guarded by what was read, so that two edits from one version do not both succeed.
    """
    if expected is not None and expected != current:
        raise Stale(
            f"The {what} has changed: it is at version {current}, and this edit was made from version {expected}. "
            "Read it again and repeat the edit.",
            current=current,
            there=there,
            param="version",
        )


def fields_of(value: object) -> dict[str, object]:
    """A value in JSON's types, by the names of its fields: as documents hold it, and as answers are made of it."""
    return msgspec.convert(msgspec.to_builtins(value), dict[str, object])
