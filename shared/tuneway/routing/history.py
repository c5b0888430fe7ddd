"""What a route was like before: one numbered entry a change, with who made it and when."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import msgspec

from tuneway.ports import Documents, Write
from tuneway.routing.fragments import Snapshot
from tuneway.routing.routes import Route
from tuneway.state import Collection, fields_of

KEPT = 1_000  # entries of each alias; a thousand small ones are less than a megabyte
_UNTOLD = frozenset({"alias", "created_at", "version"})


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes routes, and why where that says more than the change itself."""

    by: str = "tuneway"
    why: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a route: what it was from ``at`` on (Unix seconds); without ``route`` it was removed then."""

    alias: str
    number: int
    at: float
    by: str
    why: str = ""
    route: Route | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that two versions have differently; a side that does not have it is None."""

    field: str
    before: object = None
    after: object = None


def versions(documents: Documents, alias: str) -> Collection[Entry]:
    """The entries of an alias."""
    return Collection(documents, f"routes/{alias}/versions", Entry)


def entry_id(number: int) -> str:
    """The name of an entry's document."""
    return f"{number:06d}"


def same(one: Route, other: Route) -> bool:
    """Whether two routes differ in nothing but when they were put."""
    return msgspec.structs.replace(one, created_at=other.created_at, version=other.version) == other


def numbered(
    before: Snapshot, after: Snapshot, *, mark: Mark, at: float, last: Callable[[str], int]
) -> tuple[Snapshot, list[Entry]]:
    """``after`` with every changed route's new version, and the entries that tell of the changes.

    A route that is only put again stays as it was. ``last`` finds an alias's last number where it is not there now.
    """
    routes, entries = dict(after.routes), list[Entry]()
    for alias, route in after.routes.items():
        there = before.routes.get(alias)
        if there is route:
            continue
        if there is not None and same(route, there):
            routes[alias] = there
            continue
        entries += _forgotten(there)
        number = 1 + (last(alias) if there is None else there.version)
        routes[alias] = msgspec.structs.replace(route, version=number)
        entries.append(Entry(alias=alias, number=number, at=at, by=mark.by, why=mark.why, route=routes[alias]))
    for alias in before.routes.keys() - after.routes.keys():
        gone = before.routes[alias]
        entries += _forgotten(gone)
        entries.append(Entry(alias=alias, number=gone.version + 1, at=at, by=mark.by, why=mark.why))
    return msgspec.structs.replace(after, routes=routes), entries


def _forgotten(route: Route | None) -> list[Entry]:
    """The entry of a route from before they were kept, so that its first change can be taken back."""
    if route is None or route.version:
        return []
    return [Entry(alias=route.alias, number=0, at=route.created_at, by=Mark().by, route=route)]


def entry_writes(documents: Documents, entries: Iterable[Entry], *, kept: int = KEPT) -> list[Write]:
    """The writes that keep the entries, and forget what is older than ``kept``."""
    writes: list[Write] = []
    for entry in entries:
        there = versions(documents, entry.alias)
        writes.append(there.create(entry_id(entry.number), entry))
        if entry.number >= kept:
            writes.append(there.delete(entry_id(entry.number - kept)))
    return writes


def differences(before: Route | None, after: Route | None) -> list[Difference]:
    """What ``after`` has otherwise than ``before``, field by field: ``targets[0].weight``, ``timeouts.total``."""
    there, here = _leaves(before), _leaves(after)
    names = [*there, *(name for name in here if name not in there)]
    return [
        Difference(field=name, before=there.get(name), after=here.get(name))
        for name in names
        if there.get(name) != here.get(name)
    ]


def _leaves(route: Route | None) -> dict[str, object]:
    if route is None:
        return {}
    fields = fields_of(route)
    return dict(_below("", {name: value for name, value in fields.items() if name not in _UNTOLD}))


def _below(path: str, value: object) -> Iterator[tuple[str, object]]:
    match value:
        case dict():
            for name, inner in cast("Mapping[str, object]", value).items():
                yield from _below(f"{path}.{name}" if path else name, inner)
        case list() | tuple() if any(isinstance(inner, dict) for inner in cast("Iterable[object]", value)):
            for place, inner in enumerate(cast("Iterable[object]", value)):
                yield from _below(f"{path}[{place}]", inner)
        case _:
            yield path, value
