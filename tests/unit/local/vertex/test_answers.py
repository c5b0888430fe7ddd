"""What simulated models say: the nearest example, plausible values, tokens."""

import pytest

from tuneway.local.vertex.nearest import Nearest
from tuneway.local.vertex.schemas import sample
from tuneway.local.vertex.store import Example
from tuneway.local.vertex.tokens import first_tokens, tokens_in

EXAMPLES = [Example("the cat sat on the mat", b"1"), Example("the dog ran home", b"2"), Example("stars shine", b"3")]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("the dog ran home", b"2"),
        ("  The DOG   ran home ", b"2"),
        ("do stars ever sleep?", b"3"),
        ("where is the cat", b"1"),
        ("nothing alike", b"1"),
        ("", b"1"),
    ],
)
def test_the_nearest_example_answers(asked: str, answered: bytes) -> None:
    found = Nearest(EXAMPLES).find(asked)
    assert found is not None
    assert found.answer == answered


def test_the_first_of_two_same_prompts_answers() -> None:
    found = Nearest([Example("a", b"1"), Example("a", b"2")]).find("a")
    assert found is not None
    assert found.answer == b"1"


def test_no_examples_have_no_nearest() -> None:
    assert Nearest([]).find("x") is None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "STRING"}, "w"),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "boolean"}, False),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [0, 0]),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]}, {"b": "w"}),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": {}}),
    ],
)
def test_a_sample_fits_its_schema(schema: dict[str, object], value: object) -> None:
    assert sample(schema, words="w") == value


def test_tokens_are_four_characters() -> None:
    assert [tokens_in(text) for text in ("", "a", "four", "fours")] == [0, 1, 1, 2]
    assert tokens_in(first_tokens("a long sentence", 2)) == 2
