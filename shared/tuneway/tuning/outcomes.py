"""The registry's view of finished jobs (``ports.Outcomes``)."""

from collections.abc import Callable
from typing import Literal

import msgspec

from tuneway.ports import Outcome
from tuneway.state import Stored
from tuneway.tuning.jobs import Job, Line, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle


class FinishedJobs:
    """Implements ``ports.Outcomes`` over the lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def of(self, job: str) -> Outcome | None:
        """What the job made; None when it is unknown or did not succeed."""
        stored = self._lifecycle.jobs.known(job)
        found = stored.value if stored else None
        if found is None or found.status is not Status.SUCCEEDED or found.tuned is None:
            return None
        return Outcome(
            job=found.id,
            owner=found.owner,
            alias=found.alias,
            backend=found.backend,
            method=found.method,
            location=found.location,
            continues=found.continues,
            promote_to=_asked(found),
            cancel_asked=found.cancel_asked,
            base_model=found.base_model,
            tuned=found.tuned,
            dataset_sha256=found.dataset.sha256 if found.dataset else "",
            finished_at=found.finished_at or found.moved_at,
        )

    def settle(self, job: str, *, alias: str, since: int | None = None) -> None:
        """Close the job: its model answers. Repeating the call repeats the announcement and changes nothing."""

        def step(stored: Stored[Job]) -> Stored[Job]:
            found = stored.value
            if not _succeeded(found) or (not found.open and found.fine_tuned_model is not None):
                return stored
            settled = msgspec.structs.replace(found, open=False, fine_tuned_model=alias)
            return self._lifecycle.write(
                stored,
                settled,
                Line(message=f"New fine-tuned model created: {alias}", milestone="succeeded"),
                owed=since is None,
            )

        self._stepped(job, step, since=since)

    def tell(self, job: str, *, message: str) -> None:
        """Add a line to the history of a job that is not closed yet, once."""

        def step(stored: Stored[Job]) -> Stored[Job]:
            told = (happened.message for happened in self._lifecycle.history(stored.value).later())
            if not stored.value.open or message in told:
                return stored
            return self._lifecycle.write(stored, stored.value, message, owed=True)

        self._stepped(job, step)

    def promoted(self, job: str, *, since: int | None = None, refusal: str | None = None) -> None:
        """Tell the job what came of its promotion. Repeating the call repeats the announcement and changes nothing."""

        def step(stored: Stored[Job]) -> Stored[Job]:
            asked = stored.value.promotion
            if asked is None or asked.state != "asked":
                return stored
            state: Literal["refused", "done"] = "refused" if refusal else "done"
            told = refusal or f"The model answers as '{asked.alias}', too."
            after = msgspec.structs.replace(asked, state=state, message=told)
            line = Line(message=told, level="warn" if refusal else "info")
            promoted = msgspec.structs.replace(stored.value, promotion=after)
            return self._lifecycle.write(stored, promoted, line, owed=since is None)

        self._stepped(job, step, since=since)

    def close(self, job: str, *, message: str) -> None:
        """Close a job whose model does not answer: it stays tuned, and its weights are where they are."""

        def step(stored: Stored[Job]) -> Stored[Job]:
            if not _succeeded(stored.value) or not stored.value.open:
                return stored
            closed = msgspec.structs.replace(stored.value, open=False)
            return self._lifecycle.write(stored, closed, Line(message=message, level="warn"), owed=True)

        self._stepped(job, step)

    def _stepped(self, job: str, step: Callable[[Stored[Job]], Stored[Job]], *, since: int | None = None) -> None:
        """Take the step, and announce what is not announced yet: what is owed survives a crash in between."""
        after = self._lifecycle.settled(job, step).value
        self._lifecycle.announce(JobRef(after.id, after.announced if since is None else since))


def _asked(job: Job) -> str | None:
    return job.promotion.alias if job.promotion is not None and job.promotion.state == "asked" else None


def _succeeded(job: Job) -> bool:
    return job.status is Status.SUCCEEDED
