"""The registry's view of finished jobs (``ports.Outcomes``)."""

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.ports import Outcome
from tuneway.tuning.jobs import Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle

ATTEMPTS = 20


class FinishedJobs:
    """Implements ``ports.Outcomes`` over the lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def of(self, job: str) -> Outcome | None:
        """What the job made; None when it is unknown or did not succeed."""
        try:
            found = self._lifecycle.jobs.get(job).value
        except NotFound:
            return None
        if found.status is not Status.SUCCEEDED or found.tuned is None:
            return None
        return Outcome(
            job=found.id,
            owner=found.owner,
            alias=found.alias,
            base_model=found.base_model,
            tuned=found.tuned,
            dataset_sha256=found.dataset.sha256 if found.dataset else "",
            finished_at=found.finished_at or found.moved_at,
        )

    def settle(self, job: str, *, alias: str, since: int) -> None:
        """Close the job: its model answers. Repeating the call repeats the announcement and changes nothing."""
        for _ in range(ATTEMPTS):
            stored = self._lifecycle.jobs.get(job)
            if not stored.value.open:
                break
            settled = msgspec.structs.replace(stored.value, open=False, fine_tuned_model=alias)
            try:
                self._lifecycle.write(stored, settled, f"New fine-tuned model created: {alias}")
                break
            except Conflict:
                continue
        else:
            raise TryLater(f"Job {job} keeps changing.")
        self._lifecycle.announce(JobRef(stored.value.id, since))
