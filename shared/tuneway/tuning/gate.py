"""The gate before a job is paid for, and the ceiling while it runs: the least of what three parties allow."""

from tuneway.access.keys import Grant, Scope
from tuneway.tuning.allowance import Allowance, Source
from tuneway.tuning.cost import Estimate, amount, exactly
from tuneway.tuning.jobs import Job

HOLD_SECONDS = 7 * 24 * 3600.0
NAMES: dict[Source, str] = {
    "caller": "the request's max_cost_usd",
    "key": "the API key's allowance",
    "installation": "the installation's limit",
}


def reason_to_hold(job: Job) -> str | None:
    """Why the job must wait for a person's word, with the figures and what to do; None when it may go on."""
    limit, estimate = job.allowance.least, job.estimate
    if limit is None or _within(job, limit):
        return None
    said = f"the limit of {exactly(limit)} ({_whose(job.allowance, limit)})"
    ask = (
        f"POST /v1/fine_tuning/jobs/{job.id}/approve lets it run, …/refuse ends it ('tuneway jobs approve {job.id}'); "
        f"without either it ends in {HOLD_SECONDS / 86400:.0f} days."
    )
    return f"Held: {_why(job, estimate, said)} {ask}"


def may_approve(job: Job, grant: Grant, *, installation: float | None) -> bool:
    """Whether the word of this key counts: an admin's always, another's for what the key could have created itself."""
    limit = Allowance(key=grant.max_cost_usd, installation=installation).least
    return Scope.ADMIN in grant.scopes or limit is None or _within(job, limit)


def approved_ceiling(job: Job, grant: Grant, *, given: float | None, installation: float | None) -> float | None:
    """What the job may cost once it is approved: what the approver gave, else the bound that lay before them.

    Only an admin lifts it over the approving key's allowance and the installation's limit.
    """
    bound = given if given is not None else upper_bound(job)
    if Scope.ADMIN in grant.scopes:
        return bound
    return min((usd for usd in (bound, grant.max_cost_usd, installation) if usd is not None), default=None)


def ceiling(job: Job) -> float | None:
    """What the job may cost while it runs, in USD; None when nobody set a limit."""
    return job.allowance.least if job.approval is None else job.approval.max_cost_usd


def upper_bound(job: Job) -> float | None:
    """The most the job should cost; None where no price is published, or files in the rows are not in the tokens."""
    estimate = job.estimate
    if estimate is None or not estimate.published or _uncounted(job):
        return None
    return estimate.usd_high


def _within(job: Job, limit: float) -> bool:
    bound = upper_bound(job)
    return bound is not None and bound <= limit


def _why(job: Job, estimate: Estimate | None, limit: str) -> str:
    if estimate is None or not estimate.published or estimate.usd_high is None:
        return f"{_unpriced(estimate, limit)}."
    if _uncounted(job):
        said = f"the estimate of {estimate.amount} leaves out the files in the rows"
        return f"{said}, so that nobody knows whether {limit} is kept."
    return f"the estimate of up to {amount(estimate.usd_high)} is above {limit}."


def _unpriced(estimate: Estimate | None, limit: str) -> str:
    """The amount and the limit first, then why nobody can rely on them."""
    if estimate is None:
        return f"there is no estimate, so that {limit} cannot be kept"
    if estimate.amount is None:
        return f"there is no amount to hold against {limit}: {estimate.label}"
    return f"a stand-in of {estimate.amount} cannot be held against {limit}: {estimate.label}"


def _uncounted(job: Job) -> bool:
    return bool(job.dataset and job.dataset.media_rows)


def _whose(allowance: Allowance, limit: float) -> str:
    return " and ".join(NAMES[source] for source, usd in allowance.given.items() if usd == limit)
