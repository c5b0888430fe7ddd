"""Read a host's JSON: a null where the host's own reference has none says that something is absent, nothing more.

Some hosts and the gateways before them write every field they know. An answer is not thrown away for that; what tools
are called with stays as it is, a null means something there.
"""

from typing import TypeVar, cast

import msgspec

T = TypeVar("T")
_ARGUMENTS = frozenset({"args", "input"})


def read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What the body says. Raises what msgspec raises for JSON of another kind, and RecursionError."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return decoder.decode(msgspec.json.encode(_without_nulls(msgspec.json.decode(body))))


def _without_nulls(value: object) -> object:
    if isinstance(value, list):
        return [_without_nulls(held) for held in cast("list[object]", value) if held is not None]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value).items()
    return {name: held if name in _ARGUMENTS else _without_nulls(held) for name, held in fields if held is not None}
