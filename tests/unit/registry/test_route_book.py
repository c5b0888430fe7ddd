"""Routes by hand, each change in the snapshot it is committed with."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, NotFound
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current

ONE, TWO = (Target(resource=f"projects/p/locations/us/endpoints/{n}") for n in (1, 2))


def route(alias: str, target: Target = ONE, **more: Any) -> Route:
    return Route(alias=alias, targets=(target,), created_at=0.0, **more)


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


@pytest.fixture
def book(documents: SqliteDocuments) -> RouteBook:
    return RouteBook(documents, now=lambda: 5.0)


def test_a_route_is_in_the_book_and_in_the_snapshot(book: RouteBook, documents: SqliteDocuments) -> None:
    made = book.put(route("shop", owner="acme"))
    assert book.get("shop") == made == current(documents).routes["shop"]
    assert (made.targets, made.owner, made.created_at) == ((ONE,), "acme", 5.0)


def test_a_route_put_again_leads_elsewhere(book: RouteBook, documents: SqliteDocuments) -> None:
    book.put(route("shop", owner="acme"))
    book.put(route("shop", TWO))
    assert [(one.targets, one.owner) for one in book.list()] == [((TWO,), None)]
    assert current(documents).version == 2


def test_a_removed_route_is_gone_from_both(book: RouteBook, documents: SqliteDocuments) -> None:
    book.put(route("shop"))
    book.put(route("other"))
    book.remove("shop")
    assert set(current(documents).routes) == {one.alias for one in book.list()} == {"other"}
    with pytest.raises(NotFound):
        book.remove("shop")


@pytest.mark.parametrize("alias", ["a", "A.b_c-9", "ft:base:acme::1", "gemini@prod", "x" * 128])
def test_a_good_alias(book: RouteBook, alias: str) -> None:
    assert book.put(route(alias)).alias == alias


@pytest.mark.parametrize("alias", ["", "1", "123", "-a", ".a", "a/b", "a b", "é", "a\n", "x" * 129, "a?b", "a%2fb"])
def test_a_bad_alias_is_refused(book: RouteBook, alias: str) -> None:
    with pytest.raises(BadInput) as refused:
        book.put(route(alias))
    assert refused.value.param == "alias"
    assert book.list() == []


@pytest.mark.parametrize("kind", ["fallbacks", "context_fallbacks", "content_fallbacks"])
def test_fallbacks_that_lead_back_are_refused(book: RouteBook, kind: str) -> None:
    book.put(route("a", fallbacks=("b", "vertex_ai/gemini-3.5-flash")))
    book.put(route("b", context_fallbacks=("c",)))
    for alias in ("c", "b"):
        with pytest.raises(BadInput) as refused:
            book.put(msgspec.structs.replace(route(alias), **{kind: ("d", "a")}))
        assert refused.value.param == "fallbacks"
    assert {one.alias for one in book.list()} == {"a", "b"}


def test_fallbacks_may_meet_again(book: RouteBook) -> None:
    book.put(route("b", fallbacks=("d",)))
    book.put(route("c", fallbacks=("d",)))
    assert book.put(route("a", fallbacks=("b", "c"))).fallbacks == ("b", "c")


def test_several_routes_are_one_change_and_may_lead_to_each_other(book: RouteBook, documents: SqliteDocuments) -> None:
    book.put(route("b", fallbacks=("a",)))
    book.put_all([route("a", fallbacks=("b",)), route("b")])  # together they lead nowhere back
    assert current(documents).version == 2
    book.put_all([route("a", fallbacks=("b",)), route("b")])
    assert current(documents).version == 2


@pytest.mark.parametrize("bad", [route("b", fallbacks=("a",)), route("a/b")])
def test_of_several_routes_all_or_none_are_put(book: RouteBook, bad: Route) -> None:
    with pytest.raises(BadInput):
        book.put_all([route("a", fallbacks=("b",)), bad])
    assert book.list() == []


def test_more_routes_than_one_change_holds_are_refused(book: RouteBook) -> None:
    with pytest.raises(BadInput):
        book.put_all([route(f"r{number}") for number in range(401)])
