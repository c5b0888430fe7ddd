"""Simulated vectors: the same everywhere, of length 1, near where words are shared."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tuneway.local.vertex.embeddings import vector


@given(some.text(min_size=1, max_size=200), some.integers(1, 3072))
def test_a_vector_has_its_size_and_a_length_of_one_or_none(said: str, size: int) -> None:
    values = vector(said, size)
    assert len(values) == size
    length = math.sqrt(sum(value * value for value in values))
    assert length == pytest.approx(1.0) or length == 0  # words may take from each other all that they add


def test_case_and_order_of_words_change_nothing() -> None:
    assert vector("Red shoes", 256) == vector("shoes RED", 256)
    assert vector("Red shoes", 256) != vector("Red hats", 256)


def test_a_vector_is_the_same_on_every_computer() -> None:
    assert [place for place, value in enumerate(vector("rain", 64)) if value] == [5, 11, 13, 34, 46, 54, 56, 63]
