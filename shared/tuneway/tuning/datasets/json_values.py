"""Where a JSON value ends in bytes, by its strings and brackets alone."""

import re

GAP = re.compile(rb"[ \t\r\n]*([,\]])[ \t\r\n]*")
"""What may stand behind a value of an array."""

_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# The next bracket outside of strings.
_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
_SCALAR = re.compile(_STRING + rb'|[^"{}\[\],: \t\r\n]++', re.DOTALL)
_OPEN = b"{["
_QUOTE = ord('"')


def blank_end(text: bytes, at: int) -> int:
    """Where the white space at ``at`` ends."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def value_end(text: bytes, at: int, *, ended: bool) -> int:
    """Where the value at ``at`` ends, or 0 when it is not all there; ``ended`` says that no more will come.

    What is between the brackets is not looked at: whoever decodes the value says what is wrong with it.
    """
    if text[at : at + 1] in {b"{", b"["}:
        return _closed(text, at)
    found = _SCALAR.match(text, at)
    if found is None:
        return 0
    whole = ended or found.end() < len(text) or text[at] == _QUOTE
    return found.end() if whole else 0


def one_line(value: bytes) -> bytes:
    """The value on one line: in JSON a line break stands between tokens only."""
    return value.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in value or b"\r" in value else value


def _closed(text: bytes, at: int) -> int:
    depth = 0
    while found := _BRACKET.match(text, at):
        at = found.end()
        depth += 1 if text[at - 1] in _OPEN else -1
        if not depth:
            return at
    return 0
