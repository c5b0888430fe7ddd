"""Read a chat request from its bytes; what is wrong with it names the field, as OpenAI does.

The first pass is one typed decode. Only a request that fails it pays for the second, which sets unknown top-level
fields aside (a route may drop them), reads messages with leniency, and words the fault.
"""

import re
from typing import TypeVar

import msgspec

from tuneway.errors import BadInput
from tuneway.json_words import in_json_words
from tuneway.prediction.hub.leniency import in_own_words
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest

T = TypeVar("T", bound=msgspec.Struct)
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(ChatRequest))
_DECODER = msgspec.json.Decoder(ChatRequest)
_FIELDS = msgspec.json.Decoder(dict[str, object])
_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CHOICES = {
    "role": "system, developer, user, assistant or tool",
    "type": "text, image_url, input_audio or file in content; function in tools and tool calls",
    "tool_choice": "none, auto, required or an object that names a function",
    "reasoning_effort": "none, minimal, low, medium, high, xhigh or max",
    "verbosity": "low, medium or high",
    "detail": "auto, low or high",
    "format": "wav or mp3",
}


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
        return msgspec.convert({**known, "unknown": unknown}, kind)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc


def _second_reading(body: bytes) -> ChatRequest:
    fields = _object(body)
    known = {
        name: in_own_words(value) if name == "messages" else value for name, value in fields.items() if name in _KNOWN
    }
    unknown = {name: value for name, value in fields.items() if name not in _KNOWN and value is not None}
    try:
        return msgspec.convert({**known, "unknown": unknown}, ExtendedRequest)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc


def _object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.ValidationError as exc:
        raise BadInput("The body must be a JSON object with 'model' and 'messages'.", code="invalid_json") from exc
    except _BROKEN as exc:
        raise broken_json(exc) from exc


def broken_json(exc: Exception) -> BadInput:
    """The refusal of a body that is no JSON."""
    reason = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
    return BadInput(f"The body is not valid JSON: {reason}.", code="invalid_json")


def bad_field(fault: str, *, under: str = "") -> BadInput:
    """The refusal of a field, from msgspec's words about it; ``under`` is where the value lies."""
    parsed = _FAULT.fullmatch(fault)
    what, path = (parsed["what"], parsed["path"] or "") if parsed else (fault, "")
    path = ".".join(part for part in (under, path) if part)
    if named := _FIELD.fullmatch(what):
        return _misnamed(named["name"], path, missing=named["fault"].startswith("missing"))
    return _mistyped(what, path)


def _misnamed(name: str, path: str, *, missing: bool) -> BadInput:
    param = f"{path}.{name}" if path else name
    if missing:
        return BadInput(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    return BadInput(f"Unknown parameter: '{param}'. Leave it out.", param=param, code="unknown_parameter")


def _mistyped(what: str, path: str) -> BadInput:
    choices = _CHOICES.get(path.rpartition(".")[2])
    hint = f" Use {choices}." if choices and what.startswith("Invalid") else ""
    code = "invalid_type" if ", got `" in what else "invalid_value"
    return BadInput(f"Invalid '{path}': {_plain(what)}.{hint}", param=path or None, code=code)


def _plain(what: str) -> str:
    """The fault in JSON's words: ``Expected `string`, got `integer```."""
    plain = in_json_words(what)
    return plain[:1].lower() + plain[1:]
