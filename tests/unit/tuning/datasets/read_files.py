"""Files for tests, and what is read from them however they are cut."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec
from hypothesis import strategies as st

from tuneway.tuning.datasets.reading import Reading, reading

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['"', '""', ",", ";", "\n", "\r\n", "{", "}]", '\\"', "é€😀", "[", "},{", " "]
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12)


class Outcome(msgspec.Struct, frozen=True):
    rows: list[bytes]
    lines: list[int]
    rules: list[tuple[str, int | None]]


def cut(content: bytes, places: Sequence[int]) -> Iterator[bytes]:
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return (content[start:end] for start, end in pairwise(edges))


def outcome(read: Reading) -> Outcome:
    content, rules = b"", []
    for block in read.blocks:
        content += block
        rules += [(finding.rule, line) for finding, line in read.faults()]
    rules += [(finding.rule, line) for finding, line in read.faults()]
    rows = content.split(b"\n")
    rows = rows[:-1] if rows[-1] == b"" else rows
    return Outcome(rows, [read.line_of(row) for row in range(1, len(rows) + 1)], rules)


def whole(content: bytes, **options: object) -> Outcome:
    read: Callable[..., Reading] = reading
    return outcome(read([content], **options))


def decoded(found: Outcome) -> list[object]:
    return [msgspec.json.decode(row) for row in found.rows]
