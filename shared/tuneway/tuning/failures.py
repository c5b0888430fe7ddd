"""Why a job failed and what to do: the provider's words, held against a table of causes.

The rows stand in ``failures.json`` beside this file, each with its source; the first that fits is taken. What no row
knows is told in the provider's own words.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec

from tuneway.tuning.jobs import JobError

BUCKET = re.compile(
    r"(?:gs|s3)://(?P<name>[a-z0-9][a-z0-9._-]*)|buckets?[ /:'\"]+(?P<named>[a-z0-9][a-z0-9._-]+[a-z0-9])"
)
MOST = 2_000  # characters of a provider's words


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cause: ``pattern`` is looked for in the provider's code and words; ``backends`` are beginnings of names.

    In ``remedy``, ``{row}`` is the row that the provider names and ``{bucket}`` the bucket, with a blank before it.
    """

    pattern: str
    code: str
    remedy: str
    source: str
    param: str | None = None
    backends: tuple[str, ...] = ("",)

    def match(self, said: str, backend: str) -> re.Match[str] | None:
        """Where the pattern stands in what was said."""
        return _compiled(self.pattern).search(said) if backend.startswith(self.backends) else None


def explained(words: str, *, backend: str, cause: str | None = None, code: str = "fine_tuning_failed") -> JobError:
    """The error for what a provider said: its words and the remedy; ``code`` where no row knows better."""
    said = " ".join(filter(None, (cause, words)))[:MOST]
    for row in rows():
        if match := row.match(said, backend):
            return _error(row, match, words)
    return JobError(code=code, message=words[:MOST])


@cache
def rows() -> tuple[Row, ...]:
    """The table."""
    return msgspec.json.decode(files("tuneway.tuning").joinpath("failures.json").read_bytes(), type=tuple[Row, ...])


def _error(row: Row, match: re.Match[str], words: str) -> JobError:
    remedy = row.remedy.replace("{row}", match.groupdict().get("row") or "").replace("{bucket}", _bucket(words))
    fact = words[:MOST].rstrip()
    stop = "" if fact.endswith((".", "!", "?")) else "."
    return JobError(code=row.code, message=f"{fact}{stop} {remedy}", param=row.param)


def _bucket(words: str) -> str:
    found: Iterable[re.Match[str]] = BUCKET.finditer(words)
    name = next((match["name"] or match["named"] for match in found), None)
    return f" {name}" if name else ""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)
