"""JSON bodies in and out of the doors, with errors that name the field."""

import re
from typing import TypeVar

import msgspec

from tuneway.errors import BadInput
from tuneway.json_words import in_json_words

T = TypeVar("T")
PLACE = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]+)`")
MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]+)`")


def decoded(body: bytes, kind: type[T]) -> T:
    """The body as ``kind``. Raises BadInput with the field's path as ``param``."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as fault:
        raise _bad_field(str(fault)) from fault
    except msgspec.DecodeError as fault:
        raise BadInput(f"The body is not valid JSON: {fault}.", code="invalid_json") from fault
    except UnicodeDecodeError as fault:
        raise BadInput("The body is not UTF-8.", code="invalid_json") from fault
    except RecursionError as fault:
        raise BadInput("The body is nested too deeply. Make it flatter.", code="invalid_json") from fault


def _bad_field(text: str) -> BadInput:
    place = PLACE.search(text)
    path = place["path"] if place else ""
    fact = in_json_words(text[: place.start()] if place else text)
    if unknown := UNKNOWN.match(fact):
        param = _joined(path, unknown["field"])
        return BadInput(f"Unknown parameter: '{param}'. Remove it.", param=param, code="unknown_parameter")
    if missing := MISSING.match(fact):
        param = _joined(path, missing["field"])
        return BadInput(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    return BadInput(f"{fact} for '{path}'." if path else f"{fact}.", param=path or None, code="invalid_type")


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field
