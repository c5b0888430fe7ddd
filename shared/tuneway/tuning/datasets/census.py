"""What the rows of a dataset are like: how long they are, who speaks in them and how often."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tuneway.tuning.datasets.report import Bucket, Histogram, Measure

MOST_SHAPES = 4096
BYTES_PER_TOKEN = 4
SINGLE_TURNS = 8


class Census:
    """Counts by power of two, and by who speaks in turn; bounded, whatever the rows are like."""

    def __init__(self) -> None:
        self._bits: Counter[int] = Counter()
        self._shapes: Counter[tuple[str, ...]] = Counter()
        self._turns: Counter[int] = Counter()
        self._roles: Counter[str] = Counter()
        self._characters = self._utf8 = 0
        self._longest = (0, 0)
        self._least = sys.maxsize

    def add(self, rows: Sequence[Measure]) -> None:
        """Several rows at once."""
        if not rows:
            return
        sizes, characters, shapes = zip(*rows, strict=True)
        self._utf8 += sum(sizes)
        self._characters += sum(characters)
        self._longest = max(self._longest, max(rows)[:2])
        self._least = min(self._least, *sizes)
        self._bits.update(map(int.bit_length, sizes))
        self._shapes.update(shapes)
        if len(self._shapes) > MOST_SHAPES:
            self._fold()

    def _fold(self) -> None:
        for roles, rows in self._shapes.items():
            self._turns[len(roles)] += rows
            for role in roles:
                self._roles[role] += rows
        self._shapes.clear()

    @property
    def characters(self) -> int:
        """Characters of all rows."""
        return self._characters

    @property
    def utf8(self) -> int:
        """Bytes of all rows in UTF-8."""
        return self._utf8

    @property
    def longest(self) -> tuple[int, int]:
        """UTF-8 bytes and characters of the longest row."""
        return self._longest

    @property
    def tokens(self) -> Histogram | None:
        """Estimated tokens a row; None when there are no rows."""
        rows = self._bits.total()
        if not rows:
            return None
        most = self._longest[0] // BYTES_PER_TOKEN
        return Histogram(
            least=self._least // BYTES_PER_TOKEN,
            most=most,
            # The most is rounded down to whole tokens: no mean stands above it.
            mean=min(float(most), round(self._utf8 / BYTES_PER_TOKEN / rows, 1)),
            buckets=tuple(_doubling(_quartered(self._bits))),
        )

    @property
    def turns(self) -> Histogram | None:
        """Turns a row, instructions included; None when there are no rows."""
        self._fold()
        if not self._turns:
            return None
        rows = sum(self._turns.values())
        return Histogram(
            least=min(self._turns),
            most=max(self._turns),
            mean=round(sum(turns * count for turns, count in self._turns.items()) / rows, 1),
            buckets=tuple(_singly(self._turns)),
        )

    @property
    def roles(self) -> dict[str, int]:
        """Turns of each role, the most frequent first."""
        self._fold()
        return dict(self._roles.most_common())


def _quartered(bits: Mapping[int, int]) -> dict[int, int]:
    """Rows by the bits of their tokens, from those of their bytes: four bytes a token are two bits."""
    tokens: Counter[int] = Counter()
    for length in sorted(bits):
        tokens[max(0, length - 2)] += bits[length]
    return tokens


def _doubling(sizes: Mapping[int, int]) -> Iterator[Bucket]:
    for bits, rows in sizes.items():
        if rows:
            yield Bucket(1 << bits >> 1, (1 << bits) - 1, rows)


def _singly(counts: Mapping[int, int]) -> Iterator[Bucket]:
    """One by one as far as most rows go, and by doubling from there on."""
    yield from (Bucket(turns, turns, counts[turns]) for turns in sorted(counts) if turns < SINGLE_TURNS)
    longer: Counter[int] = Counter()
    for turns, rows in counts.items():
        if turns >= SINGLE_TURNS:
            longer[turns.bit_length()] += rows
    yield from _doubling(dict(sorted(longer.items())))
