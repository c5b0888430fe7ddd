"""Routes by hand, each change in the snapshot it is committed with."""

from pathlib import Path

import pytest

from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, NotFound
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import current

ONE, TWO = (Target(resource=f"projects/p/locations/us/endpoints/{n}") for n in (1, 2))


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


@pytest.fixture
def book(documents: SqliteDocuments) -> RouteBook:
    return RouteBook(documents, now=lambda: 5.0)


def test_a_route_is_in_the_book_and_in_the_snapshot(book: RouteBook, documents: SqliteDocuments) -> None:
    route = book.put("shop", ONE, owner="acme")
    assert book.get("shop") == route == current(documents).routes["shop"]
    assert (route.target, route.owner, route.created_at) == (ONE, "acme", 5.0)


def test_a_route_put_again_leads_elsewhere(book: RouteBook, documents: SqliteDocuments) -> None:
    book.put("shop", ONE, owner="acme")
    book.put("shop", TWO, owner=None)
    assert [(route.target, route.owner) for route in book.list()] == [(TWO, None)]
    assert current(documents).version == 2


def test_a_removed_route_is_gone_from_both(book: RouteBook, documents: SqliteDocuments) -> None:
    book.put("shop", ONE, owner=None)
    book.put("other", ONE, owner=None)
    book.remove("shop")
    assert set(current(documents).routes) == {route.alias for route in book.list()} == {"other"}
    with pytest.raises(NotFound):
        book.remove("shop")


@pytest.mark.parametrize("alias", ["a", "A.b_c-9", "ft:base:acme::1", "gemini@prod", "x" * 128])
def test_a_good_alias(book: RouteBook, alias: str) -> None:
    assert book.put(alias, ONE, owner=None).alias == alias


@pytest.mark.parametrize("alias", ["", "1", "123", "-a", ".a", "a/b", "a b", "é", "a\n", "x" * 129, "a?b", "a%2fb"])
def test_a_bad_alias_is_refused(book: RouteBook, alias: str) -> None:
    with pytest.raises(BadInput) as refused:
        book.put(alias, ONE, owner=None)
    assert refused.value.param == "alias"
    assert book.list() == []
