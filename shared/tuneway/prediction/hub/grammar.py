"""JSON schemas for hosts that hold an answer to one by a grammar, as Claude's do wherever it is served.

Such a grammar cannot say how long, how large or how many: those constraints go to the model in the schema's
description, as Anthropic's own SDK has it. Every object is closed, as the hosts demand; one that says what else it
takes is left for them to judge.
Source: "JSON Schema limitations" in Anthropic's and Amazon Bedrock's guides to structured outputs, read 2026-11.
"""

import msgspec

from tuneway.errors import BadInput

Schema = dict[str, object]
_OBJECTS = ("object", ["object", "null"], ["null", "object"])
_UNTOLD = frozenset(
    {
        "contains",
        "discriminator",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "uniqueItems",
    }
)
_FORMATS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
)  # of texts
_LEAST_ITEMS = (0, 1)
_DEFINITIONS = ("$defs", "definitions")
_NAMED = frozenset({*_DEFINITIONS, "properties"})
_LISTED = frozenset({"allOf", "anyOf"})
_SINGLE = frozenset({"additionalProperties", "items"})


def grammatical(schema: Schema, *, param: str) -> Schema:
    """The schema as such a host reads it. Raises BadInput naming ``param`` for one that nobody could read."""
    try:
        return _closed(schema)
    except RecursionError as exc:
        raise BadInput("The schema is nested too deeply. Flatten it.", param=param, code="invalid_value") from exc


def _closed(schema: Schema) -> Schema:
    if "$ref" in schema:
        # What stands beside a reference is not read; only the definitions are needed.
        return {name: _within(name, schema[name]) for name in ("$ref", *_DEFINITIONS) if name in schema}
    told = {_worded(name, schema): _within(name, value) for name, value in schema.items() if _is_told(name, value)}
    if told.get("type") in _OBJECTS and "additionalProperties" not in told:
        told = {**told, "additionalProperties": False}
    untold = {name: value for name, value in schema.items() if not _is_told(name, value)}
    return {**told, "description": _described(schema, untold)} if untold else told


def _is_told(name: str, value: object) -> bool:
    match name:
        case "format":
            return value in _FORMATS
        case "minItems":
            return value in _LEAST_ITEMS
        case _:
            return name not in _UNTOLD


def _worded(name: str, schema: Schema) -> str:
    """``oneOf`` is ``anyOf`` to a grammar."""
    return "anyOf" if name == "oneOf" and "anyOf" not in schema else name


def _within(name: str, value: object) -> object:
    """A keyword's value with the schemas in it closed; what is no schema stays as it is."""
    name = _worded(name, {})
    if name in _NAMED and isinstance(value, dict):
        return {key: _one(held) for key, held in msgspec.convert(value, Schema).items()}
    if name in _LISTED and isinstance(value, list):
        return [_one(held) for held in msgspec.convert(value, list[object])]
    return _one(value) if name in _SINGLE else value


def _one(value: object) -> object:
    return _closed(msgspec.convert(value, Schema)) if isinstance(value, dict) else value


def _described(schema: Schema, untold: Schema) -> str:
    words = ", ".join(f"{name}: {msgspec.json.encode(value).decode()}" for name, value in untold.items())
    said = schema.get("description")
    return f"{said}\n\n{{{words}}}" if isinstance(said, str) and said else f"{{{words}}}"
