"""An answer or chunk as OpenAI's document has it, made of what OpenAI-compatible servers send: one rule, one function.

| servers send | the caller gets |
|---|---|
| ``reasoning`` (vLLM, Ollama), ``thinking`` parts (Mistral) | ``reasoning_content`` |
| content as a list of parts | its text |
| tool calls without an id or a type, or as one object | an id, ``function``, a list |
| arguments as an object | arguments as JSON text |
| null where a field may only be absent; no ``refusal`` or ``logprobs`` where they must stand | what OpenAI sends |
| ``eos_token``, ``model_length``, ``abort`` and other reasons | one of OpenAI's; ``native_finish_reason`` where the \
window was full |

Fields nobody here knows stay as they are.
"""

from collections.abc import Callable
from typing import NamedTuple

from tuneway.prediction.dialects.openai.counts import clean_usage
from tuneway.prediction.dialects.openai.passage import Kind, Passage
from tuneway.prediction.dialects.openai.values import (
    Fields,
    is_list,
    is_object,
    is_whole,
    json_text,
    objects_in,
    without,
)
from tuneway.prediction.hub.answer import WINDOW_FULL

FINISHES: dict[str, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "function_call",
    "max_tokens": "length",
    "model_length": "length",
    WINDOW_FULL: "length",
    "safety": "content_filter",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
}
# Mistral's word for a full context window, and the others'.
_WINDOW_FULL = frozenset({"model_length", WINDOW_FULL})
_ABSENT_AT_TOP = frozenset({"system_fingerprint", "prompt_logprobs", "kv_transfer_params", "usage", "error", "object"})
_ABSENT_IN_MESSAGE = frozenset({"tool_calls", "function_call", "annotations", "reasoning_content", "role", "audio"})
_ABSENT_IN_CALL = frozenset({"id", "type", "index"})
_REASONING = ("reasoning_content", "reasoning")
_OBJECTS: dict[Kind, tuple[str, str]] = {
    "chat": ("chat.completion", "chat.completion.chunk"),
    "text": ("text_completion", "text_completion"),
}


def clean_completion(fields: Fields, passage: Passage) -> Fields:
    """A whole answer; ``usage`` is left to whoever counts."""
    return _headed(fields, passage, chunk=False)


def clean_chunk(fields: Fields, passage: Passage) -> Fields:
    """A chunk, also of a server that answers a stream with a whole answer."""
    return _headed(fields, passage, chunk=True)


def _headed(fields: Fields, passage: Passage, *, chunk: bool) -> Fields:
    given_id, created = fields.get("id"), fields.get("created")
    clean = _CHUNK_CHOICES[passage.kind] if chunk else _WHOLE_CHOICES[passage.kind]
    choices = enumerate(objects_in(fields.get("choices")))
    usage = fields.get("usage")
    return {
        **without(fields, _ABSENT_AT_TOP),
        **({"usage": clean_usage(usage)} if is_object(usage) else {}),
        "id": given_id if isinstance(given_id, str) and given_id else passage.id,
        "object": _OBJECTS[passage.kind][chunk],
        "created": created if is_whole(created) and created else passage.created,
        "model": passage.model,
        "choices": [clean(choice, position, passage) for position, choice in choices],
    }


def _whole_choice(choice: Fields, position: int, passage: Passage) -> Fields:
    message = choice.get("message")
    index = _index(choice, position)
    return {
        **choice,
        "index": index,
        "message": _message(message if is_object(message) else {}, index, passage),
        "logprobs": _logprobs(choice.get("logprobs")),
        "finish_reason": _finish(choice.get("finish_reason")) or "stop",
        **_native(choice),
    }


def _message(message: Fields, index: int, passage: Passage) -> Fields:
    calls = [_call(call, _Place(index, position), passage) for position, call in _numbered(message, "tool_calls")]
    return {
        **without(_spoken(message), _ABSENT_IN_MESSAGE - {"audio"}),
        "role": "assistant",
        "content": _text(message.get("content")),
        "refusal": _text(message.get("refusal")),
        **({"tool_calls": calls} if calls else {}),
    }


def _chunk_choice(choice: Fields, position: int, passage: Passage) -> Fields:
    delta = choice.get("delta") or choice.get("message")
    index = _index(choice, position)
    return {
        **{name: value for name, value in choice.items() if name != "message"},
        "index": index,
        "delta": _delta(delta if is_object(delta) else {}, index, passage),
        "logprobs": _logprobs(choice.get("logprobs")),
        "finish_reason": _finish(choice.get("finish_reason")),
        **_native(choice),
    }


def _delta(delta: Fields, index: int, passage: Passage) -> Fields:
    calls = [_piece(call, _Place(index, position), passage) for position, call in _numbered(delta, "tool_calls")]
    content = {"content": _text(delta["content"])} if "content" in delta else {}
    return {
        **without(_spoken(delta), _ABSENT_IN_MESSAGE),
        **content,
        **({"tool_calls": calls} if calls else {}),
    }


def _spoken(message: Fields) -> Fields:
    """A message or delta with its thoughts under the one name, and without calls that are none."""
    thoughts = next((text for name in _REASONING if (text := _text(message.get(name)))), "")
    thoughts = thoughts or "".join(_text(part.get("thinking")) or "" for part in objects_in(message.get("content")))
    rest = {name: value for name, value in message.items() if name not in _REASONING and name != "tool_calls"}
    return {**rest, "reasoning_content": thoughts} if thoughts else rest


class _Place(NamedTuple):
    """Where a tool call stands: its choice, and its position among the calls."""

    choice: int
    position: int


def _call(call: Fields, place: _Place, passage: Passage) -> Fields:
    """A whole tool call; one that is no function stays as it is."""
    named = {**_known(call), "id": _id(call) or passage.call_id(*place)}
    if not is_object(function := call.get("function")):
        return named
    return {**named, "type": "function", "function": {**function, "arguments": _arguments(function) or "{}"}}


def _piece(call: Fields, place: _Place, passage: Passage) -> Fields:
    """A piece of a tool call: the first bears a name, and with it id and type."""
    index = call.get("index")
    place = _Place(place.choice, index if is_whole(index) else place.position)
    named = {**_known(call), "index": place.position}
    if not is_object(function := call.get("function")):
        return named
    piece = without(function, frozenset({"name", "arguments"}))
    if "arguments" in piece:
        piece = {**piece, "arguments": json_text(piece["arguments"])}
    first = {"id": _id(call) or passage.call_id(*place), "type": "function"} if piece.get("name") else {}
    return {**named, **first, "function": piece}


def _known(call: Fields) -> Fields:
    """A call without the null or empty id, type and index that some servers write."""
    return {name: value for name, value in call.items() if name not in _ABSENT_IN_CALL or value not in (None, "")}


def _id(call: Fields) -> str:
    given = call.get("id")
    return given if isinstance(given, str) else ""


def _arguments(function: Fields) -> str:
    given = function.get("arguments")
    return "" if given is None else json_text(given)


def _numbered(message: Fields, name: str) -> list[tuple[int, Fields]]:
    return list(enumerate(objects_in(message.get(name))))


def _text_choice(choice: Fields, position: int, _passage: Passage) -> Fields:
    """A choice of ``/completions``; a server that answers as a chat (Mistral's fill-in-the-middle) is understood."""
    said = choice.get("message") or choice.get("delta")
    spoken = said.get("content") if is_object(said) else choice.get("text")
    finish = _finish(choice.get("finish_reason"))
    return {
        **{name: value for name, value in choice.items() if name not in {"message", "delta"}},
        "text": _text(spoken) or "",
        "index": _index(choice, position),
        "logprobs": choice.get("logprobs"),
        "finish_reason": "stop" if finish in {"tool_calls", "function_call"} else finish,
        **_native(choice),
    }


def _whole_text_choice(choice: Fields, position: int, passage: Passage) -> Fields:
    clean = _text_choice(choice, position, passage)
    return {**clean, "finish_reason": clean["finish_reason"] or "stop"}


def _index(choice: Fields, position: int) -> int:
    index = choice.get("index")
    return index if is_whole(index) else position


def _text(value: object) -> str | None:
    """Text, or the text of its parts; None when there is none."""
    if is_list(value):
        return "".join(_text(part.get("text")) or "" for part in objects_in(value))
    return value if isinstance(value, str) else None


def _logprobs(value: object) -> object:
    if not is_object(value):
        return None
    lists = {"content": None, "refusal": None, **value}
    return {name: [_token(token) for token in held] if is_list(held) else held for name, held in lists.items()}


def _token(token: object) -> object:
    """A token with the fields that must stand; nobody but OpenAI gives its bytes."""
    if not is_object(token):
        return token
    tops = [{"bytes": None, **top} for top in objects_in(token.get("top_logprobs"))]
    return {"bytes": None, **token, "top_logprobs": tops}


def _finish(reason: object) -> str | None:
    """One of OpenAI's reasons; ``stop`` for any that is none of the others."""
    return FINISHES.get(reason.lower(), "stop") if isinstance(reason, str) and reason else None


def _native(choice: Fields) -> Fields:
    return {"native_finish_reason": WINDOW_FULL} if choice.get("finish_reason") in _WINDOW_FULL else {}


_Clean = Callable[[Fields, int, Passage], Fields]
_WHOLE_CHOICES: dict[Kind, _Clean] = {"chat": _whole_choice, "text": _whole_text_choice}
_CHUNK_CHOICES: dict[Kind, _Clean] = {"chat": _chunk_choice, "text": _text_choice}
