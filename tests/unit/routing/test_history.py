"""The history of routes: every change of whoever makes it is numbered, kept, and told field by field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.ports import Create, Key, Put
from tuneway.routing.history import KEPT, Entry, Mark, differences, entry_writes, versions
from tuneway.routing.routes import Limits, Route, Target
from tuneway.routing.snapshot import Snapshot, change, current
from tuneway.state import Collection

PLACE = "projects/p/locations/us/endpoints/"


def route(alias: str = "shop", *endpoints: int, **more: Any) -> Route:
    targets = tuple(Target(resource=f"{PLACE}{number}") for number in endpoints or (1,))
    return Route(alias=alias, targets=targets, created_at=1.0, **more)


def put(one: Route) -> Callable[[Snapshot], Snapshot]:
    return lambda snapshot: snapshot.with_route(one)


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


def entries(documents: SqliteDocuments, alias: str = "shop") -> list[Entry]:
    found = versions(documents, alias).find(order_by="number")
    return [stored.value for stored in found]


def test_every_change_is_numbered_and_kept_with_who_and_when(documents: SqliteDocuments) -> None:
    change(documents, put(route()), mark=Mark(by="ann"), now=lambda: 5.0)
    change(documents, put(route("shop", 2)), mark=Mark(by="bob", why="It is better."), now=lambda: 6.0)
    told = [(one.number, one.by, one.why, one.at) for one in entries(documents)]
    assert told == [(1, "ann", "", 5.0), (2, "bob", "It is better.", 6.0)]
    assert current(documents).routes["shop"] == entries(documents)[-1].route
    assert current(documents).routes["shop"].version == 2


def test_a_change_that_names_nobody_is_tuneways_own(documents: SqliteDocuments) -> None:
    change(documents, put(route()))
    assert [one.by for one in entries(documents)] == ["tuneway"]


def test_the_routes_own_document_says_what_the_snapshot_says(documents: SqliteDocuments) -> None:
    key = Key("routes", "shop")
    change(documents, put(route()), Create(key, {"alias": "old words"}))
    change(documents, put(route("shop", 2)))  # whoever leaves the document out has it written, too
    stored = Collection(documents, "routes", Route).get("shop").value
    assert stored == current(documents).routes["shop"]
    change(documents, lambda snapshot: snapshot.without_route("shop"))
    assert documents.get(key) is None


def test_the_same_again_is_no_version(documents: SqliteDocuments) -> None:
    change(documents, put(route()))
    change(documents, put(Route(alias="shop", targets=route().targets, created_at=9.0)), Put(Key("routes", "shop"), {}))
    assert [one.number for one in entries(documents)] == [1]
    assert Collection(documents, "routes", Route).get("shop").value.created_at == 1.0


def test_a_removed_route_keeps_its_history_and_goes_on_counting(documents: SqliteDocuments) -> None:
    change(documents, put(route()))
    change(documents, lambda snapshot: snapshot.without_route("shop"), mark=Mark(by="ann"))
    change(documents, put(route("shop", 2)))
    assert [(one.number, one.route is None) for one in entries(documents)] == [(1, False), (2, True), (3, False)]
    assert current(documents).routes["shop"].version == 3


def test_a_route_from_before_there_was_a_history_can_be_gone_back_to(documents: SqliteDocuments) -> None:
    old = Snapshot(version=4).with_route(route())
    body = msgspec.json.encode(old).decode()
    documents.commit(Create(Key("snapshots", "routes"), {"version": 4, "body": body}))
    change(documents, put(route("shop", 2)))
    first, _ = entries(documents)
    assert (first.number, first.at, first.route) == (0, 1.0, route())
    assert current(documents).routes["shop"].version == 1


def test_other_changes_leave_no_entry(documents: SqliteDocuments) -> None:
    change(documents, put(route()))
    change(documents, lambda snapshot: snapshot.with_place("us/endpoints/1", "acme"))
    assert [one.number for one in entries(documents)] == [1]


def test_what_is_very_old_is_forgotten(documents: SqliteDocuments) -> None:
    last = Entry(alias="shop", number=KEPT + 7, at=1.0, by="ann", route=route())
    keys = [write.key.id for write in entry_writes(documents, [last])]
    assert keys == [f"{KEPT + 7:06d}", "000007"]
    assert len(entry_writes(documents, [Entry(alias="shop", number=3, at=1.0, by="ann")])) == 1


def test_the_history_of_one_alias_is_its_own(documents: SqliteDocuments) -> None:
    for alias in ("a", "b"):
        change(documents, put(route(alias)))
    assert [one.alias for one in entries(documents, "a")] == ["a"]
    assert [one.alias for one in entries(documents, "b")] == ["b"]


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (route(), route(), []),
        (route(), route("shop", 2), ["targets[0].resource"]),
        (route(), route("shop", 1, 2), ["targets[1].resource"]),
        (route(), route(timeouts=Limits(total=5.0)), ["timeouts.total"]),
        (route(fallbacks=("a",)), route(fallbacks=("a", "b")), ["fallbacks"]),
        (route(), route(owner="acme", version=9), ["owner"]),
        (None, route(), ["targets[0].resource"]),
        (route(), None, ["targets[0].resource"]),
        (None, None, []),
    ],
)
def test_a_difference_names_its_field(before: Route | None, after: Route | None, fields: list[str]) -> None:
    assert [one.field for one in differences(before, after)] == fields


def test_a_difference_tells_both_sides() -> None:
    (found,) = differences(route(fallbacks=("a",)), route(fallbacks=("b", "c")))
    assert (found.field, found.before, found.after) == ("fallbacks", ("a",), ("b", "c"))
