"""JSON bodies: whatever comes, it is a value or BadInput."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.edge.bodies import decoded
from tuneway.edge.fine_tuning.job_orders import CreateJob
from tuneway.edge.registry.route_bodies import PutRoute
from tuneway.edge.registry.rules import CreateKey
from tuneway.errors import BadInput

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(CreateJob.__struct_fields__) | st.text(), ANY_JSON, max_size=6)
KINDS = st.sampled_from([CreateJob, CreateKey, PutRoute])


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: int


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: list[Inner] = []
    words: dict[str, str] = {}


def refusal(body: bytes) -> BadInput:
    with pytest.raises(BadInput) as refused:
        decoded(body, Body)
    return refused.value


def made_of(body: bytes, kind: type[Any]) -> object:
    try:
        return decoded(body, kind)
    except BadInput as fault:
        return fault


@given(st.binary(max_size=60), KINDS)
def test_any_bytes_are_a_value_or_bad_input(body: bytes, kind: type[Any]) -> None:
    assert isinstance(made_of(body, kind), kind | BadInput)


@given(ANY_JSON | FIELDS, KINDS)
def test_any_json_is_a_value_or_bad_input(value: object, kind: type[Any]) -> None:
    assert isinstance(made_of(json.dumps(value).encode(), kind), kind | BadInput)


@pytest.mark.parametrize("depth", [100, 10_000, 200_000])
def test_a_body_nested_without_end_is_bad_input(depth: int) -> None:
    body = b'{"model":"m","training_file":"f","method":' + b"[" * depth + b"]" * depth + b"}"
    assert isinstance(made_of(body, CreateJob), CreateJob | BadInput)


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b'{"name": 1}', "name", "invalid_type"),
        (b'{"name": "x", "inner": [{"size": 1}, {"size": "big"}]}', "inner[1].size", "invalid_type"),
        (b'{"name": "x", "inner": [{"size": 1, "colour": 2}]}', "inner[0].colour", "unknown_parameter"),
        (b'{"name": "x", "inner": [{}]}', "inner[0].size", "missing_required_parameter"),
        (b'{"name": "x", "words": {"a": 1}}', "words[...]", "invalid_type"),
        (b'{"nam": "x"}', "nam", "unknown_parameter"),
        (b"{}", "name", "missing_required_parameter"),
        (b"[]", None, "invalid_type"),
        (b"null", None, "invalid_type"),
        (b'{"name"', None, "invalid_json"),
        (b"", None, "invalid_json"),
        (b'{"name": "\xff"}', None, "invalid_json"),
        (b'{"name": "x"} more', None, "invalid_json"),
    ],
)
def test_the_field_at_fault_is_named(body: bytes, param: str | None, code: str) -> None:
    fault = refusal(body)
    assert (fault.param, fault.code) == (param, code), fault.message


def test_what_is_good_is_decoded() -> None:
    assert decoded(b'{"name": "x", "inner": [{"size": 2}]}', Body) == Body("x", [Inner(2)])
