"""What an answer cost, from its tokens and a dated price file.

A model without a published price has none here either: its cost is unknown, never guessed. A tuned Gemini costs what
its base model costs, so a target that names its ``model`` is priced by it.
"""

from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import UNSET

from tuneway.errors import BadInput
from tuneway.prediction.hub.answer import Usage
from tuneway.routing.routes import Target

MILLION = 1_000_000
DECIMALS = 8


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD for a million tokens, of the models these patterns name; ``cached`` None where no such price is known."""

    models: tuple[str, ...]
    input: float
    output: float
    cached: float | None = None
    source: str


class _File(msgspec.Struct, frozen=True, kw_only=True):
    as_of: date
    prices: tuple[Price, ...]


class Prices:
    """The rows of one or more price files; of two that fit, the first counts."""

    def __init__(self, rows: tuple[Price, ...]) -> None:
        self._rows = rows
        self._price = lru_cache(maxsize=1024)(self._found)

    def over(self, body: bytes) -> "Prices":
        """These prices with an installation's own file over them. Raises BadInput."""
        try:
            return Prices(msgspec.json.decode(body, type=_File).prices + self._rows)
        except msgspec.DecodeError as exc:
            raise BadInput(f"The price file cannot be read: {exc}.") from exc

    def cost(self, usage: Usage, target: Target) -> float | None:
        """USD; None where no price is known."""
        price = self._price(target.model or target.resource.rpartition("/")[2])
        return None if price is None else round(_usd(usage, price), DECIMALS)

    def _found(self, model: str) -> Price | None:
        name = model.lower()
        fits = (row for row in self._rows if any(fnmatchcase(name, pattern) for pattern in row.models))
        return next(fits, None)


def load() -> Prices:
    """The prices that come with this version of tuneway."""
    body = files("tuneway.prediction").joinpath("prices.json").read_bytes()
    return Prices(msgspec.json.decode(body, type=_File).prices)


def _usd(usage: Usage, price: Price) -> float:
    """Tokens read from a cache are among the prompt's; without a price of their own they cost as much as the rest."""
    details = usage.prompt_tokens_details
    cached = 0 if details is UNSET or price.cached is None else details.cached_tokens
    read = (usage.prompt_tokens - cached) * price.input + cached * (price.cached or 0.0)
    return (read + usage.completion_tokens * price.output) / MILLION
