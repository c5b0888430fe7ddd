"""Families: the same model is of the same family wherever it is served."""

import pytest

from tuneway.routing.families import DEFAULT, FAMILIES, family_of, prompt_for
from tuneway.routing.identifiers import Alias, parse
from tuneway.routing.routes import Prompt, Target
from tuneway.routing.targets import Defaults, Place, target_of

DEFAULTS = Defaults(
    project="p",
    location="us-central1",
    places={
        "azure": Place(base_url="https://my.openai.azure.com"),
        "bedrock": Place(region="eu-west-1"),
        "custom_openai": Place(base_url="http://box/v1"),
    },
)


def target(identifier: str) -> Target:
    named = parse(identifier)
    assert not isinstance(named, Alias)
    return target_of(named, DEFAULTS)


@pytest.mark.parametrize(
    ("identifier", "family"),
    [
        ("anthropic/claude-sonnet-4-5", "anthropic"),
        ("vertex_ai/claude-sonnet-4-5@20250929", "anthropic"),
        ("bedrock/eu.anthropic.claude-sonnet-4-6-v1:0", "anthropic"),
        ("azure/claude-sonnet-4-5", "anthropic"),
        ("openrouter/anthropic/claude-opus-4", "anthropic"),
        ("vertex_ai/gemini-3.5-flash", "gemini"),
        ("vertex_ai/codestral@2405", "codestral"),
        ("mistral/codestral-latest", "codestral"),
        ("vertex_ai/mistral-medium-3", "mistral"),
        ("bedrock/mistral.mixtral-8x7b-instruct-v0:1", "mistral"),
        ("vertex_ai/meta/llama-4-maverick-17b-128e-instruct-maas", "llama"),
        ("bedrock/us.meta.llama3-3-70b-instruct-v1:0", "llama"),
        ("custom_openai/meta-llama/Llama-3.1-8B-Instruct", "llama"),
        ("custom_openai/codellama/CodeLlama-7b-hf", "codellama"),
        ("custom_openai/Qwen/Qwen2.5-Coder-7B", "qwen-coder"),
        ("custom_openai/google/codegemma-7b", "codegemma"),
        ("openai/gpt-5", "openai"),
        ("openai/o3-mini", "openai"),
        ("groq/openai/gpt-oss-120b", "gpt-oss"),
        ("deepseek/deepseek-chat", "deepseek"),
        ("azure/my-deployment", None),
        ("custom_openai/served", None),
    ],
)
def test_a_family_follows_from_the_name(identifier: str, family: str | None) -> None:
    assert family_of(target(identifier)) == family


def test_a_name_that_says_nothing_is_told_by_its_target_or_its_dialect() -> None:
    assert family_of(Target(model="deployment", family="mistral")) == "mistral"
    assert family_of(Target(resource="projects/p/locations/us/endpoints/1", dialect="gemini")) == "gemini"
    assert family_of(Target(resource="projects/p/locations/us/endpoints/1", dialect="openai")) is None
    assert family_of(Target(model="my-claude-like", family="llama")) == "llama"


def test_a_prompt_is_looked_for_in_the_family_then_in_the_wider_one_then_in_the_default() -> None:
    codestral = target("vertex_ai/codestral@2405")
    narrow, wide, rest = Prompt(system="c"), Prompt(system="m"), Prompt(system="d")
    prompts = {"codestral": narrow, "mistral": wide, DEFAULT: rest}
    assert prompt_for(prompts, codestral) == ("codestral", narrow)
    assert prompt_for({"mistral": wide, DEFAULT: rest}, codestral) == ("mistral", wide)
    assert prompt_for({"gemini": wide, DEFAULT: rest}, codestral) == (DEFAULT, rest)
    assert prompt_for({"gemini": wide}, codestral) is None
    assert prompt_for({DEFAULT: rest}, Target(dialect="openai", model="served")) == (DEFAULT, rest)


def test_every_wider_family_is_one_and_none_is_within_itself() -> None:
    for row in FAMILIES.values():
        seen, wider = [row.name], row.within
        while wider is not None:
            assert wider in FAMILIES
            assert wider not in seen
            seen.append(wider)
            wider = FAMILIES[wider].within
