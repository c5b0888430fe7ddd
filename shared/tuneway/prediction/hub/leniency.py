"""What clients send beside OpenAI's own words, and what they mean by it.

- Nulls for fields that are absent.
- An earlier answer given back with whatever its host or an SDK had put into it (``reasoning``, ``images``,
  ``reasoning_details``, …): what is no part of a conversation is set aside there, and only there.
- ``cache_control`` beside the content, LiteLLM's place for it, instead of in the last part.
- ``5.0`` for ``5``: JSON has one kind of number, and not every language writes whole ones without a fraction.
"""

import msgspec

from tuneway.prediction.hub.messages import AssistantMessage

_ANSWERED = frozenset({"role", *(field.encode_name for field in msgspec.structs.fields(AssistantMessage))})
_HINT = "cache_control"


def in_whole_numbers(fields: dict[str, object]) -> dict[str, object]:
    """A request's fields, whole numbers without a fraction."""
    return {name: _whole(value) for name, value in fields.items()}


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def in_own_words(messages: object) -> object:
    """The messages, as far as they are any, in words that the hub knows."""
    if not isinstance(messages, list):
        return messages
    return [_message(message) for message in _without_nulls(msgspec.convert(messages, list[object]))]


def _message(message: object) -> object:
    if not isinstance(message, dict):
        return message
    fields = msgspec.convert(message, dict[str, object])
    if _HINT in fields:
        hint = fields.pop(_HINT)
        fields["content"] = _hinted(fields.get("content"), hint)
    if fields.get("role") == "assistant":
        return {name: value for name, value in fields.items() if name in _ANSWERED}
    return fields


def _hinted(content: object, hint: object) -> object:
    """The content with the hint in its last part; what can bear none stays as it is."""
    if isinstance(content, str):
        return [{"type": "text", "text": content, _HINT: hint}] if content else content
    if not isinstance(content, list):
        return content
    parts = msgspec.convert(content, list[object])
    if not parts or not isinstance(parts[-1], dict):
        return parts
    return [*parts[:-1], {_HINT: hint, **msgspec.convert(parts[-1], dict[str, object])}]


def _without_nulls(items: list[object]) -> list[object]:
    return [_kept(item) for item in items]


def _kept(value: object) -> object:
    """Without the nulls that SDKs write for absent fields; a null ``content`` has a meaning, or is a fault."""
    if isinstance(value, list):
        return _without_nulls(msgspec.convert(value, list[object]))
    if not isinstance(value, dict):
        return value
    fields = msgspec.convert(value, dict[str, object])
    return {name: _kept(held) for name, held in fields.items() if held is not None or name == "content"}
