"""How long tuning will take, from past jobs of the same base model: an interval in seconds, or nothing at all."""

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import median, quantiles

import msgspec

from tuneway.ports import Operator
from tuneway.state import Collection
from tuneway.tuning.datasets.report import TokenRange
from tuneway.tuning.jobs import Job, Status

MOST_JOBS = 50
ALIKE = 2
# With so few, the extremes say more than quantiles do.
FEW = 5
# So few jobs of others would tell what others do; one's own may be as few as they like.
LEAST_OF_ALL = 5


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job: seconds from its start to its end, tokens of all its epochs."""

    seconds: float
    tokens: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """How long a job should train, in seconds, without the time it waits for machines."""

    seconds_low: float
    seconds_likely: float
    seconds_high: float
    basis: str


def forecast(runs: Sequence[PastRun], tokens: TokenRange, *, base: str) -> Forecast | None:
    """The forecast for ``tokens`` of all epochs, by past jobs of the nearest size; None without any.

    A job takes some time whatever its size, and more the larger it is; how much of its seconds is which, one job does
    not tell. So a larger one takes as long at least, and at most as many times longer as it is larger.
    """
    middle = (tokens.low + tokens.high) / 2
    like = _nearest([run for run in runs if run.tokens > 0 and run.seconds > 0], middle)
    if not like:
        return None
    least, _ = _spread([run.seconds * min(1, tokens.low / run.tokens) for run in like])
    _, most = _spread([run.seconds * max(1, tokens.high / run.tokens) for run in like])
    count = len(like)
    return Forecast(
        seconds_low=round(least, 1),
        seconds_likely=round(median(run.seconds * sqrt(middle / run.tokens) for run in like), 1),
        seconds_high=round(most, 1),
        basis=f"{count} past job{'s' if count > 1 else ''} of {base}, of the nearest size: {_spoken(count)}",
    )


def past_runs(jobs: Collection[Job], base: str, *, owner: str) -> list[PastRun]:
    """Finished jobs of that base: the owner's own, else everybody's when they are enough to hide each one."""
    mine = _runs(_succeeded(jobs, base, ("owner", "==", owner)))
    if mine:
        return mine
    everybody = _runs(_succeeded(jobs, base))
    return everybody if len(everybody) >= LEAST_OF_ALL else []


def _succeeded(jobs: Collection[Job], base: str, *more: tuple[str, Operator, str]) -> Iterable[Job]:
    # Equalities alone, in no stated order: Firestore needs no index of our own for that.
    found = jobs.find(("base_model", "==", base), ("status", "==", str(Status.SUCCEEDED)), *more, limit=MOST_JOBS)
    return [stored.value for stored in found]


def _runs(jobs: Iterable[Job]) -> list[PastRun]:
    return [run for job in jobs if (run := _run(job)) is not None]


def _run(job: Job) -> PastRun | None:
    """The job as a run: the provider's count of tokens where there is one, else the middle of the estimate's."""
    tokens = job.trained_tokens
    if tokens is None and job.estimate is not None:
        tokens = (job.estimate.tokens_low + job.estimate.tokens_high) // 2
    if job.started_at is None or job.finished_at is None or not tokens or job.finished_at <= job.started_at:
        return None
    return PastRun(seconds=job.finished_at - job.started_at, tokens=tokens)


def _nearest(runs: Sequence[PastRun], tokens: float) -> list[PastRun]:
    """The runs that are as far from this size as the nearest one, or at most twice as far."""
    away = [max(tokens, run.tokens) / max(1, min(tokens, run.tokens)) for run in runs]
    return [run for run, far in zip(runs, away, strict=True) if far <= ALIKE * min(away)]


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    """Those of the fast and of the slow: the first and the ninth tenth, of a few the extremes."""
    if len(seconds) < FEW:
        return min(seconds), max(seconds)
    tenths = quantiles(seconds, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def _spoken(count: int) -> str:
    return "least to most" if count < FEW else "first to ninth tenth"
