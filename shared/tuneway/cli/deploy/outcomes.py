"""What a probe of an installation finds, and how a list of it is shown."""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

Status = Literal["ok", "failed", "skipped"]
STRANGE = (
    "Is that the URL of tuneway, and of this version? What stands in between (a proxy, a login page) may answer, too."
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; ``remedy`` says what to do about what failed, or was left out."""

    name: str
    status: Status
    said: str
    remedy: str | None = None
    ms: int = 0


class Finding(Exception):
    """Why a probe is not content: the fact, and the remedy."""

    status: Status = "failed"

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.said = said
        self.remedy = remedy


class Unwell(Finding):
    """The installation does not do what it should."""


class LeftOut(Finding):
    """It could not be tried."""

    status = "skipped"


def probed(name: str, probe: Callable[[], str]) -> Outcome:
    """The outcome of a probe, which answers what it saw or raises a Finding."""
    began = time.monotonic()

    def outcome(status: Status, said: str, remedy: str | None = None) -> Outcome:
        ms = round((time.monotonic() - began) * 1000)
        return Outcome(name=name, status=status, said=said, remedy=remedy, ms=ms)

    try:
        return outcome("ok", probe())
    except Finding as found:
        return outcome(found.status, found.said, found.remedy)
    except (KeyError, msgspec.ValidationError) as fault:
        return outcome("failed", f"an answer is not tuneway's: {fault}", STRANGE)


def line(outcome: Outcome) -> str:
    """The outcome for people."""
    status = outcome.status if outcome.status != "failed" else "FAILED"
    text = f"{status:<8} {outcome.name:<32} {outcome.ms:>7} ms  {outcome.said}"
    return text if outcome.remedy is None else f"{text}\n{'':<9}→ {outcome.remedy}"


def summary(outcomes: list[Outcome]) -> str:
    """The last line."""
    count = {status: sum(each.status == status for each in outcomes) for status in ("ok", "failed", "skipped")}
    return ", ".join(f"{number} {status}" for status, number in count.items() if number)
