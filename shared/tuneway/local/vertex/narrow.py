"""Decoded JSON seen as the type it should have; anything else is the empty value of that type."""

from typing import cast


def mapping(value: object) -> dict[str, object]:
    """The object, or ``{}``."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The array, or ``[]``."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """The string, or ``""``."""
    return value if isinstance(value, str) else ""


def strings(value: object) -> dict[str, str]:
    """The members of an object that are strings."""
    return {key: member for key, member in mapping(value).items() if isinstance(member, str)}


def whole(value: object, otherwise: int) -> int:
    """The integer (or the digits of one), else ``otherwise``."""
    match value:
        case bool():
            return otherwise
        case int():
            return value
        case str() if value.lstrip("-").isdigit():
            return int(value)
        case _:
            return otherwise
