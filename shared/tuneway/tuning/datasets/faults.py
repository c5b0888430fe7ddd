"""Why a line is not a row: from the decoder's complaint to a finding with path, rule and fact."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from tuneway.tuning.datasets.losses import Inexpressible
from tuneway.tuning.datasets.report import Finding, excerpt

_PLACED = re.compile(r"^(?P<fact>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_BYTE = re.compile(r"\(byte (\d+)\)")
_FIELD = re.compile(r"field `(?P<field>.*)`$", re.DOTALL)
_AROUND = 20
_READ = 400

# What the decoder says at the start of its complaint → rule.
_RULES = (
    ("Object contains unknown field", "unknown_key"),
    ("Object missing required field", "missing_key"),
)
_HINTS = {
    "function": " Use 'tool' with a tool_call_id instead of 'function'.",
    "model": " OpenAI chat says 'assistant'.",
    "human": " OpenAI chat says 'user'.",
    "gpt": " OpenAI chat says 'assistant'.",
    "system_instruction": " It is spelled systemInstruction.",
}
_QUOTED = re.compile(r"['`](\w+)['`]")
_ROLES = ("system", "developer", "user", "assistant", "tool")
# The decoder's names of types, in the words of JSON.
_JSON_WORDS = {
    "str": "string",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "dict": "object",
    "list": "array",
    "NoneType": "null",
    "bytes": "string",
}
_TYPES = re.compile(r"`([a-zA-Z_]+(?: \| [a-zA-Z_]+)*)`")
_WORD = re.compile(rf"\b(?:{'|'.join(_JSON_WORDS)})\b")


class UnknownForm(ValueError):
    """The row is a JSON object of no known form."""


def fault(error: Exception, line: bytes) -> Finding:
    """The finding for what a decoder raised on ``line``."""
    match error:
        case UnicodeDecodeError():
            return Finding("not_utf8", "$", "The line is not UTF-8.", shown(line))
        case msgspec.ValidationError():
            return _misshaped(str(error), line)
        case Inexpressible():
            return error.finding
        case UnknownForm():
            return Finding("unknown_form", "$", "The row's keys tell no known form.", shown(line))
        case RecursionError():
            return Finding("not_json", "$", "The row is nested too deeply.", shown(line))
        case _:
            return _broken(str(error), line)


def shown(line: bytes) -> str:
    """The beginning of a line, whatever its bytes."""
    return excerpt(line[:_READ].decode(errors="replace"))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names was probably meant, or None."""
    found = get_close_matches(name.strip().lower(), [*known], n=1, cutoff=0.75)
    return found[0] if found else None


def _broken(said: str, line: bytes) -> Finding:
    try:
        line.decode()
    except UnicodeDecodeError:
        return Finding("not_utf8", "$", "The line is not UTF-8.", shown(line))
    at = _BYTE.search(said)
    if at is None:
        # The decoder says only that something is missing at the end.
        return Finding("not_json", "$", "The JSON ends too early.", shown(line[-3 * _AROUND :]))
    place = int(at[1])
    return Finding("not_json", "$", f"{said}.", shown(line[max(0, place - _AROUND) : place + 2 * _AROUND]))


def _misshaped(said: str, line: bytes) -> Finding:
    parts = _PLACED.match(said)
    fact, path = (parts["fact"], parts["path"] or "$") if parts else (said, "$")
    rule = next((rule for start, rule in _RULES if fact.startswith(start)), "wrong_type")
    if field := _FIELD.search(fact):
        path = f"{path}.{excerpt(field['field'])}"
    rule = _closer(rule, path, fact)
    words = _WORDS_OF[rule] if rule in _WORDS_OF else f"{excerpt(_in_json_words(fact))}."
    return Finding(rule, path, f"{words}{_hint(fact, rule)}", shown(line))


# What the decoder's fact says less plainly.
_WORDS_OF = {
    "empty_content": "The content is null.",
    "bad_weight": "The weight is neither 0 nor 1, or stands in a turn that is no answer.",
}


def _closer(rule: str, path: str, fact: str) -> str:
    """The rule that says more than a wrong type does."""
    if rule == "wrong_type" and path.endswith(".role") and fact.startswith("Invalid value"):
        return "unknown_role"
    if path.endswith(".weight"):
        return "bad_weight"
    return "empty_content" if path.endswith(".content") and fact.endswith("got `null`") else rule


def _in_json_words(fact: str) -> str:
    return _TYPES.sub(lambda types: _WORD.sub(lambda word: _JSON_WORDS[word[0]], types[0]), fact)


def _hint(fact: str, rule: str) -> str:
    quoted = _QUOTED.search(fact)
    if quoted is None:
        return ""
    if said := _HINTS.get(quoted[1]):
        return said
    meant = nearest(quoted[1], _ROLES) if rule == "unknown_role" else None
    return f" Did you mean '{meant}'?" if meant else ""
