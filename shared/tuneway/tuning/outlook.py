"""How far along a job is, and when it should be done: from its steps, before that from jobs like it."""

from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.progress import Progress

# Shares of a job's way, by status and by the provider's phase: shown as progress, so they only have to rise.
BEFORE: dict[Status, float] = {
    Status.REQUESTED: 0.0,
    Status.VALIDATING: 0.01,
    Status.HELD: 0.02,
    Status.SUBMITTING: 0.02,
    Status.QUEUED: 0.03,
}
PHASES = {"waiting_for_quota": 0.03, "processing_dataset": 0.05, "waiting_for_capacity": 0.08, "post_processing": 0.95}
TRAINING = (0.1, 0.95)
LAST = 0.99  # trained, but not answering under its name yet


def share(job: Job) -> float:
    """How far the job has come, from 0 to 1; of one that failed or was cancelled, how far it came."""
    if job.status is Status.SUCCEEDED:
        return LAST if job.fine_tuned_model is None else 1.0
    if job.progress is None:
        return BEFORE.get(job.status, 0.0 if job.started_at is None else BEFORE[Status.QUEUED])
    return round(max(_in_phase(job, job.progress), BEFORE.get(job.status, 0.0)), 4)


def finish(job: Job) -> float | None:
    """When training should be done (Unix seconds): by its own pace, before there is one by past jobs; None is unknown.

    A job that takes longer than past ones did has no forecast any more.
    """
    if job.status is not Status.RUNNING or job.started_at is None:
        return None
    if (paced := _paced(job.progress)) is not None:
        return paced
    seen = job.progress.seen_at if job.progress else job.started_at
    forecast = None if job.forecast_seconds is None else job.started_at + job.forecast_seconds
    return forecast if forecast is not None and forecast > seen else None


def _paced(progress: Progress | None) -> float | None:
    if progress is None or progress.paced_at is None:
        return None
    done, total = progress.steps_done or 0, progress.steps_total or 0
    if not progress.paced_from < done <= total:
        return None
    pace = (progress.seen_at - progress.paced_at) / (done - progress.paced_from)
    return progress.seen_at + pace * (total - done)


def _in_phase(job: Job, progress: Progress) -> float:
    begin, end = TRAINING
    if not progress.steps_done and not progress.epochs_done:
        return PHASES.get(progress.phase or "", begin if progress.phase == "tuning" else BEFORE[Status.QUEUED])
    return max(begin + (end - begin) * _trained(job, progress), PHASES.get(progress.phase or "", 0.0))


def _trained(job: Job, progress: Progress) -> float:
    if progress.steps_done and progress.steps_total:
        return min(progress.steps_done / progress.steps_total, 1.0)
    epochs = job.hyperparameters.epochs or (job.estimate.epochs if job.estimate else 1)
    return min((progress.epochs_done or 0) / epochs, 1.0)
