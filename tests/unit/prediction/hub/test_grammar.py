import copy
from typing import Any

import pytest
from anthropic import transform_schema
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.prediction.hub.grammar import grammatical

FREE = {"type": "object", "additionalProperties": False}


def told(schema: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy(schema)
    closed: dict[str, Any] = grammatical(schema, param="p")
    assert schema == before
    return closed


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object"}, FREE),
        ({"type": ["object", "null"]}, {"type": ["object", "null"], "additionalProperties": False}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "description": "{minimum: 1}"}),
        (
            {"type": "string", "description": "A name.", "minLength": 1, "maxLength": 9},
            {"type": "string", "description": "A name.\n\n{minLength: 1, maxLength: 9}"},
        ),
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
        ({"type": "string", "format": "binary"}, {"type": "string", "description": '{format: "binary"}'}),
        ({"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^a"}),
        ({"type": "array", "minItems": 1, "items": FREE}, {"type": "array", "minItems": 1, "items": FREE}),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "{minItems: 2}"}),
        ({"oneOf": [{"type": "object"}]}, {"anyOf": [FREE]}),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, {"anyOf": [FREE, {"type": "null"}]}),
        ({"$ref": "#/$defs/a", "title": "A"}, {"$ref": "#/$defs/a"}),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
            {"$ref": "#/$defs/a", "$defs": {"a": FREE}},
        ),
    ],
)
def test_a_schema_says_what_a_grammar_can(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert told(schema) == expected


def test_properties_may_be_named_like_keywords() -> None:
    properties = {"minimum": {"type": "string"}, "type": {"type": "string"}, "oneOf": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    assert told(schema) == schema


def test_values_are_no_schemas() -> None:
    schema = {"enum": [{"type": "object"}], "const": {"type": "object"}, "default": {"minimum": 1}}
    assert told(schema) == schema


def test_what_is_within_another_schema_is_closed_too() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "number", "multipleOf": 2}}}
    assert told({"type": "array", "items": inner})["items"] == {
        "type": "object",
        "properties": {"a": {"type": "number", "description": "{multipleOf: 2}"}},
        "additionalProperties": False,
    }


def test_an_object_that_takes_more_is_left_for_the_host_to_judge() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "object"}}
    assert told(schema) == {"type": "object", "additionalProperties": FREE}


def test_a_schema_without_a_floor_is_refused_by_its_name() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"items": deep}
    with pytest.raises(BadInput, match="nested too deeply") as caught:
        grammatical(deep, param="tools[0].function.parameters")
    assert caught.value.param == "tools[0].function.parameters"


LEAVES = st.sampled_from(
    [
        {"type": "integer", "minimum": 1},
        {"type": "string", "maxLength": 3, "format": "date"},
        {"type": "boolean"},
        {"type": "string", "format": "binary", "description": "Raw."},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one, "minItems": 2}, inner),
        st.builds(
            lambda many: {"type": "object", "properties": many, "required": [*many]},
            st.dictionaries(st.sampled_from("ab"), inner),
        ),
        st.builds(lambda many: {"anyOf": many}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=6,
)


def shape(schema: Any) -> Any:
    """A schema without the words of its descriptions: how constraints are put is each one's own."""
    if isinstance(schema, dict):
        return {name: name == "description" or shape(value) for name, value in schema.items()}
    return [shape(value) for value in schema] if isinstance(schema, list) else schema


@given(schema=SCHEMAS)
def test_anthropics_own_sdk_tells_the_same(schema: dict[str, Any]) -> None:
    assert shape(told(schema)) == shape(transform_schema(copy.deepcopy(schema)))
