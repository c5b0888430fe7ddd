"""Documents in Firestore: guarded by update time, every commit one atomic batch, every call with its timeout."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Protocol, cast

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore import Client, DocumentReference, FieldFilter, WriteBatch
from google.cloud.firestore import Query as Direction
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.types import Precondition

from tuneway.adapters.portable import check_commit, check_query, possible
from tuneway.errors import AlreadyExists, BadInput, Conflict, NotFound, TryLater, TunewayError
from tuneway.ports import Create, Delete, Document, Key, Put, Query, Replace, Write

CALL_SECONDS = 10.0
RETRY_SECONDS = 8.0

# Refused before anything was done, so that asking again cannot do it twice.
REFUSED = (exceptions.Aborted, exceptions.ResourceExhausted)
# The answer may have been lost after the work was done: a Create or Replace sent again would collide with itself.
UNKNOWN = (exceptions.ServiceUnavailable, exceptions.InternalServerError, exceptions.DeadlineExceeded)

# First match wins. Aborted: the server gave up waiting for another writer's lock, nothing was decided. What follows
# InvalidArgument is an outage, or a fault in our own set-up that an operator mends while events wait for redelivery.
WRITING: tuple[tuple[type[Exception], type[TunewayError]], ...] = (
    (exceptions.AlreadyExists, AlreadyExists),
    (exceptions.Aborted, TryLater),
    (exceptions.FailedPrecondition, Conflict),
    (exceptions.InvalidArgument, BadInput),
    (exceptions.GoogleAPIError, TryLater),
)
# FailedPrecondition on a query is a missing index.
READING: tuple[tuple[type[Exception], type[TunewayError]], ...] = (
    (exceptions.InvalidArgument, BadInput),
    (exceptions.GoogleAPIError, TryLater),
)


class _Moment(Protocol):
    """What is read of the client's untyped ``DatetimeWithNanoseconds``."""

    def rfc3339(self) -> str: ...


class _Snapshot(Protocol):
    """What is read of the client's untyped ``DocumentSnapshot``."""

    @property
    def id(self) -> str: ...
    @property
    def exists(self) -> bool: ...
    @property
    def update_time(self) -> _Moment: ...
    def get(self, field_path: str) -> object: ...
    def to_dict(self) -> dict[str, object] | None: ...


class _Query(Protocol):
    """What is used of the client's untyped ``Query``."""

    def where(self, *, filter: FieldFilter) -> "_Query": ...  # noqa: A002  # the client's own name for it
    def order_by(self, field_path: str, *, direction: str) -> "_Query": ...
    def start_after(self, document_fields_or_snapshot: _Snapshot) -> "_Query": ...
    def limit(self, count: int) -> "_Query": ...
    def stream(self, *, retry: Retry, timeout: float) -> Iterable[_Snapshot]: ...


class _Reference(Protocol):
    """What is used of the client's untyped ``DocumentReference``."""

    def get(self, *, retry: Retry, timeout: float) -> _Snapshot: ...


class _Writes(Protocol):
    """What is used of the client's untyped ``WriteBatch``."""

    def create(self, reference: DocumentReference, document_data: dict[str, object]) -> None: ...
    def set(self, reference: DocumentReference, document_data: dict[str, object]) -> None: ...
    def delete(self, reference: DocumentReference) -> None: ...
    def commit(self, *, retry: Retry, timeout: float) -> object: ...


class _Batch(WriteBatch):
    """A batch that can also write over a whole document under a condition, which the client leaves out."""

    def replace(self, reference: DocumentReference, fields: dict[str, object], *, version: str) -> None:
        """``update`` would merge, and read dots in names as paths; a guarded ``set`` does neither."""
        cast("_Writes", self).set(reference, fields)
        self._write_pbs[-1].current_document = Precondition(update_time=version)


class FirestoreDocuments:
    """``ports.Documents`` in one Firestore database; a version is the document's update time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, key: Key) -> Document | None:
        """The document now, or None. Raises TryLater."""
        if not possible(key):
            return None
        with _mapped(READING):
            found = self._snapshot(key)
        return _document(key.collection, found) if found.exists else None

    def find(self, query: Query) -> list[Document]:
        """The documents that match, in order. Raises BadInput, NotFound (``after`` is gone), TryLater."""
        check_query(query)
        with _mapped(READING):
            found = list(self._question(query).stream(retry=_patience(*REFUSED, *UNKNOWN), timeout=CALL_SECONDS))
        documents = [_document(query.collection, snapshot) for snapshot in found]
        return documents if _ordered(query) else _by_id(documents, descending=query.descending)

    def commit(self, *writes: Write) -> None:
        """All writes or none. Raises AlreadyExists, Conflict, BadInput, TryLater (the outcome may be unknown)."""
        check_commit(writes)
        batch = _Batch(self._client)
        for write in writes:
            self._add(batch, write)
        if writes:
            with _mapped(_errors_of(writes)):
                cast("_Writes", batch).commit(retry=_patience(*REFUSED, *_safe(writes)), timeout=CALL_SECONDS)

    def _add(self, batch: _Batch, write: Write) -> None:
        reference = self._client.document(_name(write.key))
        writes = cast("_Writes", batch)
        match write:
            case Create(fields=fields):
                writes.create(reference, fields)
            case Replace():
                _replace(batch, reference, write)
            case Put(fields=fields):
                writes.set(reference, fields)
            case Delete():
                writes.delete(reference)

    def _snapshot(self, key: Key) -> _Snapshot:
        reference = cast("_Reference", self._client.document(_name(key)))
        return reference.get(retry=_patience(*REFUSED, *UNKNOWN), timeout=CALL_SECONDS)

    def _question(self, query: Query) -> _Query:
        question = cast("_Query", self._client.collection(query.collection))
        for where in query.where:
            question = question.where(filter=FieldFilter(where.field, where.operator, where.value))
        for field in _order(query):
            question = question.order_by(field, direction=_direction(query))
        if query.after is not None:
            question = question.start_after(self._last_seen(query, query.after))
        return question if query.limit is None else question.limit(query.limit)

    def _last_seen(self, query: Query, id_: str) -> _Snapshot:
        key = Key(query.collection, id_)
        found = self._snapshot(key) if possible(key) else None
        if found is None or not found.exists or not _has(found, query.order_by):
            raise NotFound(f"There is no {query.collection}/{id_} in this list to go on after.", param="after")
        return found


def _replace(batch: _Batch, reference: DocumentReference, write: Replace) -> None:
    try:
        batch.replace(reference, write.fields, version=write.version)
    except ValueError as exc:
        raise Conflict(f"{_name(write.key)} never had the version {write.version!r}. Read it and try again.") from exc


def _name(key: Key) -> str:
    return f"{key.collection}/{key.id}"


def _document(collection: str, found: _Snapshot) -> Document:
    return Document(Key(collection, found.id), found.to_dict() or {}, found.update_time.rfc3339())


def _ordered(query: Query) -> bool:
    """Whether the server must order.

    A whole list is put in the order of ids here instead: Firestore orders it by the fields with a range, and any other
    order would need one more index for each such question.
    """
    return query.order_by is not None or query.limit is not None or query.after is not None


def _by_id(documents: list[Document], *, descending: bool) -> list[Document]:
    return sorted(documents, key=lambda document: document.key.id, reverse=descending)


def _order(query: Query) -> tuple[str, ...]:
    if not _ordered(query):
        return ()
    return (query.order_by, FieldPath.document_id()) if query.order_by else (FieldPath.document_id(),)


def _direction(query: Query) -> str:
    return Direction.DESCENDING if query.descending else Direction.ASCENDING


def _has(found: _Snapshot, field: str | None) -> bool:
    try:
        return field is None or found.get(field) is not found
    except KeyError:
        return False


def _safe(writes: Iterable[Write]) -> tuple[type[Exception], ...]:
    """What a commit may be sent again after: an unknown outcome only when doing it twice is doing it once."""
    return UNKNOWN if all(isinstance(write, (Put, Delete)) for write in writes) else ()


def _errors_of(writes: Iterable[Write]) -> tuple[tuple[type[Exception], type[TunewayError]], ...]:
    """A guarded document that is gone answers NotFound; without one, it is the database that is missing."""
    guarded = any(isinstance(write, Replace) for write in writes)
    return ((exceptions.NotFound, Conflict), *WRITING) if guarded else WRITING


def _patience(*errors: type[Exception]) -> Retry:
    """Waits grow from 50 ms, each drawn at random up to its bound, so that rivals do not stay in step."""
    return Retry(predicate=if_exception_type(*errors), initial=0.05, maximum=1.0, multiplier=2, timeout=RETRY_SECONDS)


@contextmanager
def _mapped(errors: tuple[tuple[type[Exception], type[TunewayError]], ...]) -> Generator[None]:
    try:
        yield
    except exceptions.GoogleAPIError as exc:
        # A RetryError only says that patience ended; what the server said last is its cause.
        said = exc.cause if isinstance(exc, exceptions.RetryError) and exc.cause else exc
        kind = next(ours for theirs, ours in errors if isinstance(said, theirs))
        raise kind(f"Firestore: {said}") from exc
