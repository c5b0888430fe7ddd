"""What the rooms need from outside, as small Protocols in domain types; ``adapters/`` holds the plugs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import IO, Literal, Protocol

import msgspec

# --- state ---------------------------------------------------------------------------------------------------------


class Key(msgspec.Struct, frozen=True):
    """Where a document lies: ``jobs`` + ``ftjob-1``, or ``jobs/ftjob-1/events`` + ``000001``."""

    collection: str
    id: str


class Document(msgspec.Struct, frozen=True):
    """A stored document and the version that guards its next write."""

    key: Key
    fields: dict[str, object]
    version: str


class Create(msgspec.Struct, frozen=True, tag=True):
    """Write a document that must not exist yet."""

    key: Key
    fields: dict[str, object]


class Replace(msgspec.Struct, frozen=True, tag=True):
    """Write over a document that must still have ``version``."""

    key: Key
    fields: dict[str, object]
    version: str


class Put(msgspec.Struct, frozen=True, tag=True):
    """Write a document whatever is there."""

    key: Key
    fields: dict[str, object]


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Remove a document; one that is not there is no error."""

    key: Key


Write = Create | Replace | Put | Delete
Operator = Literal["==", "<", "<=", ">", ">="]


class Where(msgspec.Struct, frozen=True):
    """One condition on a top-level or dotted field; documents without the field never match."""

    field: str
    operator: Operator
    value: str | int | float | bool


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one collection in a stated order: by ``order_by``, then by id, both in one direction.

    ``after`` is the id of the last document of the page before; an id that is gone raises NotFound.
    """

    collection: str
    where: tuple[Where, ...] = ()
    order_by: str | None = None
    descending: bool = False
    after: str | None = None
    limit: int | None = None


class Documents(Protocol):
    """The state: documents with guarded, atomic writes. Values are JSON types; a list never holds a list directly."""

    def get(self, key: Key) -> Document | None:
        """The document now, or None."""
        ...

    def find(self, query: Query) -> list[Document]:
        """The documents that match, in the query's order."""
        ...

    def commit(self, *writes: Write) -> None:
        """Do all writes or none. Raises AlreadyExists (Create), Conflict (Replace: stale, gone), TryLater (away)."""
        ...


# --- events --------------------------------------------------------------------------------------------------------


class Topic(StrEnum):
    """The topics, as functions/manifest.yaml and Terraform name them."""

    JOB_REQUESTED = "job-requested"
    POLL_DUE = "poll-due"
    JOB_FINISHED = "job-finished"
    TUNING_EVENTS = "tuning-events"
    DEAD_LETTERS = "dead-letters"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What travels on a topic: ``data`` is a small JSON object of ids, ``attributes`` are strings to filter by."""

    topic: Topic
    data: bytes
    attributes: dict[str, str] = {}


class Events(Protocol):
    """The bus: at-least-once, unordered."""

    def publish(self, *messages: Message) -> None:
        """Durable on every subscription once this returns. Raises TryLater when the bus is away."""
        ...


# --- files ---------------------------------------------------------------------------------------------------------


class Files(Protocol):
    """Objects named by ``gs://bucket/path`` URIs, read and written as streams in constant memory."""

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for reading. Raises NotFound, NotAllowed, BadInput (not a gs:// URI), TryLater."""
        ...

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for writing; the object appears whole when the block ends well, and not at all when it raises."""
        ...

    def size(self, uri: str) -> int:
        """Bytes. Raises as ``read``."""
        ...

    def delete(self, uri: str) -> None:
        """Remove; one that is not there is no error."""
        ...


# --- tuning --------------------------------------------------------------------------------------------------------


class ProviderState(StrEnum):
    """Where a provider's job stands, in tuneway's words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One saved point of a tuning job, callable at its own endpoint."""

    id: str
    epoch: int
    step: int
    endpoint: str


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a tuning job made: resource names as the provider gives them."""

    model: str
    endpoint: str
    checkpoints: tuple[Checkpoint, ...] = ()


class TuningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One tuning job for a provider: ``token`` makes it findable again, URIs are gs://."""

    token: str
    location: str
    base_model: str
    training_uri: str
    validation_uri: str | None = None
    display_name: str
    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: int | None = None


class ProviderJob(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's job as last seen."""

    name: str
    state: ProviderState
    progress: str | None = None
    steps_done: int | None = None
    epochs_done: int | None = None
    steps_total: int | None = None
    billable_tokens: int | None = None
    tuned: TunedModel | None = None
    error: str | None = None
    finished_at: datetime | None = None


class TuningBackend(Protocol):
    """Where models are trained. Raises BadInput or NotAllowed (permanent) and TryLater (passing or unknown outcome)."""

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """The job started earlier with this token, wherever its answer was lost."""
        ...

    def create(self, request: TuningRequest) -> ProviderJob:
        """Start the job. After TryLater the job may exist: ``find`` it before calling again."""
        ...

    def get(self, name: str) -> ProviderJob:
        """The job now. Raises NotFound."""
        ...

    def cancel(self, name: str) -> None:
        """Ask for the end; the state follows later. Asking again, or after the end, changes nothing."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job, as the registry needs it."""

    job: str
    owner: str
    alias: str
    base_model: str
    tuned: TunedModel
    dataset_sha256: str
    finished_at: float


class Outcomes(Protocol):
    """The registry's view of finished jobs, so that neither room knows the other."""

    def of(self, job: str) -> Outcome | None:
        """What the job made, or None when there is nothing to register (any more)."""
        ...

    def settle(self, job: str, *, alias: str, since: int) -> None:
        """Tell the job that its model answers under ``alias``. Repeating the call changes nothing."""
        ...


# --- prediction ----------------------------------------------------------------------------------------------------


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: to connect, and between two arrivals of bytes (the first included)."""

    connect: float = 5.0
    read: float = 600.0


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP call to a model's host."""

    method: Literal["GET", "POST"] = "POST"
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeouts: Timeouts = Timeouts()


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
        """The whole body. Raises UpstreamError when the connection breaks or stalls."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, never joined. Raises UpstreamError when the connection breaks or stalls."""
        ...


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


class Snapshots(Protocol):
    """The one document ``predict`` reads."""

    async def read(self, version: int | None) -> bytes | None:
        """The snapshot's JSON when its version is not ``version``, else None. Raises NotFound, TryLater."""
        ...
