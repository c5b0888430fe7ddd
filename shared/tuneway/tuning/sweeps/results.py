"""What became of a member's job, and what it counts for: pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from tuneway.ports import Loss
from tuneway.tuning import gate
from tuneway.tuning.jobs import ENDED, Job, Status
from tuneway.tuning.sweeps.sweep import Known, Member, MemberState, Result, Sweep, Trouble, with_members

DECIMALS = 6
Basis = Literal["actual", "estimate", "nothing", "unknown"]
WORDS: dict[Status, Literal["succeeded", "failed", "cancelled"]] = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}


def with_results(sweep: Sweep, jobs: Mapping[str, Job]) -> Sweep:
    """The sweep with what its started jobs, as they are now, have come to; and with the tokens they have counted."""
    ended = [
        msgspec.structs.replace(member, state=MemberState.ENDED, result=result(job))
        for member in sweep.standing(MemberState.STARTED)
        if (job := jobs.get(member.job)) is not None and job.status in ENDED
    ]
    known = {(each.training_file, each.base_model): each for each in sweep.known}
    for each in filter(None, map(_known, jobs.values())):
        before = known.get((each.training_file, each.base_model))
        if before is None or (before.usd_per_epoch is None and each.usd_per_epoch is not None):
            known[each.training_file, each.base_model] = each
    return msgspec.structs.replace(with_members(sweep, *ended), known=tuple(known.values()))


def result(job: Job) -> Result:
    """The result of a job that has ended."""
    loss, error = job.final_loss or Loss(step=0), job.error
    cost, basis = cost_of(job)
    return Result(
        status=WORDS[job.status],
        finished_at=job.finished_at or job.moved_at,
        cost_usd=cost,
        cost_basis=basis,
        validation_loss=loss.validation,
        training_loss=loss.training,
        trouble=Trouble(code=error.code, message=error.message, param=error.param) if error else None,
    )


def cost_of(job: Job) -> tuple[float | None, Basis]:
    """What a job that has ended counts for: its actual cost, else the upper end of its estimate, never too little.

    Nobody says whether a failed or cancelled job is billed, so what it trained counts.
    """
    if job.actual_cost is not None and job.actual_cost.usd is not None:
        return job.actual_cost.usd, "actual"
    if job.provider_job is None or (job.started_at is None and job.status is not Status.SUCCEEDED):
        return 0.0, "nothing"
    bound = gate.upper_bound(job)
    return (None, "unknown") if bound is None else (round(bound * _trained(job), DECIMALS), "estimate")


def succeeded(sweep: Sweep) -> list[tuple[Member, Result]]:
    """The members that succeeded, with their results, in the order they finished."""
    ended = [(member, member.result) for member in sweep.members if member.result is not None]
    good = [(member, result) for member, result in ended if result.status == "succeeded"]
    return sorted(good, key=lambda pair: (pair[1].finished_at, pair[0].index))


def _trained(job: Job) -> float:
    progress = job.progress
    if job.status is Status.SUCCEEDED or progress is None or not progress.steps_total:
        return 1.0
    return min((progress.steps_done or 0) / progress.steps_total, 1.0)


def _known(job: Job) -> Known | None:
    if job.dataset is None:
        return None
    cost = job.actual_cost
    return Known(
        training_file=job.training_file,
        base_model=job.base_model,
        tokens=job.dataset.tokens,
        uncounted=bool(job.dataset.media_rows),
        usd_per_epoch=None if cost is None or cost.usd is None else cost.usd / max(cost.epochs, 1),
    )
