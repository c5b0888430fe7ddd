"""How a call is made, apart from what is asked: the options that every function of this API reads alike."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tuneway.api.errors import refused

W = TypeVar("W")


def way_of(how: Mapping[str, object], kind: type[W]) -> W:
    """The options as ``kind``: headers by their lower-case names, credentials as JSON. Raises BadRequestError."""
    plain = dict(how)
    if "extra_headers" in plain:
        headers = mapping(plain["extra_headers"], "extra_headers")
        plain["extra_headers"] = [(name.lower(), value) for name, value in headers.items()]
    if isinstance(plain.get("vertex_credentials"), Mapping):
        plain["vertex_credentials"] = msgspec.json.encode(plain["vertex_credentials"]).decode()
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as exc:
        raise refused(f"An argument cannot be used: {exc}.", param=str(exc).rpartition("$.")[2].strip("`")) from exc


def mapping(value: object, name: str) -> dict[str, object]:
    """A dictionary that a caller gave. Raises BadRequestError."""
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError as exc:
        raise refused(f"'{name}' must be a dictionary.", param=name) from exc
