"""Decoded JSON, narrowed: objects, arrays and texts whose shape a server may have got wrong."""

from typing import TypeGuard

import msgspec

Fields = dict[str, object]


def is_object(value: object) -> TypeGuard[Fields]:
    """Whether decoded JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether decoded JSON is an array."""
    return isinstance(value, list)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether decoded JSON is a whole number; to Python, true would be one."""
    return isinstance(value, int) and not isinstance(value, bool)


def objects_in(value: object) -> list[Fields]:
    """The objects of an array; a lone object counts as an array of one (an older TGI's tool calls)."""
    if is_object(value):
        return [value]
    return [item for item in value if is_object(item)] if is_list(value) else []


def without(fields: Fields, names: frozenset[str]) -> Fields:
    """The fields but those that are null and may not be: absent is absent."""
    return {name: value for name, value in fields.items() if value is not None or name not in names}


def json_text(value: object) -> str:
    """Arguments as JSON text, which is what OpenAI has: some servers send the object itself."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
