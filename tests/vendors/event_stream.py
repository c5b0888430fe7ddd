"""AWS's event-stream framing, written from its specification: prelude, headers, payload and two CRC32s."""

import struct
import zlib
from collections.abc import Mapping

STRING = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame; all header values are strings."""
    written = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 12 + len(written) + len(payload) + 4, len(written))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + written + payload
    return head + struct.pack(">I", zlib.crc32(head))


def event(kind: str, payload: bytes) -> bytes:
    """An event's frame."""
    return frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    """An exception's frame."""
    return frame({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)


def damaged(whole: bytes) -> bytes:
    """A frame whose checksum does not hold."""
    return whole[:-1] + bytes([whole[-1] ^ 0xFF])


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", STRING, len(text)) + text
