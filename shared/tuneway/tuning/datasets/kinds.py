"""The kinds of files a dataset may come in, and how to tell them apart: magic bytes, first bytes, then the name."""

import re
from enum import StrEnum

import msgspec

from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
FIRST_BYTES = 1 << 16
"""So much of a file tells its kind."""

_BLANK = b" \t\r\n"
# A container of rows, not a row: perhaps a few plain values, then a list of objects under one of the usual names.
CONTAINER = re.compile(
    rb'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-+.\w]+)\s*,\s*)*("(?:data|rows|examples|train|items)"\s*:\s*\[)\s*(?=[{\]])'
)
# One object that holds whole columns: lists of cells, or what pandas writes, cells by number.
COLUMNAR = re.compile(
    rb'\{\s*(?:"(?:prompt|completion|question|answer|instruction|input|output|system)"\s*:\s*(?:\[\s*["\]]|\{\s*"0")'
    rb'|"(?:messages|contents)"\s*:\s*(?:\[\s*\[|\{\s*"0"))'
)
# A header: names between delimiters, one of them usual.
_HEADER = re.compile(
    rb'(?i)[^\r\n{[]*?(?:^|[,;\t|])[ "]*'
    rb"(?:prompt|completion|question|answer|instruction|output|system|messages|contents)"
    rb'[ "]*(?:[,;\t|]|[\r\n]|\Z)'
)


class Kind(StrEnum):
    """How a file holds its rows; any of them may be packed with gzip."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The columns of a table that hold what is asked, what is answered and, if any does, the instructions."""

    prompt: str
    completion: str
    system: str | None = None


ENDINGS: dict[str, Kind] = {
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".json": Kind.JSON,
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
    ".tab": Kind.TSV,
    ".parquet": Kind.PARQUET,
    ".pq": Kind.PARQUET,
}


def kind_named(name: str) -> Kind | None:
    """The kind that a file's name or address tells, or None."""
    path = re.sub(r"[?#].*", "", name).lower()
    path = path.removesuffix(".gz").removesuffix(".gzip")
    return next((kind for ending, kind in ENDINGS.items() if path.endswith(ending)), None)


def kind_of(start: bytes, name: str = "", *, tabular: bool = False) -> Kind:
    """The kind of a file that begins with ``start`` (unpacked). What tells nothing is taken for JSONL.

    ``tabular`` says that somebody named its columns.
    """
    if start.startswith(PARQUET):
        return Kind.PARQUET
    text = start.removeprefix(BYTE_ORDER_MARK).lstrip(_BLANK)
    match text[:1]:
        case b"[":
            return Kind.JSON
        case b"{":
            return _kind_of_object(text)
        case _:
            return TEXTS.get(kind_named(name)) or _kind_of_text(text, tabular=tabular)


TEXTS: dict[Kind | None, Kind] = {kind: kind for kind in (Kind.CSV, Kind.TSV, Kind.JSONL)}
"""The kinds that a name tells of text that begins like no JSON."""


def _kind_of_object(text: bytes) -> Kind:
    """Rows one by one, or a document of many lines or of all rows."""
    if CONTAINER.match(text) or COLUMNAR.match(text):
        return Kind.JSON
    first, ended, _ = text.partition(b"\n")
    # A row on one line closes what it opens; a document that is indented breaks off at once.
    return Kind.JSON if ended and first.rstrip(_BLANK)[-1:] in {b"{", b"[", b",", b":"} else Kind.JSONL


def _kind_of_text(text: bytes, *, tabular: bool) -> Kind:
    first = text.partition(b"\n")[0]
    if not tabular and not _HEADER.match(first):
        return Kind.JSONL
    return Kind.TSV if b"\t" in first and b"," not in first else Kind.CSV
