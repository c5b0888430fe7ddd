"""What an installation's requests came to: counted by owner, key, route, target and time, as one asks for them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Documents
from tuneway.registry.counts.tallies import Tally, quantile, total
from tuneway.registry.counts.usage import HOUR, Usage, hours

LONGEST = 92 * 86400


class By(StrEnum):
    """What usage is grouped by."""

    OWNER = "owner"
    KEY = "key"
    ALIAS = "alias"
    TARGET = "target"
    HOUR = "hour"
    DAY = "day"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which usage: from the hour of ``start`` until that of ``end`` is over, Unix seconds; None means all there are."""

    start: float
    end: float
    owner: str | None = None
    key: str | None = None
    alias: str | None = None
    target: str | None = None
    by: tuple[By, ...] = ()


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Of good answers, in ms, from the first byte in to the last byte out; up to 9 % more than it was."""

    p50: float
    p95: float
    p99: float


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One group's usage. ``cost_usd`` is of the ``priced`` requests alone; times are ISO 8601."""

    requests: int
    errors: int
    refused: int
    tokens_in: int
    tokens_out: int
    priced: int
    cost_usd: float
    error_rate: float | None = None
    latency_ms: Latency | None = None
    owner: str | None = None
    key: str | None = None
    alias: str | None = None
    target: str | None = None
    hour: str | None = None
    day: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The groups, the largest first, or by time where one asks for that; and all of them together."""

    start: str
    end: str
    rows: tuple[Row, ...]
    total: Row


_OF: dict[By, Callable[[Usage], str]] = {
    By.OWNER: lambda usage: usage.owner,
    By.KEY: lambda usage: usage.key,
    By.ALIAS: lambda usage: usage.route,
    By.TARGET: lambda usage: usage.target,
    By.HOUR: lambda usage: _instant(usage.at),
    By.DAY: lambda usage: _instant(usage.at)[:10],
}
_TIMES = frozenset({By.HOUR, By.DAY})


def report(documents: Documents, wanted: Wanted) -> Report:
    """The usage asked for. Raises BadInput: the times are no span, or too much lies in it."""
    start, end = _span(wanted)
    found = hours(documents, start=start, end=end, owner=wanted.owner, route=wanted.alias)
    groups: dict[tuple[str, ...], list[Tally]] = {}
    for usage in found:
        if _fits(usage, wanted):
            groups.setdefault(tuple(_OF[by](usage) for by in wanted.by), []).append(usage.tally)
    sums = {names: total(tallies) for names, tallies in groups.items()}
    rows = [_row(sums[names], dict(zip(wanted.by, names, strict=True))) for names in _ordered(sums, wanted.by)]
    return Report(
        start=_instant(start), end=_instant(end), rows=tuple(rows), total=_row(total(sums.values()), dict[By, str]())
    )


def _span(wanted: Wanted) -> tuple[int, int]:
    """Whole hours: what is kept knows nothing finer."""
    start, end = int(wanted.start // HOUR * HOUR), int(-(-wanted.end // HOUR) * HOUR)
    if wanted.start >= wanted.end:
        raise BadInput("'from' lies before 'to'. Give an earlier one.", param="from", code="invalid_value")
    if wanted.end - wanted.start > LONGEST:
        raise BadInput(
            f"One answer spans at most {LONGEST // 86400} days. Ask for several.", param="from", code="invalid_value"
        )
    return start, end


def _fits(usage: Usage, wanted: Wanted) -> bool:
    asked = {By.OWNER: wanted.owner, By.KEY: wanted.key, By.ALIAS: wanted.alias, By.TARGET: wanted.target}
    return all(value is None or _OF[by](usage) == value for by, value in asked.items())


def _ordered(sums: dict[tuple[str, ...], Tally], by: Sequence[By]) -> list[tuple[str, ...]]:
    times = [place for place, name in enumerate(by) if name in _TIMES]
    return sorted(sums, key=lambda names: ([names[place] for place in times], -sums[names].requests, names))


def _row(tally: Tally, names: dict[By, str]) -> Row:
    row = Row(
        requests=tally.requests,
        errors=tally.errors,
        refused=tally.refused,
        tokens_in=tally.tokens_in,
        tokens_out=tally.tokens_out,
        priced=tally.priced,
        cost_usd=round(tally.cost_usd, 8),
        error_rate=round(tally.errors / tally.judged, 6) if tally.judged else None,
        latency_ms=latency_of(tally),
    )
    return msgspec.structs.replace(row, **{by.value: name for by, name in names.items()})


def latency_of(tally: Tally) -> Latency | None:
    """How long good answers took; None where there was none."""
    p50, p95, p99 = (quantile(tally.latencies, share) for share in (0.5, 0.95, 0.99))
    return None if p50 is None or p95 is None or p99 is None else Latency(p50=p50, p95=p95, p99=p99)


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
