"""The hours in which a deployment is up, on the clocks of their time zones."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.registry.hosting.windows import checked, closes, opens_after
from tuneway.registry.rest import Day, Rest, Window

WORK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
BERLIN = Window(days=WORK, start="08:00", end="18:00", timezone="Europe/Berlin")
DAILY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str, zone: str = "Europe/Berlin", *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def test_weekdays_from_eight_to_six_are_open() -> None:
    assert closes([BERLIN], at("2026-11-18T08:00")) == at("2026-11-18T18:00")
    assert closes([BERLIN], at("2026-11-18T17:59:59")) == at("2026-11-18T18:00")


@pytest.mark.parametrize("moment", ["2026-11-18T07:59:59", "2026-11-18T18:00", "2026-11-21T12:00", "2026-11-22T12:00"])
def test_nights_and_week_ends_are_closed(moment: str) -> None:
    assert closes([BERLIN], at(moment)) is None


def test_the_next_window_after_friday_is_mondays() -> None:
    assert opens_after([BERLIN], at("2026-11-20T18:00")) == at("2026-11-23T08:00")


def test_a_window_that_begins_now_is_no_next_one() -> None:
    assert opens_after([BERLIN], at("2026-11-18T08:00")) == at("2026-11-19T08:00")


def test_without_windows_nothing_opens_or_closes() -> None:
    assert (closes([], 1.0), opens_after([], 1.0)) == (None, None)


def test_two_windows_that_touch_at_midnight_are_one_night() -> None:
    night = [
        Window(days=("fri",), start="22:00", end="24:00", timezone="Europe/Berlin"),
        Window(days=("sat",), start="00:00", end="06:00", timezone="Europe/Berlin"),
    ]
    assert closes(night, at("2026-11-20T23:00")) == at("2026-11-21T06:00")
    assert opens_after(night, at("2026-11-20T23:00")) == at("2026-11-27T22:00")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_whole_day_has_the_hours_that_its_clocks_give_it(day: str, hours: int) -> None:
    whole = [Window(days=("sun",), start="00:00", end="24:00", timezone="Europe/Berlin")]
    start = at(f"{day}T00:00")
    if hours == 24:
        assert closes(whole, start) is None
    else:
        assert closes(whole, start) == start + hours * 3600


def test_office_hours_follow_the_clocks_when_these_are_changed() -> None:
    friday, monday = at("2026-10-23T08:00"), at("2026-10-26T08:00")
    assert opens_after([BERLIN], friday + 36_000) == monday
    assert monday - friday == 73 * 3600 - 3600 + 3600


def test_an_hour_that_does_not_exist_begins_after_the_gap() -> None:
    gap = [Window(days=("sun",), start="02:10", end="02:50", timezone="Europe/Berlin")]
    start = at("2026-03-29T03:10")
    assert opens_after(gap, at("2026-03-29T00:00")) == start
    assert closes(gap, start) == at("2026-03-29T03:50")


def test_an_hour_that_comes_twice_is_open_both_times() -> None:
    twice = [Window(days=("sun",), start="02:00", end="02:30", timezone="Europe/Berlin")]
    assert opens_after(twice, at("2026-10-25T00:00")) == at("2026-10-25T02:00")
    assert closes(twice, at("2026-10-25T02:10", fold=1)) == at("2026-10-25T02:30", fold=1)


@given(st.floats(min_value=1.7e9, max_value=2.2e9), st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]))
def test_a_moment_is_inside_or_before_the_next_window_never_lost(moment: float, zone: str) -> None:
    windows = [Window(days=DAILY, start="09:30", end="17:15", timezone=zone)]
    end, start = closes(windows, moment), opens_after(windows, moment)
    assert start is not None
    assert moment < start <= moment + 26 * 3600
    assert end is None or moment < end < start


def rest(**window: object) -> Rest:
    plain = {"days": ["mon"], "from": "08:00", "to": "18:00"}
    return msgspec.convert({"windows": [{**plain, **window}]}, Rest)


@pytest.mark.parametrize(
    ("window", "field"),
    [
        ({"from": "8:00"}, "from"),
        ({"from": "24:30"}, "from"),
        ({"to": "25:00"}, "to"),
        ({"from": "18:00", "to": "08:00"}, "to"),
        ({"from": "08:00", "to": "08:00"}, "to"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
        ({"timezone": "right/Europe/Berlin"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "/etc/localtime"}, "timezone"),
        ({"days": []}, "days"),
        ({"days": ["mon", "mon"]}, "days"),
    ],
)
def test_a_window_that_cannot_be_kept_is_refused_by_name(window: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(rest(**window))
    assert caught.value.param == f"rest.windows[0].{field}"


def test_a_window_over_midnight_is_told_to_be_two() -> None:
    with pytest.raises(BadInput, match=r"22:00 to 24:00, and 00:00 to 06:00"):
        checked(rest(**{"from": "22:00", "to": "06:00"}))


def test_windows_that_overlap_are_refused() -> None:
    two = Rest(windows=(BERLIN, Window(days=("fri",), start="17:00", end="20:00", timezone="Europe/Berlin")))
    with pytest.raises(BadInput, match="overlap") as caught:
        checked(two)
    assert caught.value.param == "rest.windows[1]"


def test_windows_of_other_days_hours_or_zones_do_not_overlap() -> None:
    others = (
        BERLIN,
        Window(days=WORK, start="18:00", end="20:00", timezone="Europe/Berlin"),
        Window(days=("sat",), start="08:00", end="18:00", timezone="Europe/Berlin"),
        Window(days=WORK, start="08:00", end="18:00", timezone="America/New_York"),
    )
    assert checked(Rest(windows=others)).windows == others


def test_strict_without_windows_would_never_wake() -> None:
    with pytest.raises(BadInput, match="nothing would wake it"):
        checked(Rest(strict=True))
