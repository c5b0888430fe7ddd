"""Shapes of requests as their vendors document them: JSON Schema, written short. What is not named is refused."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from typing_extensions import override

from tests.vendors.fake import Refused
from tests.vendors.script import Error

Shape = Mapping[str, Any]

ANY: Shape = {}
TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
NUMBER: Shape = {"type": "number"}
TRUTH: Shape = {"type": "boolean"}
MAP: Shape = {"type": "object"}


def record(needed: Mapping[str, Shape] | None = None, **more: Shape) -> Shape:
    """An object of exactly these fields, ``needed`` ones present. A name that Python reserves ends with ``_``."""
    fields = {**(needed or {}), **{name.rstrip("_"): shape for name, shape in more.items()}}
    return {"type": "object", "required": list(needed or {}), "properties": fields, "additionalProperties": False}


def many(shape: Shape, least: int = 0, most: int | None = None) -> Shape:
    """A list."""
    return {"type": "array", "items": shape, "minItems": least, **({"maxItems": most} if most is not None else {})}


def one_of(*values: str) -> Shape:
    """One of these words."""
    return {"enum": list(values)}


def between(least: float, most: float) -> Shape:
    """A number within limits, which belong to it."""
    return {"type": "number", "minimum": least, "maximum": most}


def at_least(least: int) -> Shape:
    """A whole number."""
    return {"type": "integer", "minimum": least}


def matching(pattern: str) -> Shape:
    """A text of a form."""
    return {"type": "string", "pattern": pattern}


def either(*shapes: Shape) -> Shape:
    """Any of these."""
    return {"anyOf": list(shapes)}


def by_tag(tag: str, **shapes: Shape) -> Shape:
    """A record whose field ``tag`` says which of these it is."""
    cases = [
        {"if": {"properties": {tag: {"const": name}}, "required": [tag]}, "then": shape}
        for name, shape in shapes.items()
    ]
    return {"type": "object", "required": [tag], "properties": {tag: one_of(*shapes)}, "allOf": cases}


def fault(value: object, shape: Shape) -> tuple[str, str, str] | None:
    """Where a value leaves its shape first: the path (``messages.0.role``), the unknown field if that is why, and
    jsonschema's words."""
    found = best_match(_validator(_Held(shape)).iter_errors(value))
    if found is None:
        return None
    path = ".".join(map(str, found.absolute_path))
    return path, _unknown(found), found.message


def refuse(status: int, message: str, **more: Any) -> Refused:
    """A refusal, to be raised."""
    return Refused(Error(status, message, **more))


class _Held:
    """A shape as a cache's argument; the cache keeps it alive, so its id stays its own."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @override
    def __hash__(self) -> int:
        return id(self.shape)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.shape is self.shape


@cache
def _validator(held: _Held) -> Draft202012Validator:
    return Draft202012Validator(dict(held.shape))


def _unknown(found: ValidationError) -> str:
    if found.validator != "additionalProperties" or not isinstance(found.instance, dict):
        return ""
    known = found.schema.get("properties", {}) if isinstance(found.schema, dict) else {}
    return next((name for name in found.instance if name not in known), "")
