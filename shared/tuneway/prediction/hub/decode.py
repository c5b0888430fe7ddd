"""Read a chat request from its bytes; what is wrong with it names the field, as OpenAI does.

The first pass is one typed decode. Only a request that fails it pays for the second, which sets unknown top-level
fields aside (a route may drop them), reads messages with leniency, OpenAI's older words as the newer ones, and words
the fault.
"""

from typing import TypeVar

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.bad_fields import bad_field
from tuneway.prediction.hub.leniency import in_own_words, in_whole_numbers
from tuneway.prediction.hub.older import OLDER, Functions, in_newer_words
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest

T = TypeVar("T", bound=msgspec.Struct)
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(ChatRequest))
_DECODER = msgspec.json.Decoder(ChatRequest)
_FIELDS = msgspec.json.Decoder(dict[str, object])
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REASONS = {"Input data was truncated": "it is empty or ends too early"}


def decode_chat_request(body: bytes) -> ChatRequest:
    """The request. Raises BadInput with ``param`` (``messages[1].content``) when JSON, a type or a range is wrong."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        return _second_reading(body)
    except _BROKEN as exc:
        raise broken_json(exc) from exc


def with_unknown(body: bytes, kind: type[T], *, needs: str) -> T:
    """A surface's request as ``kind``, the names of unknown fields in its ``unknown``.

    Raises BadInput with ``param``; ``needs`` is the field that a body that is no object is told of beside ``model``.
    """
    try:
        fields = _FIELDS.decode(body)
    except msgspec.ValidationError as exc:
        raise BadInput(f"The body must be a JSON object with 'model' and '{needs}'.", code="invalid_json") from exc
    except _BROKEN as exc:
        raise broken_json(exc) from exc
    names = {field.name for field in msgspec.structs.fields(kind)} - {"unknown"}
    known = {name: value for name, value in fields.items() if name in names}
    unknown = tuple(name for name, value in fields.items() if name not in names and value is not None)
    try:
        return msgspec.convert({**in_whole_numbers(known), "unknown": unknown}, kind)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc


def _second_reading(body: bytes) -> ChatRequest:
    fields = _object(body)
    known = {name: value for name, value in fields.items() if name in _KNOWN and name not in OLDER}
    unknown = {name: value for name, value in fields.items() if name not in _KNOWN and value is not None}
    if "messages" in known:
        known["messages"], known["older"] = in_newer_words(in_own_words(known["messages"]))
    try:
        older = msgspec.convert(fields, Functions)
        request = msgspec.convert({**in_whole_numbers(known), "unknown": unknown}, ExtendedRequest)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    return older.laid_over(request)


def _object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.ValidationError as exc:
        raise BadInput("The body must be a JSON object with 'model' and 'messages'.", code="invalid_json") from exc
    except _BROKEN as exc:
        raise broken_json(exc) from exc


def broken_json(exc: Exception) -> BadInput:
    """The refusal of a body that is no JSON."""
    reason = "it is nested too deeply" if isinstance(exc, RecursionError) else _REASONS.get(str(exc), str(exc))
    return BadInput(f"The body is not valid JSON: {reason}.", code="invalid_json")
