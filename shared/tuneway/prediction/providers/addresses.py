"""What every provider's URL is made of: the operations, the ways to stream, and checked addresses.

A ``base_url`` comes from a route, which an admin writes, or from the installation, never from a caller. It is checked
all the same, because a key goes there: no credentials, query or fragment in it, and no cloud's metadata server.
"""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.routes import Target
from tuneway.routing.targets import Misplaced

Operation = Literal["chat", "completions", "fim", "embeddings", "count"]
Framing = Literal["sse", "event_stream", "none"]


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be called, for what, and whether the answer shall be streamed."""

    target: Target
    operation: Operation = "chat"
    stream: bool = False


# Where OpenAI's API has them; everybody who speaks it has them there too. It counts no tokens.
PATHS: dict[Operation, str] = {
    "chat": "chat/completions",
    "completions": "completions",
    "fim": "completions",
    "embeddings": "embeddings",
}
# Where Anthropic's API has what it has.
MESSAGES: dict[Operation, str] = {"chat": "v1/messages", "count": "v1/messages/count_tokens"}
_WORDS: dict[Operation, str] = {
    "chat": "chat",
    "completions": "completions of a text",
    "fim": "filling in the middle",
    "embeddings": "embeddings",
    "count": "counting tokens",
}
_BASE = re.compile(
    r"https?://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/(?!/)[A-Za-z0-9._~@:%+-]*)*"
)
_METADATA = re.compile(r"169\.254\..*|metadata(?:\.google\.internal)?|\[fd00:ec2::254\]", re.IGNORECASE)


def checked(base_url: str) -> str:
    """Where an API begins, without a slash at its end. Raises BadInput for what no API could begin with."""
    found = _BASE.fullmatch(base_url)
    if found is None or "/.." in base_url or "%2e%2e" in base_url.lower():
        fact = f"{_shown(base_url)!r} is no address of an API. Use https://host/v1, without a user or a query"
        raise Misplaced(fact, field="base_url")
    if _METADATA.fullmatch(found["host"]):
        raise Misplaced(f"{found['host']!r} is a cloud's metadata server, no API", field="base_url")
    return base_url.rstrip("/")


def _shown(base_url: str) -> str:
    """As it may be told: without what may be a password or a key."""
    return re.sub("//[^/]*@", "//", re.split("[?#]", base_url)[0])[:120]


def path(call: Call, paths: Mapping[Operation, str] = PATHS) -> str:
    """Where an API has the operation. Raises BadInput when it has not."""
    if call.operation not in paths:
        raise cannot(call)
    return paths[call.operation]


def instead(url: str, base_url: str | None) -> str:
    """The URL, with ``base_url`` standing in for scheme and host where there is one; path and query stay."""
    if base_url is None:
        return url
    parts = urlsplit(url)
    return f"{base_url.rstrip('/')}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def cannot(call: Call) -> BadInput:
    """The refusal of an operation that the target's host does not have."""
    target, operation = call.target, call.operation
    return BadInput(
        f"This model cannot be called for {_WORDS[operation]}: its host ({target.provider}, {target.dialect}) has no "
        "such operation. Use another model.",
        param="model",
        code="unsupported_operation",
    )
