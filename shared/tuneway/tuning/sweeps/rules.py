"""When a sweep starts no more: its stop rules, and datasets that were refused; pure."""

import msgspec

from tuneway.tuning.sweeps.leaderboard import measure, value
from tuneway.tuning.sweeps.results import succeeded
from tuneway.tuning.sweeps.sweep import Halt, Member, MemberState, Result, Sweep, with_members

FILES = ("training_file", "validation_file")


def halted_by(sweep: Sweep) -> Halt | None:
    """The first rule that says to stop; None when all say to go on."""
    return _target(sweep) or _patience(sweep) or _failures(sweep)


def without_refused_files(sweep: Sweep) -> Sweep:
    """The sweep without the waiting jobs on a file that was refused for their base model: they would fail alike."""
    changed = [
        msgspec.structs.replace(waiting, state=MemberState.SKIPPED, reason=reason)
        for waiting in sweep.standing(MemberState.WAITING)
        if (reason := next(filter(None, (_refused(waiting, each) for each in sweep.members)), None))
    ]
    return with_members(sweep, *changed)


def _refused(waiting: Member, other: Member) -> str | None:
    trouble = other.result.trouble if other.result else None
    field = trouble.param if trouble else None
    if trouble is None or field not in FILES or waiting.base_model != other.base_model:
        return None
    same = getattr(waiting.order, field) == getattr(other.order, field) and waiting.order.method == other.order.method
    return f"Not run: its {field.replace('_', ' ')} was refused in {other.job}: {trouble.message}" if same else None


def _target(sweep: Sweep) -> Halt | None:
    target = sweep.stop.target_validation_loss
    if target is None:
        return None
    for member, result in succeeded(sweep):
        if result.validation_loss is not None and result.validation_loss <= target:
            said = f"{member.job} reached a validation loss of {result.validation_loss:.4g}; {target:g} was the target."
            return Halt(rule="target_validation_loss", message=said)
    return None


def _patience(sweep: Sweep) -> Halt | None:
    patience, told = sweep.stop.patience, measure(sweep)
    if patience is None or told is None:
        return None
    best: float | None = None
    since = 0
    for _, result in succeeded(sweep):
        best, since = _after(best, since, loss=value(result, told), min_delta=sweep.stop.min_delta)
    if since < patience or best is None:
        return None
    words = told.replace("_", " ")
    said = f"{since} jobs in a row did not beat the best {words} of {best:.4g} by more than {sweep.stop.min_delta:g}."
    return Halt(rule="patience", message=said)


def _after(best: float | None, since: int, *, loss: float | None, min_delta: float) -> tuple[float | None, int]:
    """The best loss and the jobs since it; a job that told none says nothing either way."""
    if loss is None:
        return best, since
    if best is None or loss < best - min_delta:
        return loss, 0
    return best, since + 1


def _failures(sweep: Sweep) -> Halt | None:
    results: list[Result] = [member.result for member in sweep.members if member.result is not None]
    failed = sum(result.status == "failed" for result in results)
    most = sweep.stop.max_failures
    if most is None or failed < most:
        return None
    return Halt(rule="max_failures", message=f"{failed} jobs have failed; max_failures is {most}.")
