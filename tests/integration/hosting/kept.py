"""The state in memory, as far as the stories use it: versions that guard writes, and all writes or none."""

import operator
from collections.abc import Callable, Mapping

import msgspec

from tuneway.errors import AlreadyExists, Conflict
from tuneway.ports import Create, Delete, Document, Key, Put, Query, Replace, Where, Write

Scalar = str | int | float | bool
COMPARED: Mapping[str, Callable[[Scalar, Scalar], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class KeptDocuments:
    """``ports.Documents`` for one thread; it begins with what is in ``after``."""

    def __init__(self, after: "KeptDocuments | None" = None) -> None:
        self.kept: dict[Key, Document] = dict(after.kept) if after else {}
        self.commits: int = after.commits if after else 0

    def get(self, key: Key) -> Document | None:
        return self.kept.get(key)

    def find(self, query: Query) -> list[Document]:
        found = [each for each in self.kept.values() if each.key.collection == query.collection]
        found = [each for each in found if all(_holds(each, condition) for condition in query.where)]
        if query.order_by is not None:
            found = [each for each in found if _value(each, query.order_by) is not None]
        found.sort(key=lambda each: _place(each, query.order_by), reverse=query.descending)
        if query.after is not None:
            found = found[[each.key.id for each in found].index(query.after) + 1 :]
        return found[: query.limit]

    def commit(self, *writes: Write) -> None:
        assert len({write.key for write in writes}) == len(writes), "One document is written once in a commit."
        self.commits += 1
        after = dict(self.kept)
        for write in writes:
            _apply(after, write, str(self.commits))
        self.kept = after


def _apply(kept: dict[Key, Document], write: Write, version: str) -> None:
    there = kept.get(write.key)
    match write:
        case Delete():
            kept.pop(write.key, None)
            return
        case Create() if there is not None:
            raise AlreadyExists(f"{write.key} exists already.")
        case Replace(version=expected) if there is None or there.version != expected:
            raise Conflict(f"{write.key} was changed or removed meanwhile.")
        case Create() | Replace() | Put():
            fields = msgspec.json.decode(msgspec.json.encode(write.fields), type=dict[str, object])
            # As in Firestore, an equal rewrite keeps its version.
            same = there is not None and there.fields == fields
            kept[write.key] = there if there is not None and same else Document(write.key, fields, version)


def _holds(document: Document, condition: Where) -> bool:
    value = _value(document, condition.field)
    if not isinstance(value, Scalar) or type(value) is not type(condition.value):
        return False
    return COMPARED[condition.operator](value, condition.value)


def _place(document: Document, field: str | None) -> tuple[str | float, str]:
    value = _value(document, field) if field else ""
    assert isinstance(value, str | float | int)
    return value, document.key.id


def _value(document: Document, field: str) -> object:
    found: object = document.fields
    for name in field.split("."):
        found = msgspec.convert(found, dict[str, object]).get(name) if isinstance(found, dict) else None
    return found
