"""How much to think, by the model's family."""

from typing import Any

import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.request import to_request
from tuneway.routing.routes import Target

GOOGLE = "projects/p/locations/global/publishers/google/models/"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def target(model: str, **more: Any) -> Target:
    return Target(resource=GOOGLE + model, **more)


def config(model: str, **fields: Any) -> dict[str, Any]:
    body: Any = to_request(ask(**fields), target(model))
    found: dict[str, Any] = body.get("generationConfig", {})
    return found


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini-3.5-flash", ("MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH")),
        ("gemini-3.1-pro-preview", ("LOW", "LOW", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH")),
        ("gemini-3-pro-preview", ("LOW", "LOW", "LOW", "HIGH", "HIGH", "HIGH", "HIGH")),
    ],
)
def test_gemini_3_thinks_by_levels(model: str, levels: tuple[str, ...]) -> None:
    told = [config(model, reasoning_effort=effort)["thinkingConfig"] for effort in EFFORTS]
    assert [one["thinkingLevel"] for one in told] == list(levels)
    assert [one["includeThoughts"] for one in told] == [False, *[True] * 6]


@pytest.mark.parametrize(
    ("model", "budgets"),
    [
        ("gemini-2.5-flash", (0, 1024, 1024, 8192, 24576, 24576, 24576)),
        ("gemini-2.5-flash-lite", (0, 1024, 1024, 8192, 24576, 24576, 24576)),
        ("gemini-2.5-pro", (128, 128, 1024, 8192, 24576, 32768, 32768)),
    ],
)
def test_gemini_2_5_thinks_by_tokens(model: str, budgets: tuple[int, ...]) -> None:
    told = [config(model, reasoning_effort=effort)["thinkingConfig"] for effort in EFFORTS]
    assert [one["thinkingBudget"] for one in told] == list(budgets)
    assert all("thinkingLevel" not in one for one in told)


def test_a_model_that_does_not_think_is_not_told_to() -> None:
    assert "thinkingConfig" not in config("gemini-2.0-flash", reasoning_effort="none")
    with pytest.raises(BadInput) as caught:
        config("gemini-2.0-flash", reasoning_effort="low")
    assert (caught.value.param, caught.value.code) == ("reasoning_effort", "unsupported_parameter")
    lax = target("gemini-2.0-flash", drop_params=("reasoning_effort",))
    assert "generationConfig" not in to_request(ask(reasoning_effort="low"), lax)


def test_a_tuned_model_thinks_as_its_route_says() -> None:
    tuned = Target(resource="projects/p/locations/us-central1/endpoints/1", profile="gemini-2.5")
    told: Any = to_request(ask(reasoning_effort="low"), tuned)
    assert told["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 1024


def test_penalties_are_refused_where_they_are_an_error() -> None:
    assert config("gemini-3.5-flash", presence_penalty=1) == {"presencePenalty": 1}
    with pytest.raises(BadInput) as caught:
        config("gemini-3.5-flash-lite", presence_penalty=1)
    assert caught.value.param == "presence_penalty"


def test_of_several_texts_the_last_bears_the_signature() -> None:
    said = {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    told: Any = to_request(ask({"role": "user", "content": "Hi"}, said), target("gemini-3.5-flash"))
    assert told["contents"][1]["parts"] == [{"text": "a"}, {"text": "b", "thoughtSignature": "c2ln"}]
