"""Where a training job stands at a moment: pure arithmetic on its plan, so nothing has to run in between."""

import functools
from collections.abc import Iterator
from typing import Literal

import msgspec

BATCH = 8
STEP_SECONDS = 0.9
MOST_TUNING_SECONDS = 3600.0
CANCELLING_SECONDS = 3.0
MOST_CHECKPOINTS = 10
# No cancellation changes anything from here on.
ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_CANCELLING"}
State = Literal[
    "JOB_STATE_QUEUED",
    "JOB_STATE_PENDING",
    "JOB_STATE_RUNNING",
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLING",
    "JOB_STATE_CANCELLED",
]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A job's course: ``speed`` divides every duration; a job that ``fails`` does so after reading its dataset.

    ``steps`` is at least 1 in a job that does not fail. A ``custom`` job runs in a container of the caller's.
    """

    created: float
    speed: float
    steps: int
    epochs: int
    fails: bool = False
    custom: bool = False
    cancelled: float | None = None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A job at one moment; times are Unix seconds, ``phase`` is the end of a ``TUNING_JOB_STATE_`` name."""

    state: State
    phase: str | None = None
    steps: int = 0
    epochs: int = 0
    updated: float
    started: float | None = None
    ended: float | None = None


class Phase(msgspec.Struct, frozen=True):
    """A stretch of a job's course, in seconds at speed 1."""

    state: State
    name: str | None
    seconds: float


def steps_for(rows: int, epochs: int) -> int:
    """How many optimiser steps a dataset takes."""
    return -(-rows // BATCH) * epochs


def checkpoint_epochs(epochs: int) -> list[int]:
    """The epochs after which a checkpoint is kept: each one, or ten at equal distances."""
    kept = min(epochs, MOST_CHECKPOINTS)
    return [round(epochs * place / kept) for place in range(1, kept + 1)]


def phases(plan: Plan) -> Iterator[Phase]:
    """The stretches of the course, in order."""
    yield from _custom(plan) if plan.custom else _managed(plan)


def _custom(plan: Plan) -> Iterator[Phase]:
    yield Phase("JOB_STATE_PENDING", None, 20.0)
    yield Phase("JOB_STATE_RUNNING", None, 8.0)
    if not plan.fails:
        yield Phase("JOB_STATE_RUNNING", "TUNING", tuning_seconds(plan))


def _managed(plan: Plan) -> Iterator[Phase]:
    yield Phase("JOB_STATE_QUEUED", None, 2.0)
    yield Phase("JOB_STATE_PENDING", None, 6.0)
    yield Phase("JOB_STATE_RUNNING", "PROCESSING_DATASET", 12.0)
    if not plan.fails:
        yield Phase("JOB_STATE_RUNNING", "WAITING_FOR_CAPACITY", 10.0)
        yield Phase("JOB_STATE_RUNNING", "TUNING", tuning_seconds(plan))
        yield Phase("JOB_STATE_RUNNING", "POST_PROCESSING", 15.0)


def tuning_seconds(plan: Plan) -> float:
    """How long the steps take at speed 1."""
    return min(plan.steps * STEP_SECONDS, MOST_TUNING_SECONDS)


def ends(plan: Plan) -> float:
    """When the job reaches its end (Unix seconds)."""
    if plan.cancelled is not None:
        return plan.cancelled + CANCELLING_SECONDS / plan.speed
    # Added up as ``_running`` does, so that both agree to the last bit.
    return functools.reduce(lambda begun, phase: begun + phase.seconds / plan.speed, phases(plan), plan.created)


def moment(plan: Plan, now: float) -> Moment:
    """The job at ``now``."""
    if plan.cancelled is None:
        return _running(plan, now)
    before = _running(plan, plan.cancelled)
    over = now >= ends(plan)
    return msgspec.structs.replace(
        before,
        state="JOB_STATE_CANCELLED" if over else "JOB_STATE_CANCELLING",
        phase=None,
        updated=ends(plan) if over else plan.cancelled,
        ended=ends(plan) if over else None,
    )


def _running(plan: Plan, now: float) -> Moment:
    begun = plan.created
    started: float | None = None
    tuned = 0.0
    for phase in phases(plan):
        if started is None and phase.state == "JOB_STATE_RUNNING":
            started = begun
        over = begun + phase.seconds / plan.speed
        if phase.name == "TUNING":
            tuned = min(max((now - begun) * plan.speed / phase.seconds, 0.0), 1.0)
        if now < over:
            return _during(plan, phase, tuned, updated=max(begun, _step_time(plan, begun, now)), started=started)
        begun = over
    state: State = "JOB_STATE_FAILED" if plan.fails else "JOB_STATE_SUCCEEDED"
    done = _during(plan, Phase(state, None, 0), tuned, updated=begun, started=started)
    return msgspec.structs.replace(done, ended=begun)


def _step_time(plan: Plan, begun: float, now: float) -> float:
    """The last whole simulated second of this stretch: a job's updateTime moves in steps, not with every read."""
    return begun + int((now - begun) * plan.speed) / plan.speed


def _during(plan: Plan, phase: Phase, tuned: float, *, updated: float, started: float | None) -> Moment:
    steps = int(plan.steps * tuned)
    return Moment(
        state=phase.state,
        phase=phase.name,
        steps=steps,
        epochs=steps * plan.epochs // plan.steps if plan.steps else 0,
        updated=updated,
        started=started,
    )
