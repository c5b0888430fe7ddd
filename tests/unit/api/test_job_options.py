import pytest

import tuneway
from tuneway.api.job_options import PROJECTS, asked, is_direct

NAMES = ("TUNEWAY_URL", "TUNEWAY_VERTEX_URL", *PROJECTS)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("options", "named", "direct"),
    [
        ({"base_url": "https://t"}, "vertex_ai/gemini", False),
        ({"api_base": "https://t", "custom_llm_provider": "openai"}, "gemini", False),
        ({"api_base": "https://t"}, "gemini", False),
        ({"custom_llm_provider": "openai"}, "vertex_ai/gemini", False),
        ({"custom_llm_provider": "vertex_ai"}, "gemini", True),
        ({"custom_llm_provider": "vertex_ai_beta", "api_base": "https://v"}, "gemini", True),
        ({"vertex_project": "p"}, "gemini", True),
        ({"vertex_project": "p", "api_base": "https://v"}, "gemini", True),
        ({"gcs_bucket_name": "b"}, "gemini", True),
        ({}, "vertex_ai/gemini", True),
        ({}, "projects/p/locations/l/tuningJobs/1", True),
        ({}, "ftjob-1", False),
    ],
)
def test_what_the_arguments_and_the_name_mean(options: dict[str, str], named: str, *, direct: bool) -> None:
    assert is_direct(asked(options).way, named) is direct


@pytest.mark.parametrize(("variable", "direct"), [("TUNEWAY_URL", False), ("GOOGLE_CLOUD_PROJECT", True)])
def test_the_environment_says_what_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, variable: str, *, direct: bool
) -> None:
    monkeypatch.setenv(variable, "https://anything")
    assert is_direct(asked({}).way, "gemini") is direct


def test_nobody_is_guessed() -> None:
    with pytest.raises(tuneway.BadRequestError, match="TUNEWAY_URL"):
        is_direct(asked({}).way, "gemini")
    with pytest.raises(tuneway.BadRequestError) as fault:
        is_direct(asked({"base_url": "https://t", "vertex_location": "l"}).way)
    assert fault.value.param == "vertex_location"
    with pytest.raises(tuneway.BadRequestError) as other:
        is_direct(asked({"custom_llm_provider": "azure"}).way)
    assert other.value.param == "custom_llm_provider"


def test_fields_without_a_value_are_absent_and_extra_ones_go_along() -> None:
    question = asked({"model": "m", "seed": None, "extra_body": {"tuning_mode": "full"}, "extra_headers": {"A": "b"}})
    assert question.fields == {"model": "m", "tuning_mode": "full"}
    assert question.way.extra_headers == (("a", "b"),)
