"""Why a line is not a row: from the decoder's complaint to a finding with path, rule and fact."""

import re

import msgspec

from tuneway.tuning.datasets.report import Finding, excerpt

_PLACED = re.compile(r"^(?P<fact>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_BYTE = re.compile(r"\(byte (\d+)\)")
_FIELD = re.compile(r"field `(?P<field>.*)`$", re.DOTALL)
_AROUND = 20

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
    "completions": " Preference data (several completions with scores) is not supervised tuning.",
}
_QUOTED = re.compile(r"['`](\w+)['`]")


def fault(error: Exception, line: bytes) -> Finding:
    """The finding for what a decoder raised on ``line``."""
    match error:
        case UnicodeDecodeError():
            return Finding("not_utf8", "$", "The line is not UTF-8.", shown(line))
        case msgspec.ValidationError():
            return _misshaped(str(error), line)
        case RecursionError():
            return Finding("not_json", "$", "The row is nested too deeply.", shown(line))
        case _:
            return _broken(str(error), line)


def shown(line: bytes) -> str:
    """The beginning of a line, whatever its bytes."""
    return excerpt(line[:200].decode(errors="replace"))


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
    if rule == "wrong_type" and path.endswith(".role") and fact.startswith("Invalid value"):
        rule = "unknown_role"
    return Finding(rule, path, f"{excerpt(fact)}.{_hint(fact)}", shown(line))


def _hint(fact: str) -> str:
    quoted = _QUOTED.search(fact)
    return _HINTS.get(quoted[1], "") if quoted else ""
