from typing import Any

import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.request import UNSUPPORTED as GEMINI
from tuneway.prediction.dialects.instances.request import UNSUPPORTED as INSTANCES
from tuneway.prediction.hub.fit import fitted, refuse_unseen
from tuneway.prediction.hub.older import OLDER

ASKED: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "logit_bias": {"1": 5},
    "logprobs": True,
    "modalities": ["text", "audio"],
    "moderation": {"model": "x"},
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "service_tier": "flex",
    "store": True,
    "tool_choice": "required",
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "top_logprobs": 3,
    "verbosity": "low",
    "web_search_options": {},
}
HARMLESS: dict[str, Any] = {
    "functions": [],
    "logit_bias": {},
    "logprobs": False,
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "n": 1,
    "parallel_tool_calls": True,
    "prompt_cache_key": "k",
    "response_format": {"type": "text"},
    "safety_identifier": "s",
    "service_tier": "auto",
    "store": False,
    "stream_options": {"include_obfuscation": True},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "user": "u",
    "verbosity": "medium",
}

# The older names of tools are read as tools before (``test_older.py``).
REFUSED = sorted({*GEMINI, *INSTANCES} - {*OLDER})


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_expressed_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadInput, match=f"'{name}' is not supported by 'm'.*drop_params") as caught:
        fitted(ask(**{name: ASKED[name]}), (name,), drop=())
    assert (caught.value.param, caught.value.code) == (name, "unsupported_parameter")


@pytest.mark.parametrize("name", REFUSED)
def test_a_route_may_drop_it(name: str) -> None:
    assert fitted(ask(**{name: ASKED[name]}), (name,), drop=(name,)) == ask()


def test_a_route_may_drop_what_could_be_expressed() -> None:
    assert fitted(ask(temperature=1), (), drop=("temperature", "messages", "nonsense")) == ask()


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_defaults_ask_for_nothing(name: str) -> None:
    request = ask(**{name: HARMLESS[name]})
    assert fitted(request, INSTANCES, drop=()) is request


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="Unknown parameter: 'colour'") as caught:
        fitted(ask(colour="red"), (), drop=("shape",))
    assert (caught.value.param, caught.value.code) == ("colour", "unknown_parameter")


def test_a_route_may_drop_an_unknown_field() -> None:
    assert fitted(ask(colour="red"), (), drop=("colour",)).messages == ask().messages


def test_an_unknown_field_behind_very_many_that_the_host_takes_is_found_in_one_pass() -> None:
    taken = tuple(f"x{n}" for n in range(300_000))  # a look at all of them for each would take a quarter of an hour
    with pytest.raises(BadInput, match="Unknown parameter: 'colour'"):
        refuse_unseen((*taken, "colour"), taken, model="m")
