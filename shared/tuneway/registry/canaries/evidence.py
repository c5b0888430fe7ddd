"""Whether a candidate is worse: exact one-sided tests where there are any, on counts however small.

* Two shares (errors): Fisher's exact test, one-sided. R. A. Fisher, "Statistical Methods for Research Workers", 5th
  ed., 1934, §21.02.
* A quantile (latency): an order statistic bounds the stable targets' quantile from above, and the sign test asks
  whether the candidate exceeds that more often than it may; both by the binomial distribution, whatever that of
  latencies is. W. J. Conover, "Practical Nonparametric Statistics", 3rd ed., 1999, §3.1 and §3.2.
* Two means (cost, scores): Welch's unequal variances t-test, from ``FEWEST_FOR_MEANS`` values on; near enough, not
  exact. B. L. Welch, Biometrika 34 (1947), 28-35.

Looking often finds something in the end. The level is spent over all looks: look k has 6/(pi^2 k^2) of it, which adds
up to the whole over however many, and Bonferroni's inequality needs nothing of how the looks depend on each other. The
idea of spending is that of K. K. G. Lan and D. L. DeMets, Biometrika 70 (1983), 659-663.
"""

import math
from collections.abc import Mapping

import msgspec

from tuneway.registry.counts.tallies import upper_ms

FEWEST_FOR_MEANS = 30
_NEGLIGIBLE = 1e-17
_STEPS = 300
_NEARLY = 1e-15


class Mean(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Numbers by their count, their sum and that of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def value(self) -> float:
        """The mean; 0 of none."""
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """The sample's variance, unbiased."""
        if self.count < 2:  # noqa: PLR2004  (one number varies not)
            return 0.0
        return max(0.0, (self.squares - self.total * self.total / self.count) / (self.count - 1))


def level_of(look: int, *, confidence: float) -> float:
    """The level of the ``look``-th look, counted from 1, so that all together err less often than 1 - confidence."""
    return (1.0 - confidence) * 6.0 / (math.pi * look) ** 2


def more_often(bad: int, of: int, *, than: tuple[int, int]) -> float:
    """The p-value of ``bad`` among ``of``, were it no likelier than in ``than`` (bad, of): Fisher's, one-sided."""
    others, of_others = than
    every, marked = of + of_others, bad + others
    if of == 0 or of_others == 0 or bad * every <= of * marked:
        return 1.0
    most = min(of, marked)
    term = math.exp(_choices(marked, bad) + _choices(every - marked, of - bad) - _choices(every, of))
    tail = 0.0
    for count in range(bad, most + 1):
        tail += term
        if term < tail * _NEGLIGIBLE:
            break
        term *= (marked - count) * (of - count) / ((count + 1) * (every - marked - of + count + 1))
    return min(1.0, tail)


def at_least(successes: int, trials: int, *, chance: float) -> float:
    """The probability of so many successes or more; 1 where there are no more than one expects."""
    if successes <= trials * chance or successes > trials:
        return 0.0 if successes > trials else 1.0
    odds = chance / (1.0 - chance)
    term = math.exp(
        _choices(trials, successes) + successes * math.log(chance) + (trials - successes) * math.log1p(-chance)
    )
    tail = 0.0
    for count in range(successes, trials + 1):
        tail += term
        if term < tail * _NEGLIGIBLE:
            break
        term *= odds * (trials - count) / (count + 1)
    return min(1.0, tail)


def quantile_bound(latencies: Mapping[str, int], share: float, *, level: float) -> float | None:
    """A latency in ms that the true quantile exceeds with at most this probability; None: too few to say."""
    count = sum(latencies.values())
    rank = _rank(count, share, level)
    if rank is None:
        return None
    reached = 0
    for bucket in sorted(latencies, key=int):
        reached += latencies[bucket]
        if reached >= rank:
            return upper_ms(int(bucket))
    return None


def above(latencies: Mapping[str, int], ms: float) -> int:
    """How many are longer for certain: by whole buckets that begin there or later."""
    return sum(count for bucket, count in latencies.items() if int(bucket) and upper_ms(int(bucket) - 1) >= ms)


def larger_mean(candidate: Mean, stable: Mean, *, ratio: float = 1.0, margin: float = 0.0) -> float | None:
    """The p-value of the candidate's mean, were it at most ``ratio`` times the other and ``margin``; None: too few."""
    if min(candidate.count, stable.count) < FEWEST_FOR_MEANS:
        return None
    difference = candidate.value - ratio * stable.value - margin
    mine, theirs = candidate.variance / candidate.count, ratio * ratio * stable.variance / stable.count
    if not mine + theirs > 0.0:
        return 0.0 if difference > 0.0 else 1.0
    freedom = (mine + theirs) ** 2 / (mine**2 / (candidate.count - 1) + theirs**2 / (stable.count - 1))
    return _students_tail(difference / math.sqrt(mine + theirs), freedom)


def _rank(count: int, share: float, level: float) -> int | None:
    """The smallest rank whose value lies below the true quantile with at most this probability."""
    if count == 0 or at_least(count, count, chance=share) > level:
        return None
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if at_least(middle, count, chance=share) <= level:
            high = middle
        else:
            low = middle + 1
    return high


def _choices(of: int, taken: int) -> float:
    """The logarithm of the binomial coefficient."""
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)


def _students_tail(value: float, freedom: float) -> float:
    """P(T > value) of Student's t."""
    half = 0.5 * _incomplete_beta(freedom / (freedom + value * value), freedom / 2.0, 0.5)
    return half if value > 0.0 else 1.0 - half


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: NIST's handbook, https://dlmf.nist.gov/8.17 (read 2026-11), 8.17.22."""
    if not 0.0 < x < 1.0:
        return min(1.0, max(0.0, x))
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - front * _fraction(1.0 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction, by Lentz's method."""
    tiny = 1e-300
    numerator, value = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or tiny)
    inverse = value
    for step in range(1, _STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for factor in (even, odd):
            inverse = 1.0 / (1.0 + factor * inverse or tiny)
            numerator = 1.0 + factor / numerator or tiny
            value *= inverse * numerator
        if abs(inverse * numerator - 1.0) < _NEARLY:
            break
    return value
