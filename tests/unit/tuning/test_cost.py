from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.catalogue import BaseModel, Price, load
from tuneway.tuning.cost import (
    Estimate,
    actual_cost,
    amount,
    amounts,
    estimate,
    estimate_of,
    tokens_counted,
    tokens_of_size,
)
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
    assert (found.usd_low, found.usd_high) == (0.00462, 0.00634)
    assert found.amount == "< 0.01 USD"
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
    assert found.amount is None
    assert found.tokens_high > 0


def test_files_in_rows_are_said_to_be_missing() -> None:
    with_files = msgspec.structs.replace(REPORT, media_rows=3)
    assert "3 rows hold files" in estimate(with_files, BASE, Hyperparameters()).notes[0]


@pytest.mark.parametrize("base", [BASE, PRICED])
def test_an_estimate_survives_json(base: BaseModel) -> None:
    assert msgspec.convert(msgspec.to_builtins(of(base)), Estimate) == of(base)


@pytest.mark.parametrize(
    ("usd", "said"),
    [(0, "0.00 USD"), (0.000001, "< 0.01 USD"), (0.0099, "< 0.01 USD"), (0.01, "0.01 USD"), (1234.5, "1,234.50 USD")],
)
def test_no_amount_is_rounded_to_nothing(usd: float, said: str) -> None:
    assert amount(usd) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.001, 0.002, "< 0.01 USD"),
        (0.001, 0.05, "< 0.01 to 0.05 USD"),
        (0.456, 0.634, "0.46 to 0.63 USD"),
        (2, 2.001, "2.00 USD"),
    ],
)
def test_an_interval_is_said_in_cents(low: float, high: float, said: str) -> None:
    assert amounts(low, high) == said


def test_a_base_billed_by_the_hour_says_so_and_has_no_amount() -> None:
    custom = load().base("mistral-7b-instruct", today=date(2026, 11, 21))
    found = of(custom)
    assert found.amount is None
    assert "billed by the hour" in found.label
    assert "g2-standard-12" in found.label


def test_a_size_alone_gives_a_wide_interval_around_the_truth() -> None:
    by_size = tokens_of_size(REPORT.bytes)
    assert by_size.low <= REPORT.tokens.low
    assert by_size.high >= REPORT.tokens.high
    assert "size of a file" in by_size.basis


@given(st.integers(1, 10**9))
def test_a_larger_file_never_costs_less(size: int) -> None:
    less, more = tokens_of_size(size), tokens_of_size(size + 1)
    assert 0 <= less.low <= less.high
    assert (less.low, less.high) <= (more.low, more.high)


def test_tokens_may_be_given_instead_of_a_file() -> None:
    found = estimate_of(tokens_counted(1_000_000, 2_000_000), PRICED, Hyperparameters(epochs=2))
    assert (found.usd_low, found.usd_high, found.amount) == (20, 40, "20.00 to 40.00 USD")
    assert found.tokens_basis == "as the caller said"


class TestActualCost:
    """What a job did cost."""

    def test_it_is_the_providers_tokens_times_epochs_times_price(self) -> None:
        found = actual_cost(500_000, 2, PRICED.price)
        assert (found.trained_tokens, found.usd, found.currency) == (1_000_000, 10, "USD")
        assert (found.price_source, found.price_as_of) == ("our contract", date(2026, 11, 1))
        assert (found.over_usd, found.over_tokens) == (None, None)

    @pytest.mark.parametrize(("billed", "over"), [(50, -0.0012), (231, 0), (317, 0), (400, 0.00166)])
    def test_it_is_held_against_the_estimate(self, billed: int, over: float) -> None:
        found = actual_cost(billed, 2, PRICED.price, estimated=of(PRICED, 2))
        assert found.over_usd == pytest.approx(over, abs=0.003)
        assert ((found.over_tokens or 0) > 0) == (over > 0)
        assert (found.over_usd == 0) == (over == 0)

    def test_a_stand_in_is_nothing_to_compare_with(self) -> None:
        found = actual_cost(400, 2, BASE.price, estimated=of(BASE, 2))
        assert (found.usd, found.over_usd) == (None, None)
        assert found.over_tokens == 800 - 634
        assert "bill" in found.label

    def test_it_survives_json(self) -> None:
        found = actual_cost(400, 2, PRICED.price, estimated=of(PRICED, 2))
        assert msgspec.convert(msgspec.to_builtins(found), type(found)) == found
