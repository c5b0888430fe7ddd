"""What a job may cost without a person's word, and that word."""

from typing import Literal

import msgspec

Source = Literal["caller", "key", "installation"]
SOURCES: tuple[Source, ...] = ("caller", "key", "installation")


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one job may cost, in USD, by each who may say so; None says nothing."""

    caller: float | None = None
    key: float | None = None
    installation: float | None = None

    @property
    def given(self) -> dict[Source, float]:
        """What was said, by whom."""
        said = {"caller": self.caller, "key": self.key, "installation": self.installation}
        return {source: usd for source in SOURCES if (usd := said[source]) is not None}

    @property
    def least(self) -> float | None:
        """The one that counts."""
        return min(self.given.values(), default=None)


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that a held job may run; ``max_cost_usd`` is its ceiling from then on, None for no ceiling."""

    by: str
    at: float
    max_cost_usd: float | None = None
