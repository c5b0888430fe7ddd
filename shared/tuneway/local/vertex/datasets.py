"""Read a training file as a tuning job does: check every row, count its tokens, keep what a model learns from it."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tuneway.local.vertex.narrow import items, mapping
from tuneway.local.vertex.refusals import Refusal
from tuneway.local.vertex.rows import BadRow, Parsed, Parser
from tuneway.local.vertex.store import Example
from tuneway.local.vertex.tokens import tokens_in

# A simulated model answers from examples it can search at once; more rows count, but are not remembered.
REMEMBERED = 50_000
SAMPLES = 3
BUCKETS = 10


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A training file as read: either ``error`` (a google.rpc code and message) or figures."""

    rows: int = 0
    characters: int = 0
    tokens: int = 0
    cut: tuple[int, ...] = ()
    distributions: dict[str, dict[str, object]] = {}
    samples: tuple[dict[str, object], ...] = ()
    error: str | None = None
    error_code: int = 0


class Reading(msgspec.Struct, frozen=True):
    """The figures and the lessons of one file."""

    report: Report = Report()
    examples: list[Example] = []


class _Tally:
    """What is summed up over the rows."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.read: list[int] = []
        self.written: list[int] = []
        self.turns: list[int] = []
        self.cut: list[int] = []
        self.characters = 0
        self.examples: list[Example] = []

    def add(self, row: Parsed) -> None:
        read, written = tokens_in(row.read), tokens_in(row.written)
        self.read.append(read)
        self.written.append(written)
        self.turns.append(row.user_turns)
        self.characters += len(row.read) + len(row.written)
        if read + written > self.limit:
            self.cut.append(len(self.read))
        if len(self.examples) < REMEMBERED:
            self.examples.extend(row.examples)


def read(path: Path, uri: str, *, parser: Parser, limit: int) -> Reading:
    """Read the file row by row; a fault in it is part of the report, not an exception."""
    tally = _Tally(limit)
    samples: list[dict[str, object]] = []
    try:
        for line in _lines(path, uri):
            tally.add(_parsed(line, len(tally.read) + 1, parser))
            if len(samples) < SAMPLES:
                samples += _first_turn(line)
    except Refusal as fault:
        return Reading(Report(error=fault.message, error_code=5 if fault.status == "NOT_FOUND" else 3))
    if not tally.read:
        return Reading(Report(error=f"The dataset {uri} has no examples.", error_code=3))
    return Reading(_report(tally, samples), tally.examples)


def _first_turn(line: bytes) -> list[dict[str, object]]:
    """The first turn of a row that has Gemini's form: what the API shows as a sample."""
    turns = items(msgspec.json.decode(line, type=dict[str, object]).get("contents"))
    return [mapping(turn) for turn in turns[:1]]


def _lines(path: Path, uri: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield line
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
        raise Refusal("NOT_FOUND", f"The dataset file {uri} does not exist or cannot be read.") from exc


def _parsed(line: bytes, number: int, parser: Parser) -> Parsed:
    try:
        return parser(line)
    except (BadRow, msgspec.MsgspecError) as exc:
        raise Refusal("INVALID_ARGUMENT", f"Invalid training example in row {number}: {exc}") from exc


def _report(tally: _Tally, samples: list[dict[str, object]]) -> Report:
    return Report(
        rows=len(tally.read),
        characters=tally.characters,
        tokens=sum(tally.read) + sum(tally.written),
        cut=tuple(tally.cut),
        distributions={
            "userInputTokenDistribution": distribution(tally.read),
            "userOutputTokenDistribution": distribution(tally.written),
            "userMessagePerExampleDistribution": distribution(tally.turns),
        },
        samples=tuple(samples),
    )


def distribution(values: Sequence[int]) -> dict[str, object]:
    """How the values spread, in the shape of SupervisedTuningDatasetDistribution."""
    ordered = sorted(values)
    total, low, high = sum(ordered), ordered[0], ordered[-1]
    return {
        "sum": str(total),
        "billableSum": str(total),
        "min": float(low),
        "max": float(high),
        "mean": total / len(ordered),
        "median": float(_quantile(ordered, 0.5)),
        "p5": float(_quantile(ordered, 0.05)),
        "p95": float(_quantile(ordered, 0.95)),
        "buckets": _buckets(ordered),
    }


def _quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]


def _buckets(ordered: Sequence[int]) -> list[dict[str, float]]:
    low, high = ordered[0], ordered[-1]
    width = max((high - low) / BUCKETS, 1)
    counts: dict[int, int] = {}
    for value in ordered:
        place = min(int((value - low) / width), BUCKETS - 1)
        counts[place] = counts.get(place, 0) + 1
    return [
        {"count": float(count), "left": low + place * width, "right": low + (place + 1) * width}
        for place, count in counts.items()
    ]
