"""Callers of a chat function who read to the end, or leave: each call ends with a verdict."""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any, Literal

import msgspec

Leaves = Literal["never", "asking", "waiting", "reading"]
PATIENCE = 30.0
_HEAD = re.compile(rb"HTTP/1\.1 (?P<status>\d+)")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call: of which model, on which surface, streamed or whole, and when its caller leaves."""

    model: str
    path: str
    stream: bool
    leaves: Leaves = "never"

    @property
    def bytes(self) -> bytes:
        """The request."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": "user", "content": "How do you do?"}],
            "max_tokens": 64,
            "stream": self.stream,
        }
        sent = json.dumps(body).encode()
        head = b"POST %b HTTP/1.1\r\nhost: t\r\nauthorization: Bearer tw-key\r\nconnection: close\r\n"
        return head % self.path.encode() + b"content-length: %d\r\n\r\n%b" % (len(sent), sent)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended: ``answer``, ``refusal`` (a status), ``broken`` (an error in the stream), ``left``.

    Or ``fault``, which is ours: no end, or no clear word.
    """

    kind: Literal["answer", "refusal", "broken", "left", "fault"]
    status: int = 0
    told: str = ""


async def called(port: int, call: Call) -> Ending:
    """Make it."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _called(port, call)
    except TimeoutError:
        return Ending(kind="fault", told="no end")


async def _called(port: int, call: Call) -> Ending:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = call.bytes
        writer.write(request[: len(request) // 2] if call.leaves == "asking" else request)
        if call.leaves == "never":
            return judged(call, await reader.read(-1))
        await _some_time(reader, call.leaves)
        return Ending(kind="left")
    except ConnectionError as exc:
        return Ending(kind="fault", told=repr(exc))
    finally:
        writer.transport.abort()


async def _some_time(reader: asyncio.StreamReader, leaves: Leaves) -> None:
    """As long as it takes until this caller leaves."""
    if leaves == "reading":
        await reader.read(1)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await reader.read(1)


def judged(call: Call, answer: bytes) -> Ending:
    """Whether the answer is one, or one clear error."""
    found = _HEAD.match(answer)
    if found is None:
        return Ending(kind="fault", told=repr(answer[:200]))
    status, body = int(found["status"]), _body(answer)
    if status != 200:
        return _refusal(status, body)
    return _streamed(body) if call.stream else _whole(body)


def _refusal(status: int, body: bytes) -> Ending:
    error = _json(body).get("error")
    if not isinstance(error, dict) or not error.get("message") or not error.get("type"):
        return Ending(kind="fault", status=status, told=repr(body[:200]))
    return Ending(kind="refusal", status=status, told=str(error["message"]))


def _whole(body: bytes) -> Ending:
    answer = _json(body)
    if not answer.get("choices") and not answer.get("content"):
        return Ending(kind="fault", status=200, told=repr(body[:200]))
    return Ending(kind="answer", status=200)


def _streamed(body: bytes) -> Ending:
    """Events to the mark of the end, or to one error and nothing after it."""
    *events, rest = body.split(b"\n\n")
    errors = [event for event in events if _is_error(event)]
    ended = bool(events) and (events[-1] == b"data: [DONE]" or b"message_stop" in events[-1])
    if rest or len(errors) + ended != 1 or (errors and errors[0] is not events[-1]):
        return Ending(kind="fault", status=200, told=repr(body[-300:]))
    return Ending(kind="broken" if errors else "answer", status=200)


def _is_error(event: bytes) -> bool:
    data = event.rpartition(b"data: ")[2]
    return data != b"[DONE]" and "error" in _json(data)


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _body(answer: bytes) -> bytes:
    """The body; of a chunked one, the pieces joined."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    pieces, size = [], -1
    while size and body:
        line, _, body = body.partition(b"\r\n")
        size = int(line, 16)
        pieces.append(body[:size])
        body = body[size + 2 :]
    return b"".join(pieces) if size == 0 else b"".join(pieces) + b"(no end)"
