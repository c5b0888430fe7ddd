"""Follow a tuning job to its end, with a progress bar."""

import time
from collections.abc import Callable

import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tuneway.cli.client import Client

ENDED = frozenset({"succeeded", "failed", "cancelled"})
MINUTE = 60
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
    held_because: str | None = None


class JobView(msgspec.Struct, frozen=True):
    """A job as the API shows it."""

    id: str
    status: str
    model: str
    tuneway: Extras
    created_at: int = 0
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: Error | None = None
    progress: float = 0.0
    estimated_finish: int | None = None

    @property
    def word(self) -> str:
        """OpenAI's status, but for what it has no word for."""
        own = self.tuneway.status
        return own if own in {"held", "cancelling"} else self.status


def look(client: Client, job_id: str) -> JobView:
    """The job now."""
    return msgspec.convert(client.call("GET", f"/v1/fine_tuning/jobs/{job_id}"), JobView)


def watch(client: Client, job_id: str, *, beside: Callable[[JobView], str] = lambda _: "") -> JobView:
    """The job once it has ended, or is held; ``beside`` gives a text to show beside the bar."""
    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[beside]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("accepted", total=1.0, left="", beside="")
        while (job := look(client, job_id)).status not in ENDED and job.tuneway.status != "held":
            bar.update(task, description=phase(job), completed=job.progress, left=left(job), beside=beside(job))
            time.sleep(PAUSE)
        bar.update(task, description=job.word, completed=job.progress, left="", beside=beside(job))
    return job


def left(job: JobView) -> str:
    """How long the training should still take."""
    if job.estimated_finish is None:
        return ""
    seconds = max(job.estimated_finish - time.time(), 0)
    return f"{seconds // 60:.0f} min left" if seconds >= MINUTE else f"{seconds:.0f} s left"


def phase(job: JobView) -> str:
    """Where the job stands, in a word: the provider's phase while it runs."""
    steps = job.tuneway.progress
    return steps.phase.replace("_", " ") if job.word == "running" and steps and steps.phase else job.word
