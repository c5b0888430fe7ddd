"""Bytes as they may come: in any pieces."""

from itertools import pairwise

from hypothesis import strategies as st


def splits(body: bytes) -> st.SearchStrategy[list[bytes]]:
    """Every way to cut the bytes into pieces, empty ones among them."""

    def pieces(places: set[int]) -> list[bytes]:
        return [body[start:end] for start, end in pairwise([0, *sorted(places), len(body)])]

    return st.sets(st.integers(0, len(body))).map(pieces)
