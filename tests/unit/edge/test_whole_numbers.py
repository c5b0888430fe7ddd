"""Whole numbers in addresses."""

import pytest

from tuneway.edge.whole_numbers import whole


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("100", 100), ("007", 7), ("0", None), ("101", None), ("", None), ("-1", None), ("٣", None)],
)
def test_the_size_of_a_page_is_a_whole_number_in_its_bounds(text: str, size: int | None) -> None:
    assert whole(text, least=1, most=100) == size


def test_a_number_of_thousands_of_digits_is_no_size() -> None:
    assert whole("9" * 5000, least=1, most=100) is None
