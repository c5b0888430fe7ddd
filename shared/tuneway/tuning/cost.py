"""What tuning a dataset will cost: an interval in USD, with the price's source and date; and what it did cost."""

from datetime import date
from math import ceil, floor
from typing import Literal

import msgspec

from tuneway.tuning.bases import BaseModel, Price
from tuneway.tuning.datasets.report import DatasetReport, TokenRange
from tuneway.tuning.datasets.tokens import TOKENS_PER_CHARACTER_HIGH
from tuneway.tuning.hyperparameters import Hyperparameters

MILLION = 1_000_000
DECIMALS = 6
CENT = 0.01
# Measured with the lint on files of 2026-11: rows of a few words, mostly JSON, have 0.06 tokens a byte, long ones 0.27.
TOKENS_PER_BYTE_LOW = 0.05
SIZE_BASIS = (
    f"{TOKENS_PER_BYTE_LOW} tokens a byte (rows of a few words, mostly JSON) to {TOKENS_PER_CHARACTER_HIGH} (text); "
    "the size of a file tells no more: name the file for a narrower interval"
)
COUNTED = "as the caller said"


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a job before it runs: the dataset's tokens, times epochs, times USD a million.

    ``stand_in`` True means that no price of this model is published: ``usd_*`` and ``price_per_million`` are then those
    of ``price_model``, to give an idea, and ``label`` says so wherever they are shown. They are None when there is not
    even that. Amounts are USD, tokens those of all epochs.
    """

    tokens_low: int
    tokens_high: int
    tokens_basis: str
    epochs: int
    epochs_basis: str
    stand_in: bool
    label: str
    currency: Literal["USD"] = "USD"
    usd_low: float | None = None
    usd_high: float | None = None
    price_per_million: float | None = None
    price_model: str | None = None
    price_source: str | None = None
    price_as_of: date | None = None
    price_verified: bool = False
    notes: tuple[str, ...] = ()

    @property
    def published(self) -> bool:
        """True when the amounts rest on a price of this very model, so that a gate may rely on them."""
        return self.usd_high is not None and not self.stand_in

    @property
    def amount(self) -> str | None:
        """The interval for people, such as ``0.46 to 0.63 USD`` or ``< 0.01 USD``; None without any price."""
        return None if self.usd_low is None or self.usd_high is None else amounts(self.usd_low, self.usd_high)


class ActualCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a job did cost, by the provider's own count: ``trained_tokens`` are those of all epochs.

    ``usd`` is None when no price of this model is published. ``over_usd`` is how far it lies above the estimate's
    interval (below it when negative, 0.0 within); None when there is nothing to compare.
    """

    billable_tokens: int
    epochs: int
    trained_tokens: int
    label: str
    currency: Literal["USD"] = "USD"
    usd: float | None = None
    price_per_million: float | None = None
    price_source: str | None = None
    price_as_of: date | None = None
    over_usd: float | None = None
    over_tokens: int | None = None


def estimate(report: DatasetReport, base: BaseModel, hyperparameters: Hyperparameters) -> Estimate:
    """The estimate for tuning ``base`` on the dataset of ``report``."""
    return estimate_of(report.tokens, base, hyperparameters, notes=_notes(report))


def estimate_of(
    tokens: TokenRange, base: BaseModel, hyperparameters: Hyperparameters, *, notes: tuple[str, ...] = ()
) -> Estimate:
    """The estimate for tuning ``base`` on so many tokens an epoch."""
    epochs = hyperparameters.epochs or base.ranges.auto_epochs
    low, high = tokens.low * epochs, tokens.high * epochs
    price = base.price or base.stand_in
    return Estimate(
        tokens_low=low,
        tokens_high=high,
        tokens_basis=tokens.basis,
        epochs=epochs,
        epochs_basis="as requested" if hyperparameters.epochs else base.ranges.auto_epochs_source,
        stand_in=price is not None and base.price is None,
        label=_label(base),
        usd_low=_usd(low, price),
        usd_high=_usd(high, price),
        price_per_million=price.usd_per_million_tokens if price else None,
        price_model=price.model if price else None,
        price_source=price.source if price else None,
        price_as_of=price.as_of if price else None,
        price_verified=price.verified if price else False,
        notes=notes,
    )


def tokens_of_size(size: int) -> TokenRange:
    """The tokens that a file of ``size`` bytes may hold, without a look at it: a wide interval."""
    low, high = floor(size * TOKENS_PER_BYTE_LOW), ceil(size * TOKENS_PER_CHARACTER_HIGH)
    return TokenRange(low=low, high=high, basis=SIZE_BASIS)


def tokens_counted(low: int, high: int) -> TokenRange:
    """An epoch's tokens as the caller counted or estimated them."""
    return TokenRange(low=low, high=high, basis=COUNTED)


def actual_cost(
    billable_tokens: int, epochs: int, price: Price | None, *, estimated: Estimate | None = None
) -> ActualCost:
    """What the provider's count of an epoch's tokens comes to; ``price`` is this model's own, never a stand-in."""
    trained = billable_tokens * epochs
    usd = _usd(trained, price)
    return ActualCost(
        billable_tokens=billable_tokens,
        epochs=epochs,
        trained_tokens=trained,
        label=_actual_label(price),
        usd=usd,
        price_per_million=price.usd_per_million_tokens if price else None,
        price_source=price.source if price else None,
        price_as_of=price.as_of if price else None,
        over_usd=_over_usd(usd, estimated),
        over_tokens=int(_beyond(trained, estimated.tokens_low, estimated.tokens_high)) if estimated else None,
    )


def amounts(low: float, high: float) -> str:
    """The interval for people: whole cents, and no amount is rounded to nothing."""
    least, most = amount(low), amount(high)
    return most if least == most else f"{least.removesuffix(' USD')} to {most}"


def amount(usd: float) -> str:
    """An amount for people: ``0.00 USD`` is nothing at all, ``< 0.01 USD`` is less than a cent."""
    return f"< {CENT} USD" if 0 < usd < CENT else f"{usd:,.2f} USD"


def exactly(usd: float) -> str:
    """An amount that somebody gave, with all of its digits: ``0.0001 USD``."""
    return f"{usd:,.2f} USD" if round(usd, 2) == usd else f"{usd:,.{DECIMALS}f}".rstrip("0") + " USD"


def _usd(tokens: int, price: Price | None) -> float | None:
    return None if price is None else round(tokens * price.usd_per_million_tokens / MILLION, DECIMALS)


def _over_usd(usd: float | None, estimated: Estimate | None) -> float | None:
    if usd is None or estimated is None or not estimated.published:
        return None
    return round(_beyond(usd, estimated.usd_low or 0, estimated.usd_high or 0), DECIMALS)


def _beyond(value: float, low: float, high: float) -> float:
    """How far ``value`` lies outside of the interval."""
    return value - min(max(value, low), high)


def _label(base: BaseModel) -> str:
    if base.price is not None:
        return f"estimate at ${base.price.usd_per_million_tokens:g} per million training tokens of {base.name}"
    if base.billed_by == "machine_hours":
        machine = f" ({base.container.machine_type})" if base.container else ""
        return f"{base.name} is trained on machines{machine} that are billed by the hour, not by tokens: no estimate"
    remedy = "set its price in a file of your own (TUNEWAY_CATALOGUE_FILE, see docs/base-models.md)"
    if base.stand_in is None:
        return f"no price is published for {base.name}; {remedy}"
    return (
        f"no price is published for {base.name}; stand-in: the last published price of {base.stand_in.model}, "
        f"${base.stand_in.usd_per_million_tokens:g} per million training tokens; {remedy}"
    )


def _actual_label(price: Price | None) -> str:
    if price is None:
        return "no price is published: the provider's bill says what the job did cost"
    return f"the provider's count of tokens at ${price.usd_per_million_tokens:g} per million; its bill is what counts"


def _notes(report: DatasetReport) -> tuple[str, ...]:
    if not report.media_rows:
        return ()
    return (f"{report.media_rows:,} rows hold files, whose tokens are not in this estimate: it is too low.",)
