"""How far a provider's job has come: what is kept of it, what is worth a write, and how it is told."""

import msgspec

from tuneway.ports import ProviderJob

PROGRESS_SHARE = 0.05  # of all steps: the least progress worth a write
PHASES = {
    "waiting_for_quota": "Waiting for a place in the project's quota of tuning jobs.",
    "processing_dataset": "The provider reads the dataset.",
    "waiting_for_capacity": "Waiting for the provider's machines.",
    "tuning": "Training.",
    "post_processing": "Training is done; the provider makes the model ready.",
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far training has come, as the provider counted it at ``seen_at``.

    ``paced_at`` and ``paced_from`` are when the first step was seen and how many there were then: from there on the
    pace is measured, so that waiting for machines does not count as slow training.
    """

    seen_at: float
    phase: str | None = None
    epochs_done: int | None = None
    steps_done: int | None = None
    steps_total: int | None = None
    paced_at: float | None = None
    paced_from: int = 0


def progressed(before: Progress | None, provider: ProviderJob, *, now: float) -> Progress | None:
    """The progress now; what the provider says no longer, it has not taken back. None while it says nothing at all."""
    if provider.phase is None and provider.steps_done is None and provider.epochs_done is None:
        return before
    last = before or Progress(seen_at=now)
    steps = _most(last.steps_done, provider.steps_done)
    begins = last.paced_at is None and bool(steps)
    return Progress(
        seen_at=now,
        phase=provider.phase or last.phase,
        epochs_done=_most(last.epochs_done, provider.epochs_done),
        steps_done=steps,
        steps_total=provider.steps_total or last.steps_total,
        paced_at=now if begins else last.paced_at,
        paced_from=(steps or 0) if begins else last.paced_from,
    )


def worth_a_write(before: Progress | None, after: Progress | None) -> bool:
    """Whether the difference is one that somebody would want to see."""
    if before is None or after is None:
        return after is not None
    if (before.phase, before.epochs_done or 0) != (after.phase, after.epochs_done or 0):
        return True
    steps = (after.steps_done or 0) - (before.steps_done or 0)
    return steps > 0 and steps >= PROGRESS_SHARE * (after.steps_total or steps)


def lines(before: Progress | None, after: Progress) -> list[str]:
    """The events that tell of it: a new phase in words, and the steps, or the epochs where no steps are told."""
    last = before or Progress(seen_at=after.seen_at)
    phase = after.phase if after.phase != last.phase else None
    told = [PHASES.get(phase, f"Phase: {phase.replace('_', ' ')}.")] if phase else []
    if after.steps_done and after.steps_done != last.steps_done:
        total = f"/{after.steps_total}" if after.steps_total else ""
        return [*told, f"Step {after.steps_done}{total} done."]
    if after.epochs_done and after.epochs_done != last.epochs_done:
        return [*told, f"Epoch {after.epochs_done} done."]
    return told


def _most(before: int | None, after: int | None) -> int | None:
    """Counts only grow: an answer that took a detour must not undo a later one."""
    return max((count for count in (before, after) if count is not None), default=None)
