"""Lists as OpenAI writes them."""

from tuneway.edge.lists import listed, page


def test_a_page_is_cut_to_its_limit() -> None:
    rows: list[dict[str, object]] = [{"id": n} for n in range(3)]
    assert page(rows, 2) == {"object": "list", "data": rows[:2], "has_more": True, "first_id": 0, "last_id": 1}
    assert page(rows, 3)["has_more"] is False


def test_a_page_of_nothing_has_texts_at_both_ends() -> None:
    assert page([], 2) == {"object": "list", "data": [], "has_more": False, "first_id": "", "last_id": ""}


def test_a_whole_list_says_nothing_of_pages() -> None:
    assert listed([1, 2]) == {"object": "list", "data": [1, 2]}
