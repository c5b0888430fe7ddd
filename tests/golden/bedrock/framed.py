"""Event-stream frames, written by hand from their description, for tests."""

import json
from collections.abc import Mapping
from struct import pack
from typing import Any
from zlib import crc32


def header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + pack(">H", len(value)) + value.encode()


def frame(headers: bytes, payload: bytes) -> bytes:
    prelude = pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + pack(">I", crc32(prelude)) + headers + payload
    return body + pack(">I", crc32(body))


def event(name: str, payload: Mapping[str, Any]) -> bytes:
    kind = "exception" if name.endswith("Exception") else "event"
    headers = header(f":{kind}-type", name) + header(":content-type", "application/json")
    return frame(headers + header(":message-type", kind), json.dumps(payload).encode())


def framed(lines: bytes) -> bytes:
    """The frames of a ``stream.jsonl``: one event a line, as ``{"name": payload}``."""
    named = [next(iter(json.loads(line).items())) for line in lines.splitlines()]
    return b"".join(event(name, payload) for name, payload in named)
