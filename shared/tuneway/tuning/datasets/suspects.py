"""Which lines of a dataset may hold something sensitive: a coarse look at chunks, far faster than one at each row.

Most text has neither a long number nor the beginnings of keys. So a chunk is first searched for a few short strings
and, by every fourth byte alone, for runs of digits and capitals; only where that finds something a pattern looks at
the bytes, and only a line where that fits is read in full.
"""

import re
from collections import deque
from collections.abc import Iterator

from tuneway.tuning.datasets.sensitive import Sign

OVERLAP = 256
"""Bytes looked at again with the next chunk, so that what is cut in two is found."""

STRIDE = 4
STEP = 12
BEFORE, AFTER = 16, 40 + STRIDE * STEP
"""Around a sample, and as far as the ``STEP`` samples reach that are passed over behind it."""

_IN_RUN = re.compile(
    rb"A[KS]IA[A-Z0-9]{16}|PRIVATE KEY|[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}|\d(?:[ -]?\d){11}"
    rb"|\d{3}-\d\d-\d{4}|\d{3}\)?[ .-]?\d{3}[ .-]\d{4}"
)


def _table(*kinds: tuple[str, str]) -> bytes:
    """How to translate bytes of each kind to the one that stands for it, and all others to ``_``."""
    named = {letter: name for letters, name in kinds for letter in letters}
    return "".join(named.get(chr(byte), "_") for byte in range(256)).encode()


_DIGITS, _CAPITALS, _JOINTS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-."
_ALIKE = _DIGITS + _CAPITALS + _JOINTS
_CLASS = _ALIKE.encode()
# Of eight digits, capitals, hyphens and dots side by side two are seen when of four bytes one is looked at, and so are
# two of three groups of four digits with a space between them.
_ZEROS = _table((_ALIKE, "0"))
_RUN = b"00"
# What was passed over may be anything; so the run is looked at once more, whole.
_WHOLE = _table((_ALIKE, "0"), (" ", " "))
_LONG, _GROUPED = b"0" * 8, b"0000 0000"
# And what has none of these is nothing that the pattern finds, which is slow to say so.
_KINDS = _table((_DIGITS, "0"), (_CAPITALS, "A"), (_JOINTS, "-"), (" ", " "))
_PARTS = (b"000-0000", b"000 0000", b"000-00-0000", b"AA00")
_NAMES = (b"AKIA", b"ASIA", b"PRIVATE KEY")
_TWELVE, _BETWEEN = b"0" * 12, b" -"
_KEY = rb"[A-Za-z0-9_-]{16}"
# A string that must be in the chunk, and what to look for then; a pattern that begins with a fixed string is fast.
_MARKS: tuple[tuple[Sign, bytes, re.Pattern[bytes]], ...] = (
    (Sign.AT, b"@", re.compile(rb"@[A-Za-z0-9-]+\.[A-Za-z]")),
    (Sign.AT, b"@", re.compile(rb":(?://|\\/\\/)[^\s/\"@:]*:[^\s/\"@]+@")),
    (Sign.LOW, b"_", re.compile(rb"_(?:live_|pat_)?[A-Za-z0-9]{16}")),
    (Sign.HYPHEN, b"-", re.compile(rb"-(?:(?<=sk-)|(?<=pat-)|(?<=SPX-)|(?<=ypi-)|(?<=xox.-))" + _KEY)),
    (Sign.PLUS, b"+", re.compile(rb"\+[1-9][\d ().-]{6}")),
)
# A word, its rarest letter, and where in the word that stands: to look for one byte is ten times as fast as for four.
_WORDS = ((Sign.WEB, b".eyJ", b"J", 3), (Sign.GOOGLE, b"AIza", b"z", 2))
# By its beginning it is guessed what there is much of in a chunk.
_SAMPLE, _MOST_RARE, _MOST_RUNS = 4096, 16, 25


class Suspects:
    """Offsets in the file where a closer look is due, each with what was seen there."""

    def __init__(self) -> None:
        self.due: deque[tuple[int, Sign]] = deque()
        self._tail = b""
        self._read = 0

    def feed(self, chunk: bytes) -> None:
        """Look at the next chunk."""
        seen = self._tail + chunk
        self.due.extend(sorted(_seen(seen, self._read - len(self._tail))))
        self._read += len(chunk)
        self._tail = seen[-OVERLAP:]

    def within(self, end: int) -> frozenset[Sign]:
        """What was seen before the offset ``end``; it is then done with."""
        due, seen = self.due, set[Sign]()
        while due and due[0][0] < end:
            seen.add(due.popleft()[1])
        # The digits of a number from abroad may go on, with spaces between, as those of a card.
        return frozenset(seen | {Sign.RUN} if Sign.PLUS in seen else seen)


def _seen(chunk: bytes, start: int) -> list[tuple[int, Sign]]:
    places: list[tuple[int, Sign]] = []
    for sign, mark, pattern in _MARKS:
        if mark in chunk:
            places += [(start + match.start(), sign) for match in pattern.finditer(chunk)]
    places += [(start + place, Sign.RUN) for place in _runs(chunk)]
    for sign, word, rare, place in _WORDS:
        places += [(start + found, sign) for found in _places_of(word, chunk, rare=rare, place=place)]
    return places


def _runs(chunk: bytes) -> Iterator[int]:
    thinned = chunk[::STRIDE].translate(_ZEROS)
    many = thinned[:_SAMPLE].count(_RUN) > _MOST_RUNS
    runs = _whole_runs(chunk) if many else _sampled_runs(chunk, thinned)
    for place in runs:
        start = max(0, place - BEFORE)
        window = chunk[start : place + AFTER]
        if _telling(window):
            yield from (start + match.start() for match in _IN_RUN.finditer(window))


def _sampled_runs(chunk: bytes, thinned: bytes) -> Iterator[int]:
    at = thinned.find(_RUN)
    while at >= 0:
        place, step = STRIDE * at, 1
        if chunk[place + STRIDE // 2] in _CLASS:
            whole = chunk[max(0, place - BEFORE) : place + AFTER].translate(_WHOLE)
            if _LONG in whole or _GROUPED in whole:
                yield place
            step = STEP
        at = thinned.find(_RUN, at + step)


def _whole_runs(chunk: bytes) -> Iterator[int]:
    """In text full of numbers it is faster to look at every byte at once than around each of so many samples."""
    whole = chunk.translate(_WHOLE)
    for run in (_LONG, _GROUPED):
        at = whole.find(run)
        while at >= 0:
            yield at
            at = whole.find(run, at + STRIDE * STEP)


def _telling(window: bytes) -> bool:
    kinds = window.translate(_KINDS)
    parts = any(part in kinds for part in _PARTS) or any(name in window for name in _NAMES)
    return parts or _TWELVE in kinds.translate(None, _BETWEEN)


def _places_of(word: bytes, chunk: bytes, *, rare: bytes, place: int) -> Iterator[int]:
    if chunk[:_SAMPLE].count(rare) > _MOST_RARE:
        # Not so rare in this language.
        rare, place = word, 0
    at = chunk.find(rare)
    while at >= 0:
        start = at - place
        if chunk[start : start + len(word)] == word:
            yield start
        at = chunk.find(rare, at + 1)
