"""Where a name leads on this computer; what leaves its place open is told which argument says it."""

import pytest

from tuneway.api.options import Way
from tuneway.api.places import VARIABLES, defaults, identified, target
from tuneway.errors import BadInput
from tuneway.routing.targets import Place


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in VARIABLES.values():
        for name in (*known.base, *known.region):
            monkeypatch.delenv(name, raising=False)


def named(model: str, way: Way | None = None, *, project: str | None = None, place: Place | None = None) -> str | None:
    way = way or Way()
    identifier = identified(model, way)
    settled = {model.partition("/")[0]: place} if place else {}
    return target(identifier, defaults(identifier, way, project=project, settled=settled)).base_url


@pytest.mark.parametrize(
    ("model", "argument", "variable"),
    [
        ("bedrock/eu.anthropic.claude-sonnet-5", "aws_region_name", "AWS_REGION"),
        ("azure/gpt-5", "api_base", "AZURE_API_BASE"),
        ("hosted_vllm/qwen", "api_base", "HOSTED_VLLM_API_BASE"),
        ("vertex_ai/gemini-3.5-flash", "vertex_project", "GOOGLE_CLOUD_PROJECT"),
        ("vertex_ai/endpoints/4567", "vertex_project", "GOOGLE_CLOUD_PROJECT"),
    ],
)
def test_what_is_missing_is_named_as_an_argument_and_as_a_variable(model: str, argument: str, variable: str) -> None:
    with pytest.raises(BadInput, match=variable) as fault:
        named(model)
    assert (fault.value.param, f"Give {argument}" in fault.value.message) == (argument, True)


def test_an_argument_goes_before_what_is_settled() -> None:
    settled = Place(base_url="https://settled.example")
    assert named("azure/gpt-5", place=settled) == "https://settled.example"
    assert named("azure/gpt-5", Way(api_base="https://given.example"), place=settled) == "https://given.example"


def test_a_mistake_that_no_argument_mends_is_told_as_it_is() -> None:
    with pytest.raises(BadInput) as fault:
        named("vertex_ai/endpoints/4567", project="no project!")
    assert "Give vertex_project" not in fault.value.message
