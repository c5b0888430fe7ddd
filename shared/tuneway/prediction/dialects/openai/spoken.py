"""The caller's messages as a server takes them: its names for roles, its forms of parts, nothing that it chokes on.

What is passed on is read only where the server's row (``servers.py``) says that something of it may differ.
"""

import binascii
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import msgspec
from msgspec import Raw

from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.servers import Form, Server, server_of
from tuneway.prediction.dialects.openai.values import is_list, is_object
from tuneway.prediction.hub.bad_fields import bad_field
from tuneway.prediction.hub.messages import InputAudio, InputFile
from tuneway.routing.routes import Target

T = TypeVar("T")
RawFields = dict[str, Raw]

# LiteLLM's own note on a message, which it sends back with it; OpenAI refuses it.
ELSEWHERE = "provider_specific_fields"
# A document by its address: Anthropic's clients may send one, OpenAI's API has no word for it.
_BY_ADDRESS = '"file_id":"http'
_ENCODER = msgspec.json.Encoder()
_MESSAGES = msgspec.json.Decoder(list[RawFields])
_NOTHING = Raw(b"null")
_DATA_URL = re.compile(r"data:[^,]*,.+", re.DOTALL)
_CALL_IDS = ("tool_calls", "tool_call_id")
_NINE = re.compile(r"[a-zA-Z0-9]{9}")


class _File(msgspec.Struct):
    file: InputFile


class _Sound(msgspec.Struct):
    input_audio: InputAudio


def spoken(fields: RawFields, target: Target, *, alias: str) -> RawFields:
    """The body with its messages told; what are no messages is the server's to refuse.

    Raises BadInput naming a part that the server does not take.
    """
    said = bytes(fields.get("messages", _NOTHING))
    if not any(word in said for word in _telling(target)):
        return fields
    server = server_of(target)
    try:
        messages = _MESSAGES.decode(said)
    except msgspec.ValidationError:
        return fields
    told = [_message(one, server, _Place(alias, f"messages[{at}]")) for at, one in enumerate(messages)]
    return {**fields, "messages": Raw(_ENCODER.encode(told))}


@lru_cache(maxsize=1024)
def _telling(target: Target) -> tuple[bytes, ...]:
    """Messages without any of these words are passed on unread."""
    server = server_of(target)
    ids = () if server.call_ids == "any" else _CALL_IDS
    words = (*server.roles, *server.forms, *server.refused_parts, *server.foreign, *ids, ELSEWHERE, _BY_ADDRESS)
    return tuple(word.encode() for word in words)


class _Place(msgspec.Struct, frozen=True):
    """Where something stands, and in a request for which model."""

    alias: str
    param: str

    def within(self, path: str) -> "_Place":
        return _Place(self.alias, f"{self.param}{path}")

    def refused(self, why: str) -> BadInput:
        return BadInput(f"'{self.alias}' {why}", param=self.param, code="unsupported_value")


def _message(message: RawFields, server: Server, place: _Place) -> RawFields:
    kept = {name: value for name, value in message.items() if name != ELSEWHERE and name not in server.foreign}
    role = msgspec.json.decode(message.get("role", _NOTHING))
    if isinstance(role, str) and role in server.roles:
        kept["role"] = Raw(_ENCODER.encode(server.roles[role]))
    if "refusal" in server.foreign and _is_nothing(kept.get("content")) and not _is_nothing(message.get("refusal")):
        kept["content"] = message["refusal"]
    if bytes(kept.get("content", _NOTHING)).startswith(b"["):
        kept["content"] = _content(kept["content"], server, place.within(".content"))
    return kept if server.call_ids == "any" else _with_short_ids(kept)


def _with_short_ids(message: RawFields) -> RawFields:
    """The message with ids of nine letters or digits: a conversation begun elsewhere has others.

    Source: Mistral's error 3280, "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9".
    """
    given: dict[str, object] = {name: msgspec.json.decode(message[name]) for name in _CALL_IDS if name in message}
    told: dict[str, object] = {name: _short(value) for name, value in given.items() if isinstance(value, str)}
    if is_list(calls := given.get("tool_calls")):
        told["tool_calls"] = [_call(call) for call in calls]
    return {**message, **{name: Raw(_ENCODER.encode(value)) for name, value in told.items()}}


def _call(call: object) -> object:
    return {**call, "id": _short(call["id"])} if is_object(call) and isinstance(call.get("id"), str) else call


def _short(given: object) -> str:
    """The id, or nine digits made of it: the same for a call and its result, in every later request."""
    text = str(given)
    return text if _NINE.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:9]


def _is_nothing(value: Raw | None) -> bool:
    return value is None or bytes(value) == b"null"


def _content(content: Raw, server: Server, place: _Place) -> Raw:
    try:
        parts = msgspec.json.decode(content, type=list[RawFields])
    except msgspec.ValidationError:
        return content
    return Raw(_ENCODER.encode([_part(part, server, place.within(f"[{at}]")) for at, part in enumerate(parts)]))


def _part(part: RawFields, server: Server, place: _Place) -> RawFields:
    kind = msgspec.json.decode(part.get("type", _NOTHING))
    if kind in server.refused_parts:
        raise place.refused(f"takes no '{kind}' parts. Leave it out, or send what it says as text.")
    if isinstance(kind, str) and kind in server.forms:
        return _FORMS[server.forms[kind]](part, place)
    if kind == "file" and _BY_ADDRESS.encode() in _ENCODER.encode(part):
        raise place.within(".file.file_id").refused("takes no document by its address. Send its data as 'file_data'.")
    return part


def _as_document(part: RawFields, place: _Place) -> RawFields:
    """Mistral's form. Source: ``DocumentURLChunk`` in https://docs.mistral.ai/api."""
    file = _read(part, _File, place).file
    if (address := _address(file)) is None:
        field = "file_id" if file.file_data is None else "file_data"
        raise place.within(f".file.{field}").refused(
            "takes documents as 'file_data' (a data: URL or base64), or as a 'file_id' that is an https:// URL."
        )
    told = {"type": "document_url", "document_url": address}
    if file.filename is not None:
        told["document_name"] = file.filename
    return {name: Raw(_ENCODER.encode(value)) for name, value in told.items()}


def _address(file: InputFile) -> str | None:
    """Where a document is: in itself, or on the web; bare base64 is taken for a PDF."""
    data = file.file_data
    if data is None:
        return file.file_id if file.file_id is not None and file.file_id.startswith("https://") else None
    if _DATA_URL.fullmatch(data):
        return data
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    return f"data:application/pdf;base64,{data}"


def _as_sound(part: RawFields, place: _Place) -> RawFields:
    """Mistral's form: the data alone. Source: ``AudioChunk`` in https://docs.mistral.ai/api."""
    data = _read(part, _Sound, place).input_audio.data
    return {"type": part["type"], "input_audio": Raw(_ENCODER.encode(data))}


def _read(part: RawFields, kind: type[T], place: _Place) -> T:
    try:
        return msgspec.json.decode(_ENCODER.encode(part), type=kind)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc), under=place.param) from exc


_FORMS: dict[Form, Callable[[RawFields, _Place], RawFields]] = {"document_url": _as_document, "sound_text": _as_sound}
