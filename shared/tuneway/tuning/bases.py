"""One base model as a row of the catalogue: what it takes, where, within which limits, until when, for how much."""

from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec
from typing_extensions import override

from tuneway.ports import Method, TrainingContainer
from tuneway.tuning.datasets.limits import DatasetLimits

Words = Literal["gemini", "messages", "prompt_completion", "claude", "converse"]
"""The words a provider wants its rows in: ``claude`` and ``converse`` are Amazon Bedrock's for Claude and for Nova."""
TuningMode = Literal["adapter", "full"]
SOON_DAYS = 90


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``low`` to ``high``, both included; ``default`` is the provider's own choice, where it publishes one."""

    low: float
    high: float
    default: float | None = None

    @override
    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


class Ranges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What hyperparameters may be; None (or no sizes) means that nobody can choose this one.

    ``auto_epochs`` is what an estimate assumes when the provider chooses.
    """

    epochs: Range
    learning_rate_multiplier: Range | None = None
    learning_rate: Range | None = None
    adapter_sizes: tuple[int, ...] = ()
    batch_size: Range | None = None
    warmup_steps: Range | None = None
    weight_decay: Range | None = None
    beta: Range | None = None
    auto_epochs: int
    source: str
    auto_epochs_source: str


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD for a million training tokens of ``model``, as ``source`` said on ``as_of``; every epoch counts anew."""

    usd_per_million_tokens: float
    model: str
    source: str
    as_of: date
    verified: bool = False


class Untunable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why nobody can tune a model; ``since`` is None when nobody ever could."""

    reason: str
    source: str
    since: date | None = None


class Standing(StrEnum):
    """What a day makes of a base model."""

    TUNABLE = "tunable"
    TUNING_ENDED = "tuning_ended"
    RETIRED = "retired"
    NOT_TUNABLE = "not_tunable"


class BaseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One base model; ``name`` is the provider's own id.

    ``price`` is None when none is published; ``stand_in`` is then the last published price of its family, which is
    never the price of this model. ``billed_by`` says what the provider counts.
    ``tuning_ends_on`` is the first day without new tuning jobs, ``retired_on`` the first on which the model is gone;
    ``retires_not_before`` is a promise of the provider that keeps nobody out.
    ``dataset`` is how the provider wants the rows; ``also_takes`` are forms that it takes as they are. ``default_mode``
    None means that the provider is told none.
    """

    name: str
    family: str
    backend: str
    methods: tuple[Method, ...]
    tuning_locations: tuple[str, ...]
    serving_locations: tuple[str, ...]
    ranges: Ranges
    limits: DatasetLimits
    source: str
    verified: bool = False
    other_names: tuple[str, ...] = ()
    methods_source: str | None = None
    text_only_methods: tuple[Method, ...] = ()
    dataset: Words = "gemini"
    also_takes: tuple[Words, ...] = ()
    tuning_modes: tuple[TuningMode, ...] = ("adapter",)
    default_mode: TuningMode | None = None
    container: TrainingContainer | None = None
    billed_by: Literal["tokens", "machine_hours"] = "tokens"
    price: Price | None = None
    stand_in: Price | None = None
    released: date | None = None
    retires_not_before: date | None = None
    tuning_ends_on: date | None = None
    retired_on: date | None = None
    retired_source: str | None = None
    untunable: Untunable | None = None
    successor: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def cloud(self) -> str:
        """The prefix of its names: three backends are Vertex AI."""
        return "vertex_ai" if self.backend.startswith("vertex_") else self.backend

    @property
    def short(self) -> str:
        """A name without path, of letters that may stand between the colons of an alias."""
        name = self.name.rpartition("/")[2]
        return (name.rpartition("@")[2] if "/" in self.name else name).replace(":", "-")

    @property
    def names(self) -> frozenset[str]:
        """Everything it is called, in small letters."""
        name = self.name.rpartition("/")[2]
        known = (self.name, name, *self.other_names, *((name.rpartition("@")[2],) if "/" in self.name else ()))
        return frozenset(each.lower() for each in known)

    def standing(self, today: date) -> Standing:
        """Whether it can be tuned today, and if not, why."""
        if self.retired(today):
            return Standing.RETIRED
        if self.untunable is not None:
            return Standing.NOT_TUNABLE
        ended = self.tuning_ends_on is not None and self.tuning_ends_on <= today
        return Standing.TUNING_ENDED if ended else Standing.TUNABLE

    def retired(self, today: date) -> bool:
        """True from the day of retirement on."""
        return self.retired_on is not None and self.retired_on <= today

    def reason(self, today: date) -> str | None:
        """Why it cannot be tuned today, in a sentence; None when it can."""
        match self.standing(today):
            case Standing.TUNABLE:
                return None
            case Standing.TUNING_ENDED:
                gone = f"; it retires on {self.retired_on}" if self.retired_on else ""
                return f"The base model '{self.name}' takes no new tuning jobs since {self.tuning_ends_on}{gone}."
            case Standing.RETIRED:
                return f"The base model '{self.name}' was retired on {self.retired_on}.{self._never()}"
            case Standing.NOT_TUNABLE:
                return self._untunable()

    def warnings(self, today: date) -> tuple[str, ...]:
        """What a person who tunes it today should know of its end."""
        if (reason := self.reason(today)) is not None:
            return (f"{reason} It was let through by the installation's allowance; the provider may refuse it.",)
        if self.retired_on is None or (self.retired_on - today).days > SOON_DAYS:
            return ()
        return (f"'{self.name}' retires on {self.retired_on}: a model tuned from it may stop answering that day.",)

    def limits_of(self, method: Method) -> DatasetLimits:
        """The dataset limits of a method: some take text alone."""
        if method not in self.text_only_methods:
            return self.limits
        return msgspec.structs.replace(self.limits, modalities=("text",))

    def _never(self) -> str:
        why = self.untunable
        return "" if why is None or why.since else f" It could not be tuned before either: {why.reason}"

    def _untunable(self) -> str:
        why = self.untunable
        since = f" since {why.since}" if why and why.since else ""
        return f"'{self.name}' cannot be tuned{since}: {why.reason if why else 'nobody said why.'}"
