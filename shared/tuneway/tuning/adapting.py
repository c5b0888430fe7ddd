"""Take a job's hyperparameters over to another base: what does not fit there is changed, and every change is said."""

import msgspec

from tuneway.tuning.bases import BaseModel, Range, TuningMode
from tuneway.tuning.hyperparameters import WHOLE, Hyperparameters
from tuneway.tuning.jobs import Job


class Adapted(msgspec.Struct, frozen=True, kw_only=True):
    """What the job trains with on the new base, and what is not as it was."""

    base: BaseModel
    hyperparameters: Hyperparameters
    tuning_mode: TuningMode | None
    changes: tuple[str, ...]


def adapted(job: Job, base: BaseModel) -> Adapted:
    """The job's hyperparameters and mode as ``base`` takes them."""
    mode = _mode(job, base)
    chosen = msgspec.structs.asdict(job.hyperparameters)
    fitted = {name: _fitted(name, value, base, mode=mode) for name, value in chosen.items() if value is not None}
    changes = [_said(name, chosen[name], after, base=base) for name, after in fitted.items() if after != chosen[name]]
    if job.tuning_mode is not None and mode != job.tuning_mode:
        changes.append(f"tuning_mode: {job.tuning_mode} → {mode or 'auto'} ({base.name} has no other like it)")
    return Adapted(
        base=base, hyperparameters=msgspec.convert(fitted, Hyperparameters), tuning_mode=mode, changes=tuple(changes)
    )


def _mode(job: Job, base: BaseModel) -> TuningMode | None:
    return job.tuning_mode if job.tuning_mode in base.tuning_modes else base.default_mode


def _fitted(name: str, value: float, base: BaseModel, *, mode: TuningMode | None) -> float | None:
    """The nearest that the base takes; None where it lets nobody choose."""
    if name == "adapter_size":
        sizes = () if mode == "full" else base.ranges.adapter_sizes
        return min(sorted(sizes), key=lambda size: abs(size - value), default=None)
    allowed: Range | None = getattr(base.ranges, name)
    if allowed is None:
        return None
    nearest = min(max(value, allowed.low), allowed.high)
    return round(nearest) if name in WHOLE else nearest


def _said(name: str, before: float, after: float | None, *, base: BaseModel) -> str:
    if after is None:
        return f"{name}: {before:g} → auto ({base.name} lets nobody choose it)"
    allowed = (
        ", ".join(map(str, base.ranges.adapter_sizes)) if name == "adapter_size" else str(getattr(base.ranges, name))
    )
    return f"{name}: {before:g} → {after:g} ({base.name} takes {allowed})"
