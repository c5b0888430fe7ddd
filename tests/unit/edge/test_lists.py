"""Lists as OpenAI writes them."""

import pytest

from tuneway.edge.lists import listed, page, page_size


def test_a_page_is_cut_to_its_limit() -> None:
    rows: list[dict[str, object]] = [{"id": n} for n in range(3)]
    assert page(rows, 2) == {"object": "list", "data": rows[:2], "has_more": True, "first_id": 0, "last_id": 1}
    assert page(rows, 3)["has_more"] is False


def test_a_page_of_nothing_has_texts_at_both_ends() -> None:
    assert page([], 2) == {"object": "list", "data": [], "has_more": False, "first_id": "", "last_id": ""}


def test_a_whole_list_says_nothing_of_pages() -> None:
    assert listed([1, 2]) == {"object": "list", "data": [1, 2]}


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("100", 100), ("007", 7), ("0", None), ("101", None), ("", None), ("-1", None), ("٣", None)],
)
def test_the_size_of_a_page_is_a_whole_number_in_its_bounds(text: str, size: int | None) -> None:
    assert page_size(text, most=100) == size


def test_a_number_of_thousands_of_digits_is_no_size() -> None:
    assert page_size("9" * 5000, most=100) is None
