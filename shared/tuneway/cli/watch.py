"""Follow a tuning job to its end, with a progress bar."""

import time
from collections.abc import Callable

import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tuneway.cli.client import Client

ENDED = frozenset({"succeeded", "failed", "cancelled"})
PAUSE = 0.25  # seconds between looks


class Error(msgspec.Struct, frozen=True):
    """Why a job failed."""

    message: str


class Steps(msgspec.Struct, frozen=True):
    """How far training has come."""

    phase: str | None = None
    steps_done: int | None = None
    steps_total: int | None = None


class Estimate(msgspec.Struct, frozen=True):
    """What a job may cost."""

    label: str
    usd_low: float | None = None
    usd_high: float | None = None
    price_source: str | None = None
    price_as_of: str | None = None


class Extras(msgspec.Struct, frozen=True):
    """What tuneway says beyond OpenAI's fields."""

    status: str
    progress: Steps | None = None
    estimate: Estimate | None = None
    provider_job: str | None = None


class JobView(msgspec.Struct, frozen=True):
    """A job as the API shows it."""

    id: str
    status: str
    model: str
    tuneway: Extras
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: Error | None = None


def look(client: Client, job_id: str) -> JobView:
    """The job now."""
    return msgspec.convert(client.call("GET", f"/v1/fine_tuning/jobs/{job_id}"), JobView)


def watch(client: Client, job_id: str, *, beside: Callable[[JobView], str] = lambda _: "") -> JobView:
    """The job once it has ended; ``beside`` gives a text to show beside the bar."""
    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[beside]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("accepted", total=None, beside="")
        while (job := look(client, job_id)).status not in ENDED:
            steps = job.tuneway.progress or Steps()
            bar.update(
                task,
                description=_phase(job),
                total=steps.steps_total,
                completed=steps.steps_done or 0,
                beside=beside(job),
            )
            time.sleep(PAUSE)
        total = (job.tuneway.progress or Steps()).steps_total or 1
        done = total if job.status == "succeeded" else 0
        bar.update(task, description=job.status, total=total, completed=done, beside=beside(job))
    return job


def _phase(job: JobView) -> str:
    steps = job.tuneway.progress
    return steps.phase if job.status == "running" and steps and steps.phase else job.status
