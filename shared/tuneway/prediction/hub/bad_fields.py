"""What is wrong with a field, named as OpenAI names it."""

import re

from tuneway.errors import BadInput
from tuneway.json_words import in_json_words

_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_CHOICES = {
    "role": "system, developer, user, assistant or tool",
    "type": "text, image_url, input_audio or file in content; function in tools and tool calls",
    "tool_choice": "none, auto, required or an object that names a function",
    "reasoning_effort": "none, minimal, low, medium, high, xhigh or max",
    "verbosity": "low, medium or high",
    "detail": "auto, low or high",
    "format": "wav or mp3",
}


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
    if not path:
        return BadInput(f"The body must be a JSON object: {_plain(what)}.", code="invalid_type")
    choices = _CHOICES.get(path.rpartition(".")[2])
    hint = f" Use {choices}." if choices and what.startswith("Invalid") else ""
    code = "invalid_type" if ", got `" in what else "invalid_value"
    return BadInput(f"Invalid '{path}': {_plain(what)}.{hint}", param=path or None, code=code)


def _plain(what: str) -> str:
    """The fault in JSON's words: ``Expected `string`, got `integer```."""
    plain = in_json_words(what)
    return plain[:1].lower() + plain[1:]
