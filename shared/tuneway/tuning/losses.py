"""The losses of a job as metrics events: thinned, so that a history stays short however many steps there are."""

import math
from collections.abc import Iterable

from tuneway.ports import Checkpoint, Loss
from tuneway.tuning.jobs import Figure, Job, Line

MOST = 200  # metrics events of one job
SHARE = 100  # the losses of so many steps are shown, of a job whose number of steps is known


def fresh(job: Job, losses: Iterable[Loss], *, steps_total: int | None, ended: bool = False) -> tuple[Loss, ...]:
    """The losses worth telling after those told already, in the order of steps; ``ended`` lets the last one through."""
    later = sorted((loss for loss in losses if loss.step > job.metrics_step and _says(loss)), key=lambda at: at.step)
    chosen: list[Loss] = []
    last = job.metrics_step
    for loss in later:
        if loss.step >= last + _stride(last, steps_total) or loss.validation is not None or not last:
            chosen.append(loss)
            last = loss.step
    room = MOST - job.metrics_told
    final = later[-1:] if ended and later and later[-1].step > last and room > 0 else []
    return (*chosen[: room - len(final)], *final) if room > 0 else ()


def line(loss: Loss, *, steps_total: int | None) -> Line:
    """The loss as OpenAI's metrics events tell it."""
    said = {"training loss": loss.training, "validation loss": loss.validation}
    words = ", ".join(f"{name}={value:.4g}" for name, value in said.items() if value is not None)
    total = f"/{steps_total}" if steps_total else ""
    return Line(message=f"Step {loss.step}{total}: {words}", type="metrics", data=figures(loss, total=steps_total))


def figures(loss: Loss, *, total: int | None = None) -> dict[str, Figure]:
    """The loss under OpenAI's names; what was not measured is absent."""
    named = {
        "step": loss.step,
        "total_steps": total,
        "epoch": loss.epoch,
        "train_loss": loss.training,
        "valid_loss": loss.validation,
    }
    return {name: value for name, value in named.items() if value is not None}


def at_checkpoints(checkpoints: Iterable[Checkpoint], losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """For each checkpoint with a loss at or before its step: that loss, under the checkpoint's step."""
    known = sorted((loss for loss in losses if _says(loss)), key=lambda at: at.step)
    found = ((point, _last(known, point.step)) for point in checkpoints)
    return tuple(
        Loss(step=point.step, epoch=point.epoch, training=loss.training, validation=loss.validation)
        for point, loss in found
        if loss is not None
    )


def final(losses: Iterable[Loss]) -> Loss | None:
    """The last loss of each kind, under the last step; None when none was told."""
    known = sorted((loss for loss in losses if _says(loss)), key=lambda at: at.step)
    if not known:
        return None
    return Loss(
        step=known[-1].step,
        epoch=known[-1].epoch,
        training=next((loss.training for loss in reversed(known) if loss.training is not None), None),
        validation=next((loss.validation for loss in reversed(known) if loss.validation is not None), None),
    )


def _last(losses: list[Loss], step: int) -> Loss | None:
    return next((loss for loss in reversed(losses) if loss.step <= step), None)


def _says(loss: Loss) -> bool:
    """JSON has no word for a loss that is no number; one that diverged to infinity is left out."""
    told = [value for value in (loss.training, loss.validation) if value is not None]
    return bool(told) and all(math.isfinite(value) for value in told)


def _stride(last: int, steps_total: int | None) -> int:
    """Steps to the next loss worth telling; while the end is unknown, they grow with the steps."""
    return -(-steps_total // SHARE) if steps_total else max(1, last // 20)
