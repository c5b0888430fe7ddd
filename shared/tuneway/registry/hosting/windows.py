"""The hours in which a deployment is up: read, checked, and found on the clock of any time zone.

Where clocks are put forward, an hour that does not exist begins after the gap; where they are put back, a window lasts
through both of the hours that exist twice.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tuneway.errors import BadInput
from tuneway.registry.rest import Rest, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
MIDNIGHT = "24:00"
# A week and a day in both directions of the present: every window is found in it.
REACH = range(-1, 9)

Span = tuple[float, float]


def checked(rest: Rest) -> Rest:
    """The same, if it can be kept. Raises BadInput naming the window."""
    for place, window in enumerate(rest.windows):
        _check(window, f"rest.windows[{place}]")
    for (one, first), (other, second) in combinations(enumerate(rest.windows), 2):
        if _overlap(first, second):
            raise BadInput(
                f"The windows {one} and {other} overlap. Make one of them, or let one end where the other begins.",
                param=f"rest.windows[{other}]",
                code="invalid_value",
            )
    if rest.strict and not rest.windows:
        said = "'strict' leaves the waking to windows, and there are none: nothing would wake it. Give windows, too."
        raise BadInput(said, param="rest.strict", code="invalid_value")
    return rest


def closes(windows: Iterable[Window], at: float) -> float | None:
    """When the hours end that ``at`` lies in; None outside all windows."""
    return next((end for start, end in _spans(windows, at) if start <= at < end), None)


def opens_after(windows: Iterable[Window], at: float) -> float | None:
    """The next moment at which a window begins; None without any."""
    return next((start for start, _ in _spans(windows, at) if start > at), None)


def _check(window: Window, param: str) -> None:
    for name, hour in (("from", window.start), ("to", window.end)):
        if HOURS.fullmatch(hour) is None:
            said = f"'{hour[:20]}' is no time of the day. Write it as 08:00, with 24:00 for midnight at a day's end."
            raise BadInput(said, param=f"{param}.{name}", code="invalid_value")
    if not window.days or len(set(window.days)) < len(window.days):
        said = "A window names each of its days once, and one at least: mon, tue, wed, thu, fri, sat or sun."
        raise BadInput(said, param=f"{param}.days", code="invalid_value")
    if window.start >= window.end:
        raise BadInput(
            f"A window ends after it begins, and {window.start} to {window.end} does not. Write one that goes over "
            f"midnight as two: {window.start} to 24:00, and 00:00 to {window.end} of the days after.",
            param=f"{param}.to",
            code="invalid_value",
        )
    _check_zone(window.timezone, f"{param}.timezone")


def _check_zone(name: str, param: str) -> None:
    try:
        # What begins otherwise is a machine's own (localtime), or counts leap seconds (right/…).
        ZoneInfo(name if name[:1].isupper() else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        said = f"There is no time zone '{name[:60]}'. Use a name such as Europe/Berlin, America/New_York or UTC."
        raise BadInput(said, param=param, code="invalid_value") from None


def _overlap(one: Window, other: Window) -> bool:
    """Of windows in different zones that is nobody's mistake: both hold."""
    days = set(one.days) & set(other.days)
    return one.timezone == other.timezone and bool(days) and one.start < other.end and other.start < one.end


def _spans(windows: Iterable[Window], at: float) -> list[Span]:
    """The hours around ``at`` in which a window is open, in order; those that touch are one."""
    merged: list[Span] = []
    for start, end in sorted(span for window in windows for span in _of_window(window, at)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _of_window(window: Window, at: float) -> Iterator[Span]:
    zone = ZoneInfo(window.timezone)
    today = datetime.fromtimestamp(at, zone).date()
    for days in REACH:
        day = today + timedelta(days=days)
        if DAYS[day.weekday()] in window.days:
            begins = _instants(day, window.start, zone)[0]
            yield begins, max(begins, *_instants(day, window.end, zone))


def _instants(day: date, hour: str, zone: ZoneInfo) -> Span:
    """The moment at which clocks show it, the first and the second time."""
    if hour == MIDNIGHT:
        day, hour = day + timedelta(days=1), "00:00"
    shown = datetime.combine(day, time.fromisoformat(hour), zone)
    first, second = (shown.replace(fold=fold).astimezone(UTC).timestamp() for fold in (0, 1))
    return first, second
