"""Whether a new version is worse than the one it is to replace, by the losses that their jobs ended with.

A loss is the mean surprise at a token, so it is only held against that of a base of the same family, whose tokens are
alike; those of different families are shown and judged by the canary alone.
"""

import math
from collections.abc import Mapping

import msgspec

from tuneway.registry.models.comparing import Comparison, Value

MARGIN = 0.05
"""How much larger the new loss may be: successive models of a family differ by their tokens' borders, too."""

SAME_DATA = {"validation_loss": "validation_file", "training_loss": "dataset_sha256"}
SHOWN = frozenset(
    {"base_model", "dataset_sha256", "training_loss", "validation_loss", "trained_tokens", "cost_usd", "seconds"}
)


class Judgement(msgspec.Struct, frozen=True):
    """Whether it is worse, and why, with the numbers."""

    worse: bool
    why: str


def judged(found: Comparison, *, one_family: bool) -> Judgement:
    """The judgement of a comparison of the old version with the new one."""
    values = {row.name: row.values for row in found.rows}
    if not one_family:
        return Judgement(worse=False, why="Losses of different families cannot be held against each other.")
    for name, data in SAME_DATA.items():
        pair = _numbers(values, name)
        if pair is not None and len(set(values.get(data, ()))) <= 1:
            return _held(name.replace("_", " "), *pair)
    return Judgement(worse=False, why="The provider told no losses of the same data, so there is nothing to compare.")


def _numbers(values: Mapping[str, tuple[Value, ...]], name: str) -> tuple[float, float] | None:
    old, new = values.get(name, (None, None))
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return None
    return (old, new) if math.isfinite(old) else None


def _held(name: str, old: float, new: float) -> Judgement:
    most = old * (1 + MARGIN)
    worse = not new <= most  # a loss that is no number is worse, too
    verdict = f"above the {most:.4g} that are allowed" if worse else f"at most {most:.4g} are allowed"
    return Judgement(worse=worse, why=f"Its {name} is {new:.4g}, the old one's {old:.4g}: {verdict}.")
