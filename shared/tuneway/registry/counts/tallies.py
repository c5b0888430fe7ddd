"""What is counted of requests, and its arithmetic: counts, tokens, cost, and latencies in buckets of fixed bounds."""

import math
from collections.abc import Iterable, Mapping

import msgspec

# A bucket's upper bound is 2^(1/8), some 9 %, above the one before; the first holds all up to one millisecond.
PER_DOUBLING = 8
LAST_BUCKET = 22 * PER_DOUBLING  # above an hour: no request takes longer
TOO_MANY = 429
OURS = 500


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was answered, as its log line tells it: ``at`` in Unix seconds, ``ms`` from first to last byte.

    ``target`` is the last one asked, ``failed`` are those whose hosts failed before. ``route`` is the name that was
    asked for, empty when nothing was found under it. ``trial`` is the mark of a canary,
    ``asleep`` are the targets that would have been asked and were asleep.
    """

    id: str
    at: float
    owner: str
    key: str
    route: str
    target: str
    status: int
    ms: float
    attempts: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    failed: tuple[str, ...] = ()
    trial: str | None = None
    asleep: tuple[str, ...] = ()


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Requests added up. ``errors`` are ours or a host's (5xx, 429), ``refused`` the caller's own (other 4xx).

    ``priced`` of the requests have a price: their sum is ``cost_usd``, and ``cost_squares`` that of their squares.
    ``latencies`` counts good answers by bucket (``bucket_of``), under its number as text.
    """

    requests: int = 0
    errors: int = 0
    refused: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    priced: int = 0
    cost_usd: float = 0.0
    cost_squares: float = 0.0
    latencies: Mapping[str, int] = {}

    @property
    def judged(self) -> int:
        """The requests that say something of who answered them: a caller's own mistakes do not."""
        return self.requests - self.refused


ERROR = Tally(requests=1, errors=1)


def tally_of(request: Request, *, timed: bool = True) -> Tally:
    """One request as a tally; ``timed`` counts its latency, when it was answered well."""
    wrong = request.status >= OURS or request.status == TOO_MANY
    refused = not wrong and request.status >= 400  # noqa: PLR2004  (where HTTP's errors begin)
    cost = request.cost_usd
    return Tally(
        requests=1,
        errors=int(wrong),
        refused=int(refused),
        tokens_in=request.tokens_in,
        tokens_out=request.tokens_out,
        priced=int(cost is not None),
        cost_usd=cost or 0.0,
        cost_squares=(cost or 0.0) ** 2,
        latencies={} if wrong or refused or not timed else {str(bucket_of(request.ms)): 1},
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    found = list(tallies)
    return Tally(
        requests=sum(tally.requests for tally in found),
        errors=sum(tally.errors for tally in found),
        refused=sum(tally.refused for tally in found),
        tokens_in=sum(tally.tokens_in for tally in found),
        tokens_out=sum(tally.tokens_out for tally in found),
        priced=sum(tally.priced for tally in found),
        cost_usd=math.fsum(tally.cost_usd for tally in found),
        cost_squares=math.fsum(tally.cost_squares for tally in found),
        latencies=_merged(tally.latencies for tally in found),
    )


def bucket_of(ms: float) -> int:
    """The bucket that holds this latency."""
    if not ms > 1.0:
        return 0
    return min(LAST_BUCKET, math.ceil(math.log2(ms) * PER_DOUBLING - 1e-9))


def upper_ms(bucket: int) -> float:
    """The longest latency that the bucket holds."""
    return math.exp2(bucket / PER_DOUBLING)


def quantile(latencies: Mapping[str, int], share: float) -> float | None:
    """The latency that this share of the requests did not exceed, in ms, up to a bucket's width; None without any."""
    count = sum(latencies.values())
    reached = 0
    for bucket in sorted(latencies, key=int):
        reached += latencies[bucket]
        if reached >= share * count:
            return round(upper_ms(int(bucket)), 2)
    return None


def _merged(histograms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for histogram in histograms:
        for bucket, count in histogram.items():
            merged[bucket] = merged.get(bucket, 0) + count
    return merged
