"""What a model call needs: HTTP, tokens, the snapshot."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

# Bytes of a whole answer: far beyond a model's longest, far below what an instance has. A stream may be longer.
LARGEST_ANSWER = 64 * 2**20
# Takes what has arrived, and gives something to wait for when no more may come before that is over.
Take = Callable[[bytes], Awaitable[object] | None]


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: to connect, and between two arrivals of bytes (the first included)."""

    connect: float = 5.0
    read: float = 600.0


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP call to a model's host; ``address`` is where to connect instead of looking the URL's host up again."""

    method: Literal["GET", "POST"] = "POST"
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeouts: Timeouts = Timeouts()
    address: str | None = None


class UpstreamResponse(Protocol):
    """An answer whose head has arrived; header names are lower-case."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""
        ...

    async def read(self) -> bytes:
        """The whole body. Raises UpstreamError when it breaks, stalls or exceeds ``LARGEST_ANSWER``."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, never joined. Raises UpstreamError when the connection breaks or stalls."""
        ...


class Pouring(ABC, AsyncIterator[bytes]):
    """What ``chunks`` gives where a plug can do more: the same bytes without a task that wakes for each arrival.

    A class to be derived from, because to ask an object for a Protocol's methods costs more than an arrival does.
    """

    __slots__ = ()

    @abstractmethod
    async def pour(self, take: Take) -> None:
        """Give the rest of the body to ``take`` while it is read. Raises as the iterator does, and as ``take``."""


class Upstream(Protocol):
    """HTTP to models, pooled; leaving the block frees or ends the call."""

    def send(self, request: UpstreamRequest) -> AbstractAsyncContextManager[UpstreamResponse]:
        """Raises UpstreamError (502 unreachable, 504 too slow); any HTTP status is an answer, not an error."""
        ...


class Tokens(Protocol):
    """Access tokens for a cloud, cached and renewed ahead of time."""

    async def token(self) -> str:
        """A token good for minutes at least. Waits only when there is none at all. Raises UpstreamError (502)."""
        ...


class Secrets(Protocol):
    """Values behind references; nothing else in the house holds a secret."""

    async def value(self, ref: str) -> str:
        """What ``env:NAME`` or ``projects/…/secrets/…/versions/…`` refers to. Raises UpstreamError (502)."""
        ...


AuthKind = Literal["google", "key", "entra", "sigv4", "bearer", "none"]


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """How a call proves who sends it: the kind, the header, and what the proof needs.

    ``secret`` is a reference; None means the installation's own identity. ``region`` and ``service`` are for SigV4,
    ``scope`` for Entra.
    """

    kind: AuthKind
    header: str = "authorization"
    secret: str | None = None
    region: str = ""
    service: str = "bedrock"
    scope: str = ""


class Credentials(Protocol):
    """Proof for one call."""

    async def headers(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        """The headers to add to ``request``, which must then be sent as it is. Raises UpstreamError (502)."""
        ...


class Media(msgspec.Struct, frozen=True):
    """A file that a message refers to: its bytes and its type, lower-case and without parameters ("" if unknown)."""

    data: bytes
    kind: str


class Sources(Protocol):
    """Files that messages refer to, for models whose hosts fetch none."""

    async def media(self, uri: str, *, most: int) -> Media:
        """What lies at ``https://``, ``gs://`` or ``s3://``, of at most so many bytes.

        Raises BadInput, NotFound, NotAllowed, TryLater, UpstreamError.
        """
        ...


class SnapshotPart(msgspec.Struct, frozen=True):
    """A part of a snapshot that is too large for one document: when it was written last, and its JSON."""

    version: int
    body: bytes


class Snapshots(Protocol):
    """What ``predict`` reads: one small document while nothing changes, and what of a large snapshot has changed."""

    async def read(self, version: int | None) -> bytes | None:
        """The snapshot's JSON, or its head's, when its version is not ``version``. Raises NotFound, TryLater."""
        ...

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        """These parts as they are now; None for one that is there no longer. Raises TryLater."""
        ...
