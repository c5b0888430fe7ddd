"""What the jobs of a sweep mean for it: results, stop rules, the ceiling, its end; pure."""

from collections.abc import Mapping

import msgspec

from tuneway.tuning.cost import amount
from tuneway.tuning.jobs import Job
from tuneway.tuning.sweeps.budget import TINY, Budget, budget, over
from tuneway.tuning.sweeps.leaderboard import SAID, measure, winner
from tuneway.tuning.sweeps.results import succeeded, with_results
from tuneway.tuning.sweeps.rules import halted_by, without_refused_files
from tuneway.tuning.sweeps.sweep import (
    Halt,
    Member,
    MemberState,
    Promotion,
    Sweep,
    SweepStatus,
    moved,
    skipped,
    with_members,
)

UNFINISHED = (MemberState.WAITING, MemberState.STARTED)


def judged(sweep: Sweep, jobs: Mapping[str, Job]) -> Sweep:
    """The sweep after a look at its started jobs: what ended, what is not started any more, what is to be cancelled."""
    seen = without_refused_files(with_results(sweep, jobs))
    halt = halted_by(seen) if seen.status is SweepStatus.RUNNING and seen.halted is None else None
    if halt is not None and seen.standing(*UNFINISHED):
        seen = halted(seen, halt)
    left = budget(seen, jobs)
    if left.ceiling is not None and left.spent > left.ceiling + TINY and seen.standing(*UNFINISHED):
        return _overspent(seen, left)
    return with_members(seen, *_withdrawn(seen, jobs, left))


def halted(sweep: Sweep, halt: Halt) -> Sweep:
    """The sweep that starts nothing more; where its rules say so, or it is cancelled, its running jobs are to end."""
    after = skipped(msgspec.structs.replace(sweep, halted=halt), halt.message)
    if halt.rule != "cancelled" and not sweep.stop.cancel_running:
        return after
    running = after.standing(MemberState.STARTED)
    return with_members(after, *(msgspec.structs.replace(each, reason=halt.message) for each in running))


def ended(sweep: Sweep, *, now: float) -> Sweep | None:
    """The sweep in the status that follows once all its jobs have ended; None while some have not."""
    if sweep.standing(*UNFINISHED):
        return None
    if sweep.status is SweepStatus.CANCELLING:
        return moved(_unpromoted(sweep, "The sweep was cancelled."), SweepStatus.CANCELLED, now=now)
    if not succeeded(sweep):
        return moved(_unpromoted(sweep, "No job succeeded."), SweepStatus.FAILED, now=now)
    told = measure(sweep)
    best = msgspec.structs.replace(sweep, winner=winner(sweep, by=told) if told else None)
    return _with_winner(best, now=now)


def _with_winner(sweep: Sweep, *, now: float) -> Sweep:
    wish = sweep.promotion
    if wish is None:
        return moved(sweep, SweepStatus.SUCCEEDED, now=now)
    chosen = winner(sweep, by=wish.by)
    if chosen is None:
        said = f"No job told a {SAID[wish.by]}, so there is no winner. Choose one: POST …/{sweep.id}/promote."
        return moved(_unpromoted(sweep, said), SweepStatus.SUCCEEDED, now=now)
    waiting = msgspec.structs.replace(wish, state="waiting", job=chosen)
    return moved(msgspec.structs.replace(sweep, promotion=waiting), SweepStatus.PROMOTING, now=now)


def _unpromoted(sweep: Sweep, reason: str) -> Sweep:
    wish = sweep.promotion
    if wish is None:
        return sweep
    return msgspec.structs.replace(sweep, promotion=msgspec.structs.replace(wish, state="none", message=reason))


def _overspent(sweep: Sweep, left: Budget) -> Sweep:
    """Jobs cost more than the upper ends of their estimates: what runs can only add to it, so it is to end."""
    said = f"The jobs have cost {amount(left.spent)}; {amount(left.ceiling or 0.0)} was the ceiling."
    after = skipped(sweep, said)
    if after.halted is None:
        after = msgspec.structs.replace(after, halted=Halt(rule="ceiling", message=said))
    running = [each for each in after.standing(MemberState.STARTED) if each.reason is None]
    return with_members(after, *(msgspec.structs.replace(each, reason=said) for each in running))


def _withdrawn(sweep: Sweep, jobs: Mapping[str, Job], left: Budget) -> list[Member]:
    """Held jobs that may not run, for the sweep has not enough left for them."""
    return [
        msgspec.structs.replace(member, reason=reason)
        for member in sweep.standing(MemberState.STARTED)
        if member.reason is None and (job := jobs.get(member.job)) is not None and (reason := over(job, left))
    ]


def promotion_after(wish: Promotion, job: Job) -> Promotion:
    """How far the promotion has come, by what stands on the winner's job."""
    told = job.promotion
    if wish.state == "asked" and told is not None and told.alias == wish.alias and told.state != "asked":
        return msgspec.structs.replace(wish, state=told.state, message=told.message)
    if wish.state == "waiting" and job.fine_tuned_model is None and not job.open:
        said = f"{job.id} has won, but its model does not answer. Deploy it, then: POST …/promote."
        return msgspec.structs.replace(wish, state="none", message=said)
    return wish
