"""Split a dataset into training and validation rows: by a seed, exactly, and never one row on both sides.

A row's side follows from a hash of its bytes and the seed, so equal rows are on one side, and the same seed makes the
same split again. Two passes: the first finds below which hash as many rows lie as are wanted, in eight bytes a row.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.datasets.row_lines import Numbered

Side = Literal["train", "validation"]
LEAST_ROWS = 2
_BITS = 16
_SHIFT = 64 - _BITS


class Division(msgspec.Struct, frozen=True):
    """Which rows are for validation: those whose hash is at most ``edge``; as many as ``validation`` says."""

    seed: int
    edge: int
    train: int
    validation: int

    def side(self, row: bytes) -> Side:
        """Where the row belongs."""
        return "validation" if _hash(row, self.seed) <= self.edge else "train"


def division(
    blocks: Iterable[list[Numbered]], *, seed: int, share: float | None = None, count: int | None = None
) -> Division:
    """How to split these rows, so that about ``share`` of them, or ``count``, are for validation.

    Equal rows stay together, so there may be a few more than wanted. Raises BadInput.
    """
    hashes = array("Q", (_hash(row, seed) for rows in blocks for _, row in rows))
    wanted = _wanted(len(hashes), share, count)
    edge = _edge(hashes, wanted)
    taken = sum(found <= edge for found in hashes)
    if taken == len(hashes):
        raise BadInput("Too many rows are equal to be on two sides. Remove repeated rows first.", param="file")
    return Division(seed=seed, edge=edge, train=len(hashes) - taken, validation=taken)


def sides(blocks: Iterable[list[Numbered]], divided: Division) -> Iterator[tuple[Side, bytes]]:
    """The rows in their order, each a line with its line feed, and where it belongs."""
    for rows in blocks:
        for _, row in rows:
            yield divided.side(row), row + b"\n"


def _wanted(rows: int, share: float | None, count: int | None) -> int:
    if (share is None) == (count is None):
        raise BadInput("Say how many rows are for validation: a share such as 0.1, or a number.", param="validation")
    if share is not None and not 0 < share < 1:
        raise BadInput("The share for validation lies between 0 and 1, such as 0.1.", param="validation")
    if rows < LEAST_ROWS:
        raise BadInput(f"The file has {rows} rows; a split needs two at least.", param="file")
    if count is not None and not 0 < count < rows:
        raise BadInput(f"For validation 1 to {rows - 1:,} of the {rows:,} rows can be taken.", param="validation")
    return count or min(max(1, round(rows * (share or 0))), rows - 1)


def _edge(hashes: "array[int]", wanted: int) -> int:
    """The ``wanted``-th smallest of the hashes: first among parts of all numbers, then within one of them."""
    counts = [0] * (1 << _BITS)
    for found in hashes:
        counts[found >> _SHIFT] += 1
    part = 0
    while wanted > counts[part]:
        wanted -= counts[part]
        part += 1
    return nsmallest(wanted, (found for found in hashes if found >> _SHIFT == part))[-1]


def _hash(row: bytes, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(row, digest_size=8, key=b"%d" % seed).digest(), "big")
