from typing import Any

import pytest

from tests.unit.prediction.asking import GEMINI, ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.request import to_request
from tuneway.routing.routes import Target


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"google": {"thought_tag_marker": "think"}}, "google.thought_tag_marker"),
        ({"google": "fast"}, "google"),
        (
            {"google": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT"}]}},
            "google.safety_settings[0].threshold",
        ),
        ({"extra_body": {"google": {"cached_content": 7}}}, "extra_body.google.cached_content"),
        ({"extra_body": {"top_k": 5}}, "extra_body.top_k"),
        ({"google": {}, "extra_body": {"google": {}}}, "extra_body"),
        ({"google": {"thinking_config": {}}, "reasoning_effort": "low"}, "reasoning_effort"),
    ],
)
def test_what_is_wrong_with_googles_own_fields_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_request(ask(**fields), GEMINI)
    assert caught.value.param == param


@pytest.mark.parametrize("name", ["google", "extra_body"])
def test_empty_ones_say_nothing(name: str) -> None:
    assert to_request(ask(**{name: {}}), GEMINI) == to_request(ask(), GEMINI)


def test_a_route_may_drop_them() -> None:
    target = Target(resource=GEMINI.resource, drop_params=("google",))
    assert to_request(ask(google={"cached_content": "x"}), target) == to_request(ask(), target)


def test_an_effort_that_the_route_drops_is_not_said_twice() -> None:
    target = Target(resource=GEMINI.resource, drop_params=("reasoning_effort",))
    fields: dict[str, Any] = {"google": {"thinking_config": {"thinking_budget": 0}}, "reasoning_effort": "low"}
    assert to_request(ask(**fields), target)["generationConfig"] == {"thinkingConfig": {"thinkingBudget": 0}}
