r"""Every shape of prediction in common use, read as answers.

| shape | read as |
|---|---|
| a string; ``Prompt:\n…\nOutput:\n…`` (Model Garden's vLLM) | its text; what follows ``Output:`` |
| an object with one of ``CONTAINERS``, ``{"choices": […]}`` and ``{"candidates": […]}`` foremost | what is in it |
| an object with one of ``TEXTS`` (``content``, ``generated_text``, ``output``, …) | that text |
| ``content`` or ``parts`` as a list (OpenAI's and Gemini's parts) | the joined texts of its parts |
| a list that ends with ``{"role": …, "content": …}`` (a conversation) | its last message |
| any other list, lists of lists too | one answer for each |

Anything else holds no answer, and the caller learns its shape: an empty answer is never made up.
"""

from collections.abc import Iterable, Mapping
from typing import TypeGuard

import msgspec

from tuneway.prediction.hub.answer import FinishReason, Usage

CONTAINERS = ("predictions", "choices", "candidates", "outputs", "generations", "results")
TEXTS = (
    "content",
    "parts",
    "text",
    "generated_text",
    "generation",
    "output_text",
    "text_output",
    "output",
    "prediction",
    "response",
    "completion",
    "answer",
    "result",
    "data",
    "message",
)
_JOINED = frozenset({"content", "parts"})
_FINISHES: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "max_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
}
_ECHO, _OUTPUT = "Prompt:\n", "\nOutput:\n"
_SHOWN = 12


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One answer a container gave; ``finish`` is None when it does not say why it ended."""

    text: str
    finish: FinishReason | None = None


def answers_in(value: object, *, prompt: str | None = None) -> list[Answer]:
    """The answers in a decoded body; none when it holds no shape of the table.

    Raises RecursionError for one that is nested too deeply for anything to be found in it.
    """
    if isinstance(value, str):
        return [Answer(_without_echo(value, prompt))]
    if is_object(value):
        return _in_object(value, prompt)
    return _in_list(value, prompt) if is_list(value) else []


def usage_in(body: object) -> Usage | None:
    """The tokens a container counted: OpenAI's ``usage``, or Vertex AI's ``metadata.tokenMetadata``."""
    if not is_object(body):
        return None
    for holder in (body, body.get("predictions"), _first(body.get("predictions"))):
        if is_object(holder) and is_object(usage := holder.get("usage")):
            return _counted(usage.get("prompt_tokens"), usage.get("completion_tokens"))
    tokens = _at(body, "metadata", "tokenMetadata")
    return _counted(_at(tokens, "inputTokenCount", "totalTokens"), _at(tokens, "outputTokenCount", "totalTokens"))


def shape_of(value: object) -> str:
    """What a body is, in keys and types only: ``{predictions: [{score: number}]}``."""
    return _shape(value, depth=4)


def finish_of(reason: object) -> FinishReason | None:
    """A container's reason in OpenAI's words; ``stop`` for any it gives that is none of the others."""
    return _FINISHES.get(reason.lower(), "stop") if isinstance(reason, str) and reason else None


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether decoded JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether decoded JSON is an array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[int]:
    """Whether decoded JSON is a whole number; Python takes true and false for some."""
    return isinstance(value, int) and not isinstance(value, bool)


def _in_object(value: dict[str, object], prompt: str | None) -> list[Answer]:
    for key in CONTAINERS + TEXTS:
        if (held := value.get(key)) is None:
            continue
        if found := _joined(held, prompt) if key in _JOINED else answers_in(held, prompt=prompt):
            return _finished(found, _reason(value))
    return []


def _in_list(values: list[object], prompt: str | None) -> list[Answer]:
    last = values[-1] if values else None
    if is_object(last) and "role" in last and "content" in last:
        return answers_in(last, prompt=prompt)
    return [answer for value in values for answer in answers_in(value, prompt=prompt)]


def _joined(value: object, prompt: str | None) -> list[Answer]:
    found = answers_in(value, prompt=prompt)
    return [Answer("".join(answer.text for answer in found))] if is_list(value) and found else found


def _finished(answers: list[Answer], reason: FinishReason | None) -> list[Answer]:
    return [Answer(answer.text, answer.finish or reason) for answer in answers] if reason else answers


def _reason(value: Mapping[str, object]) -> FinishReason | None:
    return finish_of(value.get("finish_reason") or value.get("finishReason") or value.get("stop_reason"))


def _without_echo(text: str, prompt: str | None) -> str:
    """What follows the prompt's echo; the prompt that was sent is the surest mark, it may itself say ``Output:``."""
    sent = f"{_ECHO}{(prompt or '').strip()}{_OUTPUT}"
    if text.startswith(sent):
        return text.removeprefix(sent)
    return text.partition(_OUTPUT)[2] if text.startswith(_ECHO) and _OUTPUT in text else text


def _counted(read: object, written: object) -> Usage | None:
    if not is_number(read) or not is_number(written):
        return None
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def _at(value: object, *keys: str) -> object:
    """What lies under ``keys``, one inside the other; None where one is missing."""
    for key in keys:
        value = value.get(key) if is_object(value) else None
    return value


def _first(value: object) -> object:
    return value[0] if is_list(value) and value else None


def _shape(value: object, *, depth: int) -> str:
    if is_object(value):
        return (
            "{" + _listed(f"{key[:40]}: {_shape(value[key], depth=depth - 1)}" for key in value) + "}"
            if depth
            else "{…}"
        )
    if is_list(value):
        return f"[{_shape(value[0], depth=depth - 1)}]" if value and depth else "[]" if not value else "[…]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return "string" if isinstance(value, str) else "number"


def _listed(items: Iterable[str]) -> str:
    shown = list(items)
    return ", ".join(shown[:_SHOWN] + ["…"] * (len(shown) > _SHOWN))
