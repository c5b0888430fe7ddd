"""What a caller is told whose model is asleep: that it is, who wakes it, and when to come back."""

import math
from datetime import UTC, datetime

from tuneway.errors import UpstreamError
from tuneway.routing.fragments import Asleep

CODE = "model_asleep"
# What is nearly awake, or later than expected, is asked for again after so many seconds.
SOON = 5.0


class ModelAsleep(UpstreamError):
    """Nothing answers at the model's place for now; another target may."""


class AsleepByTheClock(ModelAsleep):
    """Its hours or people wake it, and no call: whoever asks can do nothing about it."""


def asleep_fault(model: str, said: Asleep, *, now: float) -> ModelAsleep:
    """The fault to tell for a place of ``model``'s at Unix time ``now``."""
    seconds, kind = _wait(said, now), AsleepByTheClock if said.strict else ModelAsleep
    return kind(
        f"The model '{model}' is asleep. {_waking(said)} Try again in about {math.ceil(seconds)} seconds.",
        status=503,
        kind="server_error",
        code=CODE,
        retry_after=seconds,
    )


def _wait(said: Asleep, now: float) -> float:
    """Seconds until it answers, as far as is known."""
    if said.ready_at is not None:
        return max(SOON, said.ready_at - now)
    return max(0.0, (said.wakes_at or now) - now) + said.seconds


def _waking(said: Asleep) -> str:
    if said.ready_at is not None:
        return "It is being woken."
    if said.wakes_at is None:
        return "It is woken by hand." if said.strict else "This call wakes it."
    at = datetime.fromtimestamp(said.wakes_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"It is woken at {at}." if said.strict else f"It could not be woken just now, and that is tried again at {at}."
    )
