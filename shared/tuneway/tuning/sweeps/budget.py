"""The total ceiling of a sweep: what its jobs have cost, what the running ones may still cost, what is left; pure."""

from collections.abc import Mapping

import msgspec

from tuneway.tuning import gate
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.cost import amount, estimate_of
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.sweeps.sweep import Member, MemberState, Sweep

TINY = 1e-9  # USD: sums of floats are not exact


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in USD. ``unknown`` are the running jobs that nobody can say the cost of (yet), ``unpriced`` those ended.

    ``room`` is None without a ceiling.
    """

    spent: float
    reserved: float
    unknown: int = 0
    unpriced: int = 0
    ceiling: float | None = None

    @property
    def room(self) -> float | None:
        """What is left for jobs that have not started."""
        return None if self.ceiling is None else max(self.ceiling - self.spent - self.reserved, 0.0)

    def fits(self, bound: float | None) -> bool:
        """Whether a job of that upper bound may start; one of unknown cost only alone, for it reserves all there is."""
        room = self.room
        if room is None:
            return True
        return not self.unknown and room > TINY and (bound is None or bound <= room + TINY)

    def with_start(self, bound: float | None) -> "Budget":
        """The budget once such a job has started."""
        if bound is None:
            return msgspec.structs.replace(self, unknown=self.unknown + 1)
        return msgspec.structs.replace(self, reserved=self.reserved + bound)


def budget(sweep: Sweep, jobs: Mapping[str, Job]) -> Budget:
    """The budget now: actual costs of what has ended, upper bounds of what has not."""
    results = [member.result for member in sweep.members if member.result is not None]
    running = [jobs[each.job] for each in sweep.standing(MemberState.STARTED) if each.job in jobs]
    bounds = [reserved(job) for job in running]
    return Budget(
        spent=sum(each.cost_usd or 0.0 for each in results),
        reserved=sum(bound for bound in bounds if bound is not None),
        unknown=sum(bound is None for bound in bounds),
        unpriced=sum(each.cost_basis == "unknown" for each in results),
        ceiling=sweep.max_cost_usd,
    )


def reserved(job: Job) -> float | None:
    """What a job that has not ended may cost: its approved ceiling, else its estimate's upper end; None is unknown."""
    if job.approval is not None and job.approval.max_cost_usd is not None:
        return job.approval.max_cost_usd
    return gate.upper_bound(job)


def bound(member: Member, base: BaseModel, sweep: Sweep) -> float | None:
    """The most that a member which has not started should cost; None while its tokens or its price are unknown.

    Where a job on the same file has cost more for an epoch than it was estimated at, that counts.
    """
    file = (member.order.training_file, member.base_model)
    known = next((each for each in sweep.known if (each.training_file, each.base_model) == file), None)
    if known is None or known.uncounted:
        return None
    priced = estimate_of(known.tokens, base, member.order.hyperparameters)
    if not priced.published or priced.usd_high is None:
        return None
    return max(priced.usd_high, (known.usd_per_epoch or 0.0) * priced.epochs)


def over(job: Job, left: Budget) -> str | None:
    """Why a held job will not be let run: its estimate is above what is left for it; None when it waits for a person.

    ``left`` is the budget with this job in it.
    """
    most = gate.upper_bound(job)
    if job.status is not Status.HELD or left.room is None or left.ceiling is None or most is None:
        return None
    mine = max(left.ceiling - left.spent - (left.reserved - (reserved(job) or 0.0)), 0.0)
    if most <= mine + TINY:
        return None
    return f"Not run: it may cost {amount(most)}, and {amount(mine)} of the sweep's {amount(left.ceiling)} were left."
