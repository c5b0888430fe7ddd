"""A person's word on a held job: let it run, or end it."""

import msgspec

from tuneway.access.keys import Grant
from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import Topic
from tuneway.state import Stored
from tuneway.tuning import gate
from tuneway.tuning.allowance import Approval
from tuneway.tuning.cost import amount
from tuneway.tuning.jobs import Job, JobError, Status
from tuneway.tuning.lifecycle import Lifecycle

REFUSED = "approval_refused"


class Approvals:
    """Approve and refuse held jobs; ``max_cost_usd`` is the installation's limit for one job.

    An admin's key may approve any job. A key of the job's owner may approve what it could have created itself: the
    estimate lies within the key's own allowance and the installation's limit. Whoever may cancel it may refuse it.
    """

    def __init__(self, lifecycle: Lifecycle, *, max_cost_usd: float | None = None) -> None:
        self._lifecycle = lifecycle
        self._installation = max_cost_usd

    def approve(self, job_id: str, *, grant: Grant, max_cost_usd: float | None = None) -> Job:
        """Let the job run, up to ``max_cost_usd`` or else to its estimate's upper bound. Twice changes nothing.

        Raises NotFound, NotAllowed, and BadInput when the job is not held.
        """
        self._lifecycle.owned(job_id, grant.tenant)

        def step(stored: Stored[Job]) -> Stored[Job]:
            return self._approved(stored, grant, max_cost_usd)

        return self._lifecycle.settled(job_id, step).value

    def refuse(self, job_id: str, *, grant: Grant, reason: str = "") -> Job:
        """End the job before it costs anything. Twice changes nothing. Raises NotFound, and BadInput when not held."""
        self._lifecycle.owned(job_id, grant.tenant)

        def step(stored: Stored[Job]) -> Stored[Job]:
            return self._refused(stored, grant, reason)

        return self._lifecycle.settled(job_id, step).value

    def _approved(self, stored: Stored[Job], grant: Grant, given: float | None) -> Stored[Job]:
        job = stored.value
        if job.approval is not None and given in {None, job.approval.max_cost_usd}:
            return stored
        _check_held(job)
        self._check_entitled(job, grant)
        _check_ceiling(job, given)
        ceiling = gate.approved_ceiling(job, grant, given=given, installation=self._installation)
        approval = Approval(by=_who(grant), at=self._lifecycle.now(), max_cost_usd=ceiling)
        upto = "" if ceiling is None else f", up to {amount(ceiling)}"
        approved = msgspec.structs.replace(job, approval=approval)
        said = f"Approved by {approval.by}{upto}."
        after = self._lifecycle.move(stored, Status.SUBMITTING, said, job=approved, owed=True)
        self._lifecycle.tell(Topic.JOB_REQUESTED, after.value)
        return after

    def _refused(self, stored: Stored[Job], grant: Grant, reason: str) -> Stored[Job]:
        job = stored.value
        if job.error is not None and job.error.code == REFUSED:
            return stored
        _check_held(job)
        because = f": {reason}" if reason else "."
        error = JobError(code=REFUSED, message=f"Refused by {_who(grant)}{because}")
        refused = msgspec.structs.replace(job, error=error)
        after = self._lifecycle.move(stored, Status.FAILED, error.message, job=refused, owed=True)
        self._lifecycle.tell(Topic.POLL_DUE, after.value)
        return after

    def _check_entitled(self, job: Job, grant: Grant) -> None:
        if not gate.may_approve(job, grant, installation=self._installation):
            raise NotAllowed(
                f"This API key may not approve job {job.id}: what it may cost is above the key's own allowance or the "
                "installation's limit. Ask an admin.",
                code="approval_not_allowed",
            )


def _check_held(job: Job) -> None:
    if job.status is not Status.HELD:
        raise BadInput(f"Job {job.id} is {job.status}, not held: there is nothing to decide.", code="job_not_held")


def _check_ceiling(job: Job, given: float | None) -> None:
    """Raises BadInput for a ceiling that nobody could keep."""
    if given is None:
        return
    if job.estimate is None or not job.estimate.published:
        raise BadInput(
            f"No price of {job.base_model} is published, so no ceiling can be kept. Approve without max_cost_usd, or "
            "set the price in a catalogue file of your own.",
            param="max_cost_usd",
        )


def _who(grant: Grant) -> str:
    return f"{grant.owner} ({grant.name})" if grant.name else grant.owner
