"""What a running job has cost so far, and what it will have cost in the end, as far as the provider tells."""

import msgspec

from tuneway.ports import ProviderJob, ProviderState
from tuneway.tuning import gate
from tuneway.tuning.bases import Price
from tuneway.tuning.cost import ActualCost, actual_cost, exactly
from tuneway.tuning.jobs import Job, JobError

MILLION = 1_000_000
FINEST = 4


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """USD so far; and of the whole job, where the provider's own count of tokens and the epochs are known."""

    so_far: float
    whole: float | None = None


def spending(job: Job, provider: ProviderJob) -> Spending | None:
    """The cost at the published price of the base model; None where there is none, for no figure is known then."""
    estimate = job.estimate
    if estimate is None or not estimate.published or not estimate.price_per_million:
        return None
    per_epoch = provider.billable_tokens or estimate.tokens_high / max(estimate.epochs, 1)
    price = estimate.price_per_million / MILLION
    chosen = job.hyperparameters.epochs
    known = provider.billable_tokens is not None and chosen is not None
    return Spending(
        so_far=_epochs(provider, chosen or estimate.epochs) * per_epoch * price,
        whole=chosen * per_epoch * price if known and chosen else None,
    )


def overspent(job: Job, provider: ProviderJob) -> JobError | None:
    """Why the job has to stop: its cost is above its ceiling, or is bound to be, by the provider's own count."""
    limit, cost = gate.ceiling(job), spending(job, provider)
    if limit is None or cost is None:
        return None
    if cost.so_far > limit:
        return _stopped(f"it has cost about {_finely(cost.so_far)} so far", limit)
    if cost.whole is not None and cost.whole > limit:
        return _stopped(f"it would cost {_finely(cost.whole)} by the provider's count of tokens", limit)
    return None


def trained_tokens(job: Job, provider: ProviderJob) -> int | None:
    """Billed tokens of all epochs; the provider counts those of the dataset once."""
    epochs = job.hyperparameters.epochs or provider.epochs_done
    return provider.billable_tokens * epochs if provider.billable_tokens and epochs else None


def reconciled(job: Job, provider: ProviderJob) -> ActualCost | None:
    """What a job that succeeded did cost, beside its estimate; None where the provider counts no tokens."""
    epochs = job.hyperparameters.epochs or provider.epochs_done
    if provider.state is not ProviderState.SUCCEEDED or not provider.billable_tokens or not epochs:
        return None
    return actual_cost(provider.billable_tokens, epochs, _price(job), estimated=job.estimate)


def _price(job: Job) -> Price | None:
    """The price that the estimate rests on, when it is the base model's own."""
    estimate = job.estimate
    if estimate is None or not estimate.published or estimate.price_per_million is None or estimate.price_as_of is None:
        return None
    return Price(
        usd_per_million_tokens=estimate.price_per_million,
        model=estimate.price_model or job.base_model,
        source=estimate.price_source or "",
        as_of=estimate.price_as_of,
        verified=estimate.price_verified,
    )


def _epochs(provider: ProviderJob, epochs: int) -> float:
    """The epochs trained so far, in parts where steps are told; where the provider chose more, those it has done."""
    done = float(provider.epochs_done or 0)
    if provider.steps_done and provider.steps_total:
        return max(done, epochs * min(provider.steps_done / provider.steps_total, 1.0))
    return done


def _finely(usd: float) -> str:
    """As finely as a limit may be given: the two are never told as the same figure."""
    return exactly(round(usd, FINEST))


def _stopped(fact: str, limit: float) -> JobError:
    said = f"The job is stopped at its ceiling: {fact}, and may cost {exactly(limit)}."
    return JobError(
        code="cost_ceiling", message=f"{said} Create it again with a higher max_cost_usd, or with less data."
    )
