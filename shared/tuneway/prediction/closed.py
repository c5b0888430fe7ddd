"""Buckets that messages may not refer to: the installation's own, where other tenants' files lie.

Hosts such as Gemini's read a bucket by themselves, as the installation, so what is only passed on counts as well.
"""

import re
from collections.abc import Iterator
from typing import cast

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.decode import broken_json

_SCHEMES = ("gs://", "s3://")
# In JSON, ``gs:\/\/`` and ``\u0067s://`` are the same address: such bodies are read, to be sure.
_ESCAPED = re.compile(rb"\\(?:/|u00(?:67|73|33|3[aA]|2[fF]))")
# Where hosts look for files: the conversation and the instructions.
_SPOKEN = frozenset({"messages", "system"})
# A content that is a text, or a list of texts.
_SAID = re.compile(r"(?:^|\.)(?:content|system)(?:\[[0-9]+\])?\Z")
_WORDS = frozenset({"text", "thinking", "title", "context", "input", "arguments"})  # what is said, and given to tools


def refuse_closed(body: bytes, closed: frozenset[str]) -> None:
    """Raises BadInput naming the part that refers to a closed bucket. Bodies without such an address are not read."""
    if not closed or not (b"gs://" in body or b"s3://" in body or (b"\\" in body and _ESCAPED.search(body))):
        return
    for param, uri in _addresses(_read(body)):
        bucket = uri[len(_SCHEMES[0]) :].partition("/")[0]
        if bucket in closed:
            raise BadInput(
                f"'{bucket}' is this installation's own bucket, which is read for nobody. "
                "Put the file into another one, or send the data itself (data:<type>;base64,<data>).",
                param=param,
                code="invalid_value",
            )


def _read(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise broken_json(exc) from exc


def _addresses(request: object) -> Iterator[tuple[str, str]]:
    """Each address in a bucket, and where it stands; what is said is none, and neither are names of fields."""
    left = [(name, value) for name, value in _fields(request).items() if name in _SPOKEN]
    while left:
        where, value = left.pop()
        left += [(f"{where}.{name}", one) for name, one in _fields(value).items() if name not in _WORDS]
        left += [(f"{where}[{position}]", one) for position, one in enumerate(_list(value))]
        if isinstance(value, str) and value.strip().startswith(_SCHEMES) and not _SAID.search(where):
            yield where, value.strip()


def _fields(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
