"""What the decoder says of a value, in the words of JSON: callers write JSON, in whatever language."""

import re

_WORDS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "NoneType": "null",
    "None": "null",
    "bytes": "string",
}
# Types alone: what else stands between backticks is the caller's own word, such as a field's name.
_TYPES = re.compile(r"\b(?:Expected|expected|got) `([A-Za-z_]+(?: \| [A-Za-z_]+)*)`")
_WORD = re.compile(r"`[^`]*`")


def in_json_words(said: str) -> str:
    """The complaint with JSON's names of types: ``Expected `integer | null`, got `string```."""
    return _TYPES.sub(lambda found: _WORD.sub(_named, found[0]), said)


def _named(types: re.Match[str]) -> str:
    names = dict.fromkeys(_WORDS.get(name, name) for name in types[0].strip("`").split(" | "))
    return f"`{' | '.join(names)}`"
