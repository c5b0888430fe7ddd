"""The tables of ``infra/``: locals of plain values, read from Terraform's own files so that nothing is told twice."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuneway.errors import BadInput
from tuneway.local.manifest import ROOT

INFRA = ROOT / "infra"
TOKEN = re.compile(r'"[^"\\]*"|[\w.-]+|[{}\[\]=,]|#[^\n]*|\s+')


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A composite index: documents by one field, in the order of another."""

    collection: str
    equal: str
    order: str
    direction: str


class Tables(msgspec.Struct, frozen=True):
    """What ``infra/firestore.tf`` and ``infra/iam.tf`` declare as data."""

    indexes: dict[str, Index]
    unindexed: dict[str, tuple[str, ...]]
    expiring: dict[str, str]
    project_roles: dict[str, str]
    bucket_roles: dict[str, str]
    of_database: tuple[str, ...]


def tables(infra: Path = INFRA) -> Tables:
    """The tables as they are declared now. Raises BadInput when one is more than plain values."""
    text = "".join((infra / name).read_text() for name in ("firestore.tf", "iam.tf"))
    try:
        return msgspec.convert({name: table(name, text) for name in Tables.__struct_fields__}, Tables)
    except msgspec.ValidationError as fault:
        raise BadInput(f"A table of {infra} is not as 'tuneway deploy' knows it: {fault}.") from fault


def table(name: str, text: str) -> object:
    """The value of the local ``name``. Raises BadInput."""
    start = re.search(rf"^  {name} += +(?=[\[{{])", text, re.MULTILINE)
    if start is None:
        raise BadInput(f"infra/ has no table '{name}' of plain values. Use --with terraform.")
    tokens = _tokens(text, start.end())
    try:
        return _value(next(tokens), tokens)
    except (StopIteration, KeyError) as fault:
        raise BadInput(f"The table '{name}' of infra/ holds more than plain values. Use --with terraform.") from fault


def _tokens(text: str, at: int) -> Iterator[str]:
    """The tokens from there on, without space and comments; they end where something else comes."""
    while found := TOKEN.match(text, at):
        at = found.end()
        if not found[0].isspace() and not found[0].startswith("#"):
            yield found[0]


def _value(word: str, tokens: Iterator[str]) -> object:
    match word:
        case "{":
            return _object(tokens)
        case "[":
            return _list(tokens)
        case _ if word.startswith('"') and "${" not in word:
            return word[1:-1]
        case _:
            raise KeyError(word)


def _object(tokens: Iterator[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    while (word := next(tokens)) != "}":
        if word != ",":
            if next(tokens) != "=":
                raise KeyError(word)
            found[word] = _value(next(tokens), tokens)
    return found


def _list(tokens: Iterator[str]) -> list[object]:
    found: list[object] = []
    while (word := next(tokens)) != "]":
        if word != ",":
            found.append(_value(word, tokens))
    return found
