"""What both plugs of a port refuse alike, so that a laptop refuses what the cloud would.

Limits: https://firebase.google.com/docs/firestore/quotas, https://cloud.google.com/pubsub/quotas and
https://cloud.google.com/storage/docs/objects#naming (read 2026-11).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Delete, Key, Message, Query, Write

NAME_BYTES = 1_500
DOCUMENT_BYTES = 1_048_576
VALUE_BYTES = 1_048_487
DEPTH = 20
INT64 = range(-(2**63), 2**63)
RESERVED = re.compile(r"__.*__", re.DOTALL)
FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")

MESSAGE_BYTES = 10_000_000
ATTRIBUTES = 100
ATTRIBUTE_KEY_BYTES = 256
ATTRIBUTE_VALUE_BYTES = 1_024
# Pub/Sub keeps "goog…" for itself, and its Python client takes attributes as keywords beside its own arguments.
RESERVED_ATTRIBUTE = re.compile(r"goog.*|self|topic|data|ordering_key|retry|timeout", re.DOTALL)

BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
OBJECT_BYTES = 1_024


def possible(key: Key) -> bool:
    """Whether a document could lie there at all."""
    return _nameable(key.id) and _is_collection(key.collection)


def check_commit(writes: Sequence[Write]) -> None:
    """Raises BadInput when the other plug could not do it."""
    for write in writes:
        _check_write(write)
    if len({write.key for write in writes}) < len(writes):
        raise BadInput("A commit writes a document once. Put what should become of it into one write.")


def check_query(query: Query) -> None:
    """Raises BadInput when the other plug could not ask it."""
    fields = [*(condition.field for condition in query.where), *([query.order_by] if query.order_by else [])]
    if not _is_collection(query.collection):
        raise BadInput(f"{query.collection!r} is no collection. Use 'jobs' or 'jobs/some-id/events'.")
    for field in fields:
        if not FIELD.fullmatch(field):
            raise BadInput(f"{field!r} cannot be asked for. Use letters, digits and '_', with '.' between levels.")
    if query.limit is not None and query.limit < 1:
        raise BadInput(f"A page of {query.limit} documents cannot be asked for. Use 1 or more.", param="limit")
    if not _orderable(query):
        raise BadInput(
            "Firestore cannot give this order. Order by the field that has a range, or ask for a whole list."
        )


def check_message(message: Message) -> None:
    """Raises BadInput when Pub/Sub would refuse the message."""
    pairs = message.attributes.items()
    if len(message.data) > MESSAGE_BYTES or not (message.data or pairs):
        raise BadInput("A message holds 1 byte to 10 MB of data, or attributes. Send ids, and keep the rest in state.")
    if len(pairs) > ATTRIBUTES or any(not _is_attribute(key, value) for key, value in pairs):
        raise BadInput(
            "A message has at most 100 attributes, with keys of 1 to 256 bytes (not 'goog…', 'topic', 'data', "
            "'ordering_key', 'retry' or 'timeout') and values of at most 1,024 bytes."
        )


def bucket_and_path(uri: str) -> tuple[str, str]:
    """``gs://bucket/path`` as its two parts. Raises BadInput."""
    scheme, _, rest = uri.partition("://")
    bucket, _, path = rest.partition("/")
    legal = path not in {"", ".", ".."} and not set(path) & {"\r", "\n", "\0"}
    if scheme != "gs" or not BUCKET.fullmatch(bucket) or ".." in bucket or not legal or not _fits(path, OBJECT_BYTES):
        raise BadInput(f"{uri!r} names no object. Use gs://bucket/path/to/file.", code="invalid_uri")
    return bucket, path


def _orderable(query: Query) -> bool:
    """Firestore orders a range by its own field first, and cannot go through ids backwards."""
    ranged = {where.field for where in query.where if where.operator != "=="}
    if query.order_by is not None:
        return ranged <= {query.order_by}
    whole = query.limit is None and query.after is None
    return whole or not (ranged or query.descending)


def _check_write(write: Write) -> None:
    name = f"{write.key.collection}/{write.key.id}"
    if not possible(write.key):
        raise BadInput(f"{name!r} cannot name a document. Use 1 to 1,500 bytes without '/'.")
    if not isinstance(write, Delete):
        size = _name_bytes(write.key) + _map_bytes(write.fields, depth=1)
        if size > DOCUMENT_BYTES:
            raise BadInput(f"{name!r} would have {size:,} bytes, more than 1 MiB. Split it, or keep it in a file.")


def _is_collection(path: str) -> bool:
    segments = path.split("/")
    return len(segments) % 2 == 1 and all(map(_nameable, segments))


def _nameable(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and not RESERVED.fullmatch(name) and _fits(name, NAME_BYTES)


def _fits(text: str, limit: int) -> bool:
    try:
        return len(text.encode()) <= limit
    except UnicodeEncodeError:
        return False


def _is_attribute(key: str, value: str) -> bool:
    named = key != "" and not RESERVED_ATTRIBUTE.fullmatch(key)
    return named and _fits(key, ATTRIBUTE_KEY_BYTES) and _fits(value, ATTRIBUTE_VALUE_BYTES)


def _name_bytes(key: Key) -> int:
    return sum(len(segment.encode()) + 1 for segment in (*key.collection.split("/"), key.id)) + 16


def _map_bytes(fields: Mapping[str, object], *, depth: int) -> int:
    """The size as Firestore counts it: https://firebase.google.com/docs/firestore/storage-size."""
    return 32 + sum(_field_bytes(name) + _value_bytes(value, depth=depth) for name, value in fields.items())


def _field_bytes(name: object) -> int:
    if not isinstance(name, str) or name == "" or RESERVED.fullmatch(name) or not _fits(name, NAME_BYTES):
        raise BadInput(f"{name!r} cannot name a field. Use text of 1 to 1,500 bytes, not '__…__'.")
    return len(name.encode()) + 1


def _value_bytes(value: object, *, depth: int) -> int:
    match value:
        case None | bool():
            return 1
        case int() if value in INT64:
            return 8
        case float() if math.isfinite(value):
            return 8
        case str() if _fits(value, VALUE_BYTES):
            return len(value.encode()) + 1
        case list() | tuple() if depth <= DEPTH:
            return _list_bytes(cast("Iterable[object]", value), depth=depth + 1)
        case dict() if depth <= DEPTH:
            return _map_bytes(cast("Mapping[str, object]", value), depth=depth + 1)
        case _:
            raise BadInput(f"A document cannot hold {_shown(value)}. Use JSON values, at most 20 levels deep.")


def _list_bytes(values: Iterable[object], *, depth: int) -> int:
    total = 0
    for value in values:
        if isinstance(value, (list, tuple)):
            raise BadInput("A list in a document cannot hold a list directly. Put an object in between.")
        total += _value_bytes(value, depth=depth)
    return total


def _shown(value: object) -> str:
    match value:
        case int() | float():
            return str(value)
        case str():
            return f"a text of {len(value):,} characters (more than {VALUE_BYTES:,} bytes, or not Unicode)"
        case _:
            return f"a {type(value).__name__} here"


def encoded(fields: Mapping[str, object]) -> bytes:
    """The fields as JSON whose bytes depend on nothing but the values."""
    return msgspec.json.encode(fields, order="deterministic")
