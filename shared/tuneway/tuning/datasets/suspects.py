"""Which lines of a dataset may hold something sensitive: a coarse look at chunks, far faster than one at each row.

Most text has neither a long number nor the beginnings of keys. So a chunk is first searched for a few short strings
and, with every second byte left out, for runs of digits and capitals; only where that finds something a pattern looks
at the bytes, and only a line where that fits is read in full.
"""

import re
from collections import deque
from collections.abc import Iterator

from tuneway.tuning.datasets.sensitive import Sign

OVERLAP = 256
"""Bytes looked at again with the next chunk, so that what is cut in two is found."""

BEFORE, AFTER = 16, 40
STRIDE = 2
STEP = 8

# Digits, capitals, hyphens and dots become zeros; eight side by side are four when every second byte is left out, and
# so are two groups of four digits with a space between them.
_CLASS = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ZEROS = bytes(ord("0") if chr(byte) in _CLASS else ord("_") for byte in range(256))
_RUN = b"0000"
_IN_RUN = re.compile(
    rb"A[KS]IA[A-Z0-9]{16}|PRIVATE KEY|[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}|\d(?:[ -]?\d){11}"
    rb"|\d{3}-\d\d-\d{4}|\d{3}\)?[ .-]?\d{3}[ .-]\d{4}"
)
# Every second byte may pass over what lies between; so the run is looked at once more, whole.
_WHOLE = bytes(ord("0") if chr(byte) in _CLASS else ord(" ") if byte == ord(" ") else ord("_") for byte in range(256))
_LONG, _GROUPED = b"0" * 8, b"0000 0000"
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
_SAMPLE, _MOST_RARE = 4096, 16


class Suspects:
    """Offsets in the file where a closer look is due, each with what was seen there."""

    def __init__(self) -> None:
        self.due: deque[tuple[int, Sign]] = deque()
        self._tail = b""
        self._read = 0

    def feed(self, chunk: bytes) -> None:
        """Look at the next chunk."""
        places = _seen(self._tail + chunk[:OVERLAP], self._read - len(self._tail)) if self._tail else []
        self.due.extend(sorted([*places, *_seen(chunk, self._read)]))
        self._read += len(chunk)
        self._tail = chunk[-OVERLAP:] if len(chunk) >= OVERLAP else (self._tail + chunk)[-OVERLAP:]

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
    at = thinned.find(_RUN)
    while at >= 0:
        place = STRIDE * at
        window = chunk[max(0, place - BEFORE) : place + AFTER]
        whole = window.translate(_WHOLE)
        if _LONG in whole or _GROUPED in whole:
            yield from (max(0, place - BEFORE) + match.start() for match in _IN_RUN.finditer(window))
        at = thinned.find(_RUN, at + STEP)


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
