"""What the rows of a dataset are like: how long they are, who speaks in them and how often."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tuneway.tuning.datasets.report import Bucket, Histogram

MOST_SHAPES = 4096
BYTES_PER_TOKEN = 4
MOST_BITS = 64
SINGLE_TURNS = 8


class Census:
    """Counts by power of two, and by who speaks in turn; bounded, whatever the rows are like."""

    def __init__(self) -> None:
        self._sizes = [0] * MOST_BITS
        self._shapes: Counter[tuple[str, ...]] = Counter()
        self._turns: Counter[int] = Counter()
        self._roles: Counter[str] = Counter()
        self._shape: tuple[str, ...] = ()
        self._alike = self._bytes = self._most = 0
        self._least = 1 << (MOST_BITS - 1)

    def add(self, utf8: int, roles: tuple[str, ...]) -> None:
        """One row of so many bytes of text, in which these speak in turn."""
        self._sizes[(utf8 // BYTES_PER_TOKEN).bit_length()] += 1
        if roles is not self._shape:
            self._change(roles)
        self._alike += 1
        self._bytes += utf8
        self._most = max(self._most, utf8)
        self._least = min(self._least, utf8)

    def _change(self, roles: tuple[str, ...]) -> None:
        """Rows of one shape follow each other: they are counted when another one comes."""
        self._shapes[self._shape] += self._alike
        self._shape, self._alike = roles, 0
        if len(self._shapes) > MOST_SHAPES:
            self._fold()

    def _fold(self) -> None:
        self._shapes[self._shape] += self._alike
        self._alike = 0
        for roles, rows in self._shapes.items():
            if rows:
                self._turns[len(roles)] += rows
            for role in roles:
                self._roles[role] += rows
        self._shapes.clear()

    @property
    def tokens(self) -> Histogram | None:
        """Estimated tokens a row; None when there are no rows."""
        rows = sum(self._sizes)
        if not rows:
            return None
        return Histogram(
            least=self._least // BYTES_PER_TOKEN,
            most=self._most // BYTES_PER_TOKEN,
            mean=round(self._bytes / BYTES_PER_TOKEN / rows, 1),
            buckets=tuple(_doubling(dict(enumerate(self._sizes)))),
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
