from datetime import date

import msgspec
import pytest

from tuneway.tuning.catalogue import BaseModel, Price, load
from tuneway.tuning.cost import Estimate, estimate
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.hyperparameters import Hyperparameters

BASE = load().base("gemini-3.5-flash", today=date(2026, 11, 21))
PRICED = msgspec.structs.replace(
    BASE,
    price=Price(
        usd_per_million_tokens=10, model=BASE.name, source="our contract", as_of=date(2026, 11, 1), verified=True
    ),
)
ROW = b'{"prompt":"%s","completion":"yes!"}' % (b"a" * 996)
REPORT = lint([ROW], limits=DatasetLimits())


def of(base: BaseModel, epochs: int | None = None) -> Estimate:
    return estimate(REPORT, base, Hyperparameters(epochs=epochs))


def test_the_estimate_is_tokens_times_epochs_times_price() -> None:
    found = of(PRICED, 2)
    assert (found.tokens_low, found.tokens_high) == (462, 634)
    assert (found.usd_low, found.usd_high) == (0.0046, 0.0063)
    assert (found.epochs, found.epochs_basis) == (2, "as requested")
    assert (found.price_source, found.price_as_of, found.currency) == ("our contract", date(2026, 11, 1), "USD")
    assert found.published


def test_epochs_left_to_the_provider_are_assumed_and_said_so() -> None:
    found = of(PRICED)
    assert found.epochs == 3
    assert "assumption" in found.epochs_basis
    assert found.tokens_low == 3 * REPORT.tokens.low


def test_a_stand_in_is_never_presented_as_the_price() -> None:
    found = of(BASE)
    assert found.stand_in
    assert not found.published
    assert found.price_model == "gemini-2.5-flash"
    assert "no price is published for gemini-3.5-flash" in found.label
    assert "last published price of gemini-2.5-flash" in found.label


def test_without_any_price_there_are_tokens_but_no_amount() -> None:
    found = of(msgspec.structs.replace(BASE, stand_in=None))
    assert (found.usd_low, found.usd_high, found.price_per_million) == (None, None, None)
    assert not found.stand_in
    assert not found.published
    assert found.tokens_high > 0


def test_files_in_rows_are_said_to_be_missing() -> None:
    with_files = msgspec.structs.replace(REPORT, media_rows=3)
    assert "3 rows hold files" in estimate(with_files, BASE, Hyperparameters()).notes[0]


@pytest.mark.parametrize("base", [BASE, PRICED])
def test_an_estimate_survives_json(base: BaseModel) -> None:
    assert msgspec.convert(msgspec.to_builtins(of(base)), Estimate) == of(base)
