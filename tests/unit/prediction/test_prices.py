"""What an answer cost."""

import pytest
from msgspec import UNSET

from tuneway.errors import BadInput
from tuneway.prediction.hub.answer import PromptDetails, Usage
from tuneway.prediction.prices import load
from tuneway.routing.routes import Target

GEMINI = Target(resource="projects/p/locations/global/publishers/google/models/gemini-3.5-flash")
OWN = b"""{"as_of": "2026-11-21", "prices": [
  {"models": ["gpt-5*"], "input": 2, "output": 8, "cached": 0.5, "source": "our contract"},
  {"models": ["gemini-3.5-flash"], "input": 1, "output": 1, "source": "our contract"}]}"""


def usage(read: int, written: int, *, cached: int | None = None) -> Usage:
    details = UNSET if cached is None else PromptDetails(cached_tokens=cached)
    total = read + written
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=total, prompt_tokens_details=details)


def test_tokens_in_and_out_have_their_own_price() -> None:
    assert load().cost(usage(1_000_000, 100_000), GEMINI) == 1.5 + 0.9


def test_a_tuned_model_costs_what_its_base_does() -> None:
    tuned = Target(resource="projects/p/locations/us/endpoints/1", model="gemini-3.5-flash")
    assert load().cost(usage(10, 10), tuned) == load().cost(usage(10, 10), GEMINI)


@pytest.mark.parametrize("model", ["gemini-9", "gemini-3.5-flash-lite-live", "endpoint"])
def test_what_has_no_published_price_has_none(model: str) -> None:
    assert load().cost(usage(10, 10), Target(model=model)) is None


def test_cached_tokens_cost_less_only_where_that_is_known() -> None:
    assert load().cost(usage(100, 0, cached=100), GEMINI) == load().cost(usage(100, 0), GEMINI)
    own = load().over(OWN)
    assert own.cost(usage(1_000_000, 0, cached=500_000), Target(model="GPT-5-mini")) == 1.0 + 0.25


def test_an_installations_own_prices_come_first() -> None:
    assert load().over(OWN).cost(usage(1_000_000, 1_000_000), GEMINI) == 2.0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"as_of": "2026-11-21", "prices": [{"models": ["x"]}]}'])
def test_a_price_file_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="price file"):
        load().over(body)
