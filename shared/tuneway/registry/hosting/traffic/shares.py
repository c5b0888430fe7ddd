"""Whole percents of an endpoint's traffic: shared out so that they always make a hundred."""

from collections.abc import Collection, Mapping

WHOLE = 100


def among(weights: Mapping[str, int], total: int = WHOLE) -> dict[str, int]:
    """``total`` shared out in proportion to ``weights``, equally where all are 0.

    What is left over goes to the largest remainders, and among equal ones to the first by name.
    """
    if not weights:
        return {}
    known = weights if any(weights.values()) else dict.fromkeys(weights, 1)
    whole = sum(known.values())
    shares = {name: total * weight // whole for name, weight in known.items()}
    by_remainder = sorted(known, key=lambda name: (-(total * known[name] % whole), name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def beside(weights: Mapping[str, int], share: int) -> dict[str, int]:
    """What is left to the others, in proportion, when one more takes ``share``."""
    return among(weights, WHOLE - share)


def without(weights: Mapping[str, int], gone: Collection[str]) -> dict[str, int]:
    """The shares of those that stay, with those of ``gone`` given to them in proportion."""
    return among({name: weight for name, weight in weights.items() if name not in gone})


def carrying(shares: Mapping[str, int]) -> dict[str, int]:
    """Without those that get nothing: who is not named takes no traffic."""
    return {name: share for name, share in shares.items() if share}
