"""What a fake can be told to answer, in words that are no vendor's."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Finish = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How an answer travels. ``hang``, ``reset``, ``cut`` and ``broken`` say after how many events it happens:
    -1 before the status line (``hang`` and ``reset`` only), 0 after the headers.

    ``hang`` sends nothing more and keeps the connection; ``reset`` ends it with RST; ``cut`` sends half of the next
    event and closes; ``broken`` sends the vendor's own error inside the stream. ``pieces`` is the size of each write.
    """

    delay: float = 0.0
    between: float = 0.0
    hang: int | None = None
    reset: int | None = None
    cut: int | None = None
    broken: int | None = None
    done: bool = True
    comments: bool = False
    crlf: bool = False
    pieces: int | None = None


PLAIN = Manner()


@dataclass(frozen=True)
class Call:
    """A tool call. An ``id`` of None lets the fake make one; ``signature`` is Gemini's thought signature."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    signature: str | None = None


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What an answer reports as used; None is counted in words."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0
    cache_written: int = 0
    reasoning: int | None = None


@dataclass(frozen=True)
class Reply:
    """A model's answer. ``finish`` None follows from the rest; any other word is sent as it stands.

    ``refusal`` is a refusal in the model's own words; ``blocked`` a prompt that the vendor's filter did not let pass.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    signature: str = "c2lnbmVkLWJ5LXRoZS1tb2RlbA=="
    redacted: str = ""
    refusal: str = ""
    blocked: bool = False
    finish: Finish | str | None = None
    tokens: Tokens = field(default_factory=Tokens)
    usage: bool = True
    manner: Manner = PLAIN

    @property
    def ended(self) -> str:
        """Why it ended, by default: what its content implies."""
        if self.finish:
            return self.finish
        if self.refusal:
            return "refusal"
        return "tool_calls" if self.calls else "stop"


@dataclass(frozen=True)
class Error:
    """A failure in the vendor's own shape; ``kind`` and ``code`` None follow from the status."""

    status: int
    message: str = "This failure was asked for."
    kind: str | None = None
    code: str | None = None
    retry_after: int | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = PLAIN


@dataclass(frozen=True)
class Raw:
    """Bytes with no shape at all, whatever was asked."""

    body: Iterable[bytes]
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = PLAIN


Answer = Reply | Error | Raw


class Text(Reply):
    """Plain text."""


def tools(*calls: Call, **more: Any) -> Reply:
    """Tool calls, in parallel."""
    return Reply(calls=calls, **more)


def thinking(reasoning: str, text: str, **more: Any) -> Reply:
    """Reasoning, then an answer."""
    return Reply(text, reasoning=reasoning, **more)


def as_json(value: object, **more: Any) -> Reply:
    """A JSON document as text."""
    return Reply(json.dumps(value), **more)


def refusal(text: str = "I cannot help with that.") -> Reply:
    """The model declines."""
    return Reply(refusal=text)


def blocked() -> Reply:
    """The vendor's filter does not let the prompt pass."""
    return Reply(blocked=True)


def html(status: int = 502) -> Raw:
    """A load balancer's page."""
    return Raw(
        [b"<html><head><title>Error</title></head><body><h1>Bad Gateway</h1></body></html>"], status, "text/html"
    )


def garbage(status: int = 200, kind: str = "application/json") -> Raw:
    """Bytes that are no JSON and no UTF-8, under a content type that promises otherwise."""
    return Raw([b"\xff\xfe{not json at all\x00"], status, kind)


def wrong_type(body: bytes = b'{"ok":true}') -> Raw:
    """JSON of no known shape, said to be text."""
    return Raw([body], 200, "text/plain")


@dataclass(frozen=True)
class _Flood:
    """Read anew for every answer."""

    megabytes: int

    def __iter__(self) -> Iterator[bytes]:
        piece = b"a" * 65536
        return (piece for _ in range(self.megabytes * 16))


def flood(megabytes: int = 64, kind: str = "application/json") -> Raw:
    """One line that does not end, made as it is read."""
    return Raw(_Flood(megabytes), 200, kind)
