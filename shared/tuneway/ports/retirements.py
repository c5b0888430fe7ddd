"""When base models retire, and jobs that tune again on what follows: the registry's view of catalogue and jobs."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

import msgspec

from tuneway.ports.state import Write


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a base model's end; days are UTC's.

    ``retires_on`` is the first day on which it is gone, None where nobody has said one. Unless ``announced`` it is the
    earliest that the provider promised. ``successor`` ends the chain of those that follow: ``through`` are the ones
    that are passed over because they retire soon themselves, and ``successor_retires_on`` is when it goes in turn.
    None where that chain ends with one that is gone.
    """

    base: str
    family: str
    source: str
    as_of: date
    retires_on: date | None = None
    announced: bool = False
    tuning_ends_on: date | None = None
    successor: str | None = None
    through: tuple[str, ...] = ()
    successor_retires_on: date | None = None


class Fates(Protocol):
    """The dates of base models."""

    def of(self, name: str, *, today: date) -> Fate | None:
        """What is known of the base model that ``name`` means; None when it is not in the catalogue."""
        ...

    def edition(self) -> str:
        """A print of all dates: another one when any of them has changed."""
        ...


class RetuneWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants of the new job; None leaves it as the old one had it, and the base to the catalogue."""

    base_model: str | None = None
    hyperparameters: dict[str, object] | None = None
    max_cost_usd: float | None = None


class RetuneQuote(msgspec.Struct, frozen=True, kw_only=True):
    """The new job before there is one: what it trains with, what is not as it was and why, and what it costs."""

    base_model: str
    hyperparameters: dict[str, object]
    estimate: dict[str, object]
    training_file: str
    validation_file: str | None = None
    method: str = "supervised"
    changes: tuple[str, ...] = ()


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """How a new job begins: ``token`` is the same for the same request, ``key_limit`` what the key may spend on a job.

    ``also`` are the writes that are done in the commit which makes the job, by its id and its quote.
    """

    token: str
    also: Callable[[str, RetuneQuote], Sequence[Write]]
    key_limit: float | None = None


class Retuner(Protocol):
    """Jobs made again on another base, from the files that their owner keeps."""

    def quote(self, job: str, wish: RetuneWish) -> RetuneQuote:
        """What the new job would be. Raises BadInput when there can be none; the files are looked for, not read."""
        ...

    def begin(self, job: str, wish: RetuneWish, how: Begin) -> str:
        """The new job's id, of the same owner's; the same token never makes a second one.

        Raises as ``quote``, also when a file has other bytes by now, Conflict when ``also`` cannot be written, and
        TryLater.
        """
        ...


class JobStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a job stands. It is ``over`` once it is known whether its model answers, as ``alias`` then."""

    job: str
    status: str
    alias: str
    over: bool
    answers: bool
    error: str | None = None


class Following(Protocol):
    """Jobs as they go on."""

    def of(self, job: str) -> JobStanding | None:
        """How it stands; None when it is unknown."""
        ...

    def cancel(self, job: str) -> None:
        """End it, if it has not ended. Repeating the call changes nothing. Raises TryLater."""
        ...
