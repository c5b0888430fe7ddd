"""What tuning a dataset will cost: an interval in USD, with the price's source and date."""

from datetime import date
from typing import Literal

import msgspec

from tuneway.tuning.catalogue import BaseModel, Price
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.hyperparameters import Hyperparameters

MILLION = 1_000_000
DECIMALS = 4


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


def estimate(report: DatasetReport, base: BaseModel, hyperparameters: Hyperparameters) -> Estimate:
    """The estimate for tuning ``base`` on the dataset of ``report``."""
    epochs = hyperparameters.epochs or base.ranges.auto_epochs
    low, high = report.tokens.low * epochs, report.tokens.high * epochs
    price = base.price or base.stand_in
    return Estimate(
        tokens_low=low,
        tokens_high=high,
        tokens_basis=report.tokens.basis,
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
        notes=_notes(report),
    )


def _usd(tokens: int, price: Price | None) -> float | None:
    return None if price is None else round(tokens * price.usd_per_million_tokens / MILLION, DECIMALS)


def _label(base: BaseModel) -> str:
    if base.price is not None:
        return f"estimate at ${base.price.usd_per_million_tokens:g} per million training tokens of {base.name}"
    remedy = "set its price in a catalogue file of your own"
    if base.stand_in is None:
        return f"no price is published for {base.name}; {remedy}"
    return (
        f"no price is published for {base.name}; stand-in: the last published price of {base.stand_in.model}, "
        f"${base.stand_in.usd_per_million_tokens:g} per million training tokens; {remedy}"
    )


def _notes(report: DatasetReport) -> tuple[str, ...]:
    if not report.media_rows:
        return ()
    return (f"{report.media_rows:,} rows hold files, whose tokens are not in this estimate: it is too low.",)
