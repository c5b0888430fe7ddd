"""Cut Amazon's event-stream frames from bytes: any split of the bytes gives the same events.

A frame is a prelude of 12 bytes (length of all, length of the headers, CRC-32 of those eight bytes), headers, payload,
and the CRC-32 of everything before. An event is handed over as JSON under its name, the way botocore shows it:
``{"contentBlockDelta": {…}}``, ``{"throttlingException": {…}}``; an ``InvokeModel`` chunk as the model's own event.
Lengths are checked as soon as the prelude is there, so no wrong one is ever waited for.
Source: https://smithy.io/2.0/aws/amazon-eventstream.html; limits as in botocore's ``eventstream``.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from struct import Struct
from zlib import crc32

import msgspec

from tuneway.errors import UpstreamError
from tuneway.prediction.upstream_errors import broken

LONGEST_HEADERS = 131_072
LONGEST_PAYLOAD = 25_165_824
_PRELUDE = Struct(">III")
_CHECKSUM = Struct(">I")
_LENGTH = Struct(">H")
_FRAME_BYTES = _PRELUDE.size + _CHECKSUM.size  # of a frame without headers and payload
_TEXT = 7
# Bytes of a header's value by its type: true, false, byte, short, integer, long, timestamp, UUID; …
_WIDTHS = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
# … bytes and text say their own length.
_SIZED = frozenset({6, _TEXT})


class _Chunk(msgspec.Struct, frozen=True):
    """A piece of ``InvokeModelWithResponseStream``: the model's own event, as base64."""

    bytes: str = ""


class _Error(msgspec.Struct, frozen=True):
    """An error without a shape: its name and words stand in headers."""

    code: str
    message: str


class EventStreamDecoder:
    """Bytes in, events out."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The events that ``data`` completes, one at a time; those before a broken frame still come.

        Raises UpstreamError at a broken frame, and again on every later call.
        """
        self._pending += data
        return self._events()

    def flush(self) -> Iterator[bytes]:
        """Nothing, where the body ended between two frames. Raises UpstreamError where it ended inside one."""
        yield from self._events()
        if self._pending:
            raise broken("The model's host broke off in the middle of the answer. Try again.")

    def _events(self) -> Iterator[bytes]:
        while (length := self._length()) and len(self._pending) >= length:
            event = _event(bytes(self._pending[:length]))
            del self._pending[:length]
            yield event

    def _length(self) -> int:
        """The next frame's, or 0 while its prelude is not there."""
        if len(self._pending) < _PRELUDE.size:
            return 0
        length, headers, checksum = _PRELUDE.unpack_from(self._pending)
        if crc32(self._pending[:8]) != checksum:
            raise _damaged()
        if not 0 <= length - headers - _FRAME_BYTES <= LONGEST_PAYLOAD or headers > LONGEST_HEADERS:
            raise _damaged()
        return int(length)


def _event(frame: bytes) -> bytes:
    end = len(frame) - _CHECKSUM.size
    if crc32(memoryview(frame)[:end]) != _CHECKSUM.unpack_from(frame, end)[0]:
        raise _damaged()
    start = _PRELUDE.size + _PRELUDE.unpack_from(frame)[1]
    return _named(_headers(frame[_PRELUDE.size : start]), frame[start:end])


def _named(headers: dict[str, str], payload: bytes) -> bytes:
    match headers.get(":message-type"):
        case "event" if headers.get(":event-type") == "chunk":
            return _unwrapped(payload)
        case "event":
            name = headers.get(":event-type", "")
        case "exception":
            name = headers.get(":exception-type", "")
        case _:
            error = _Error(headers.get(":error-code", ""), headers.get(":error-message", ""))
            return msgspec.json.encode({"error": error})
    return b"{%b:%b}" % (msgspec.json.encode(name), payload or b"{}")


def _unwrapped(payload: bytes) -> bytes:
    try:
        return b64decode(msgspec.json.decode(payload, type=_Chunk).bytes, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError) as exc:
        raise _damaged() from exc


def _headers(data: bytes) -> dict[str, str]:
    """The headers that are text, by name; the others are passed over."""
    texts: dict[str, str] = {}
    position = 0
    try:
        while position < len(data):
            name, kind, position = _name(data, position)
            start, position = _extent(data, position, kind)
            if kind == _TEXT:
                texts[name] = data[start:position].decode()
    except (IndexError, KeyError, ValueError) as exc:
        raise _damaged() from exc
    if position != len(data):
        raise _damaged()
    return texts


def _name(data: bytes, position: int) -> tuple[str, int, int]:
    """A header's name and type, and where its value begins."""
    end = position + 1 + data[position]
    return data[position + 1 : end].decode(), data[end], end + 1


def _extent(data: bytes, position: int, kind: int) -> tuple[int, int]:
    """Where a header's value begins and ends."""
    if kind in _SIZED:
        start = position + _LENGTH.size
        return start, start + int.from_bytes(data[position:start])
    return position, position + _WIDTHS[kind]


def _damaged() -> UpstreamError:
    return broken("The model's host sent a damaged event stream. Try again.")
