"""What an installation costs: the page is what the script reckons, and the sums are those done by hand."""

import math
from datetime import date
from typing import Any

import msgspec
import pytest

from tests.bench import cost, cost_page
from tests.bench.cost import (
    Assumed,
    Books,
    Load,
    Price,
    Prices,
    billed,
    dollars,
    functions,
    messages,
    opened,
    ours,
    summed,
    theirs,
)
from tests.infra import hcl
from tests.infra.faults import ROOT


def priced(**prices: tuple[float, float, float]) -> Prices:
    """Made-up prices: dollars, units, free units."""
    about: dict[str, Any] = {"what": "", "source": "", "standing": "page"}
    found = {name: Price(usd=usd, per=per, free=free, **about) for name, (usd, per, free) in prices.items()}
    return Prices(date=date(2026, 11, 22), region="r", prices=found)


@pytest.fixture
def books() -> Books:
    return opened()


def test_the_page_is_what_the_script_reckons(books: Books) -> None:
    assert cost_page.PAGE.read_text() == cost_page.page(books), "run: python -m tests.bench.cost"


def test_a_price_is_for_so_many_units_and_the_free_tier_comes_off_first() -> None:
    prices = priced(reads=(0.03, 100_000, 50_000), calls=(0.40, 1_000_000, 0))
    used = {"reads": 250_000.0, "calls": 2_000_000.0}
    assert dollars(used, prices) == pytest.approx(0.075 + 0.80)
    assert dollars(used, prices, free=True) == pytest.approx(0.06 + 0.80)
    assert dollars({"reads": 10.0}, prices, free=True) == 0


def test_a_quantity_without_a_price_is_an_error() -> None:
    with pytest.raises(KeyError):
        dollars({"unpriced": 1.0}, priced())


def test_few_requests_bill_an_instance_for_as_long_as_they_take() -> None:
    """10,000 of 5 s are 50,000 s, of which those under way together share a hundredth."""
    at_once = 10_000 * 5 / cost.SECONDS
    assert at_once == pytest.approx(0.019, abs=0.0002)
    assert billed(at_once, 600) == pytest.approx(50_000, rel=0.01)


def test_one_at_a_time_on_average_leaves_an_instance_idle_a_share_of_1_in_e() -> None:
    assert billed(1.0, 600) / cost.SECONDS == pytest.approx(1 - 1 / math.e)


def test_more_than_an_instance_holds_bill_more_instances() -> None:
    assert billed(1200.0, 600) / cost.SECONDS == pytest.approx(2)
    assert billed(10.0, 1) / cost.SECONDS == pytest.approx(10)


def test_work_that_fills_the_cpu_bills_more_instances_than_waiting_does() -> None:
    """A month's seconds of requests that take 0.1 s of CPU each: 0.1 of a CPU, of which 0.6 are filled."""
    predict = functions()["predict"]
    waiting = cost.calls(predict, cost.SECONDS * 100, seconds=0.1, filled=0.6)
    working = cost.calls(predict, cost.SECONDS * 100, seconds=0.1, filled=0.6, cpu_us=100_000)
    assert waiting["run_cpu"] == pytest.approx(cost.SECONDS, rel=1e-3)
    assert working["run_cpu"] == pytest.approx(cost.SECONDS * 10 / 0.6)
    assert working["run_memory"] == pytest.approx(working["run_cpu"] / 2)


def test_a_call_of_less_than_a_tenth_of_a_second_bills_one() -> None:
    tick = functions()["tick"]
    assert cost.calls(tick, 10, seconds=0.01, filled=0.6) == cost.calls(tick, 10, seconds=0.1, filled=0.6)


def test_a_small_message_bills_a_thousand_bytes_in_and_as_many_out() -> None:
    assert messages(1_000_000, 200)["pubsub"] * 2**40 == pytest.approx(2e9)
    assert messages(1_000_000, 3000, takers=2)["pubsub"] * 2**40 == pytest.approx(9e9)


def test_parts_are_added_name_by_name() -> None:
    assert summed({"a": 1.0}, {"a": 2.0, "b": 3.0}) == {"a": 3.0, "b": 3.0}


def test_a_million_requests_by_hand(books: Books) -> None:
    """5 s each are 1.9 at a time: an instance is busy 85 % of the month, and so is none of the counting ones' lines."""
    used = cost.answering(1e6, books)
    busy = cost.SECONDS * (1 - math.exp(-5e6 / cost.SECONDS))
    counting = cost.SECONDS * (1 - math.exp(-1e5 / cost.SECONDS))
    assert busy / cost.SECONDS == pytest.approx(0.85, abs=0.005)
    assert used["run_cpu"] == pytest.approx(busy + counting)
    assert used["run_requests"] == 2e6
    assert used["firestore_writes"] == 1e6
    assert used["egress_gib"] == pytest.approx(4e9 / 2**30)


def test_the_other_stack_by_hand(books: Books) -> None:
    """Three instances that are always on, three databases, one balancer: at 730.5 hours a month."""
    used = theirs(0, books)
    assert used["run_cpu_always"] == pytest.approx(3 * 730.5 * 3600)
    assert used["run_memory_always"] == pytest.approx((4 + 4 + 0.5) * 730.5 * 3600)
    sql = {name: amount for name, amount in used.items() if name.startswith("sql")}
    by_hand = 3 * (2 * 730.5 * 0.0413 + 7.5 * 730.5 * 0.007 + 20 * 0.17)
    assert dollars(sql, books.prices) == pytest.approx(by_hand)


def test_more_never_costs_less(books: Books) -> None:
    sums = [dollars(ours(Load(count, 0), books), books.prices) for count in (0, 1, 1e3, 1e5, 1e7, 1e9)]
    assert sums == sorted(sums)
    sums = [dollars(ours(Load(0, count), books), books.prices) for count in (0, 1, 1e2, 1e4)]
    assert sums == sorted(sums)


def test_what_is_used_is_shown_in_one_group_and_every_price_is_used(books: Books) -> None:
    used = {*ours(Load(1, 1), books), *theirs(1, books)}
    shown = [name for names in cost_page.GROUPS.values() for name in names]
    assert sorted(shown) == sorted(used) == sorted(books.prices.prices)


def test_every_assumption_is_explained_and_counts_for_something(books: Books) -> None:
    assert set(cost_page.MEANINGS) == set(Assumed.__struct_fields__)
    plain = cost_page.page(books)
    for name in Assumed.__struct_fields__:
        twice = msgspec.structs.replace(
            books.assumed, **{name: type(getattr(Assumed(), name))(getattr(Assumed(), name) * 2)}
        )
        changed = cost_page.page(msgspec.structs.replace(books, assumed=twice))
        assert changed.partition("## A month")[2] != plain.partition("## A month")[2], name


def test_there_are_as_many_alerts_as_terraform_makes() -> None:
    assert len(hcl.values(ROOT / "infra")["alerts"][0]) == Assumed().alerts


def test_every_price_says_where_it_is_from(books: Books) -> None:
    assert [name for name, price in books.prices.prices.items() if not price.source.startswith("https://")] == []
