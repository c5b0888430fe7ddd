"""What a lint says about a dataset: small, JSON-able, with a line, a path, a rule and a remedy for each issue."""

from enum import StrEnum
from typing import Literal

import msgspec

from tuneway.tuning.datasets.rules import RULES, Severity
from tuneway.tuning.datasets.sensitive import masked

EXCERPT = 80


class Form(StrEnum):
    """How the rows of a dataset are written."""

    OPENAI_CHAT = "openai_chat"
    GEMINI = "gemini"
    PROMPT_COMPLETION = "prompt_completion"
    QUESTION_ANSWER = "question_answer"
    OPENAI_PREFERENCE = "openai_preference"
    GEMINI_PREFERENCE = "gemini_preference"
    DPO = "dpo"


PREFERENCES = frozenset({Form.OPENAI_PREFERENCE, Form.GEMINI_PREFERENCE, Form.DPO})
"""Forms whose rows hold a better and a worse answer."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A rule that a row breaks: where in the row, and the fact."""

    rule: str
    path: str
    message: str
    excerpt: str = ""


class Checked(msgspec.Struct, frozen=True, gc=False):
    """What one row holds: its findings, its text in characters and in UTF-8 bytes, its files, who speaks in turn."""

    findings: tuple[Finding, ...]
    characters: int
    utf8: int
    media: int = 0
    roles: tuple[str, ...] = ()

    @property
    def measure(self) -> "Measure":
        """The numbers alone."""
        return self.utf8, self.characters, self.roles


Measure = tuple[int, int, tuple[str, ...]]
"""What a row holds by numbers alone: its text in UTF-8 bytes and in characters, who speaks in turn."""


def flawless(measure: Measure) -> Checked:
    """What a row of text holds that breaks no rule."""
    utf8, characters, roles = measure
    return Checked((), characters, utf8, 0, roles)


class DatasetIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One finding in its place: ``line`` counts from 1 and is None for the whole file; ``path`` is a JSON path."""

    line: int | None
    path: str
    rule: str
    message: str
    remedy: str
    excerpt: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it stops the file."""
        return RULES[self.rule].severity

    @property
    def text(self) -> str:
        """Place, fact and remedy in one sentence and a half; the rule's name at the end."""
        if self.line is None:
            return f"{self.message} {self.remedy} [{self.rule}]"
        return f"line {self.line}, {self.path}: {self.message} {self.remedy} [{self.rule}]"


class TokenRange(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of tokens as an interval; ``basis`` says how it was made."""

    low: int
    high: int
    basis: str


class Bucket(msgspec.Struct, frozen=True):
    """How many rows have from ``low`` to ``high`` of something, both included."""

    low: int
    high: int
    rows: int


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How something is spread over the rows."""

    least: int
    most: int
    mean: float
    buckets: tuple[Bucket, ...]


class Truncation(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that the provider would leave out or cut, because they have more tokens than ``limit``.

    ``certain`` of them are above it by the least estimate, ``possible`` more by the greatest alone.
    """

    limit: int
    certain: int
    possible: int


class DatasetReport(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as one pass saw it.

    ``errors`` and ``warnings`` are the first few of ``error_count`` and ``warning_count``; ``by_rule`` counts them all.
    ``tokens`` is one epoch's text; files in rows are not in it (``media_rows`` counts the rows that hold any).
    ``differs`` is True when the copy for the provider is not byte for byte the file that was read. ``tokens_per_row``
    goes by the rule of thumb of four bytes a token, which lies inside the interval; ``roles`` counts turns.
    """

    verdict: Literal["accepted", "rejected"]
    form: Form | None
    rows: int
    media_rows: int
    bytes: int
    sha256: str
    characters: int
    tokens: TokenRange
    longest_row: TokenRange
    differs: bool
    errors: tuple[DatasetIssue, ...] = ()
    error_count: int = 0
    warnings: tuple[DatasetIssue, ...] = ()
    warning_count: int = 0
    by_rule: dict[str, int] = {}
    tokens_per_row: Histogram | None = None
    turns_per_row: Histogram | None = None
    roles: dict[str, int] = {}
    truncation: Truncation | None = None

    @property
    def accepted(self) -> bool:
        """True when the file may be tuned on."""
        return self.verdict == "accepted"

    @property
    def summary(self) -> str:
        """One sentence for people: the first error and how many more there are."""
        if not self.errors:
            return f"Good rows: {self.rows:,}."
        others = self.error_count - 1
        more = f" ({others:,} more {'error' if others == 1 else 'errors'}.)" if others > 0 else ""
        first = self.errors[0].text
        return f"{first[0].upper()}{first[1:]}{more}"


def issue(finding: Finding, line: int | None) -> DatasetIssue:
    """The finding in its place, with its rule's remedy."""
    return DatasetIssue(
        line=line,
        path=finding.path,
        rule=finding.rule,
        message=finding.message,
        remedy=RULES[finding.rule].remedy,
        excerpt=finding.excerpt,
    )


def excerpt(text: str) -> str:
    """The beginning of ``text``, short enough for a report, and without the secrets in it."""
    start = masked(text[: 4 * EXCERPT])
    return start if len(start) <= EXCERPT and len(text) <= 4 * EXCERPT else f"{start[: EXCERPT - 1]}…"
