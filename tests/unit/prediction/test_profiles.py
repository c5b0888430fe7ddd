from datetime import UTC, date, datetime, timedelta

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.profiles import Profile, model_name, profile_of, rows
from tuneway.routing.routes import Dialect, Provider, Target


def claude(name: str, provider: Provider = "anthropic", dialect: Dialect = "anthropic") -> Profile:
    return profile_of(Target(model=name, provider=provider, dialect=dialect))


def gemini(name: str) -> Profile:
    return profile_of(Target(resource=f"projects/p/locations/global/publishers/google/models/{name}"))


def test_every_row_says_when_and_whence_and_is_one_of_its_name() -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=1)  # who writes a row may be a day ahead of UTC
    assert all(row.source and date(2026, 1, 1) <= row.as_of <= ahead for row in rows())
    assert len({row.name for row in rows()}) == len(rows())


def test_newer_geminis_are_asked_once_for_each_choice() -> None:
    assert [gemini(name).several_choices for name in ("gemini-3.5-flash", "gemini-2.5-pro")] == [False, True]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_row_can_be_named_by_a_route(row: object) -> None:
    name = str(getattr(row, "name", ""))
    assert profile_of(Target(profile=name)).name == name


def test_a_row_says_only_what_a_profile_has() -> None:
    fields = set(Profile.__struct_fields__)
    assert all(set(row.says) <= fields for row in rows())


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("claude-3-haiku@20240307", "claude-3"),
        ("claude-3-5-sonnet-20241022", "claude-3-5"),
        ("claude-3-7-sonnet@20250219", "claude-3-7"),
        ("claude-opus-4@20250514", "claude-opus-4"),
        ("claude-opus-4-1-20250805", "claude-opus-4-1"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-sonnet-4-5", "claude-4-5"),
        ("claude-haiku-4-5-20251001", "claude-4-5"),
        ("claude-sonnet-4-6@default", "claude-4-6"),
        ("claude-opus-4-7", "claude-adaptive"),
        ("claude-opus-5", "claude-adaptive"),
        ("claude-haiku-5-5", "claude-adaptive"),
        ("claude-sonnet-5", "claude-adaptive"),
        ("claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("claude-opus-5-5", "claude-unforced"),
        ("claude-fable-5", "claude-fable"),
        ("claude-fable-5-2", "claude-unforced"),
        ("claude-mythos-preview", "claude-mythos-preview"),
        ("Claude-Of-Tomorrow", "anthropic"),
    ],
)
def test_every_claude_has_its_family(name: str, row: str) -> None:
    assert claude(name).name == row


def test_families_are_the_same_on_bedrock() -> None:
    profile = claude("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "bedrock", "bedrock")
    assert (profile.reasoning, profile.max_output_tokens, profile.json_schema) == ("budget", 64000, False)
    assert claude("anthropic.claude-opus-5-5", "bedrock", "bedrock").json_schema
    assert not claude("anthropic.claude-3-5-sonnet-20241022-v2:0", "bedrock", "bedrock").json_schema


@pytest.mark.parametrize(
    ("provider", "version"),
    [
        ("anthropic", "2023-06-01"),
        ("azure", "2023-06-01"),
        ("vertex", "vertex-2023-10-16"),
        ("bedrock", "bedrock-2023-05-31"),
    ],
)
def test_every_place_has_its_version(provider: Provider, version: str) -> None:
    profile = claude("claude-sonnet-4-5", provider)
    assert (profile.anthropic_version, profile.sampling) == (version, True)


def test_a_route_may_set_the_version_and_the_newest_takes_no_sampling() -> None:
    newest = Target(model="claude-sonnet-4-5", dialect="anthropic", provider="anthropic", api_version="2026-10-21")
    assert (profile_of(newest).anthropic_version, profile_of(newest).sampling) == ("2026-10-21", False)


def test_geminis_think_in_levels_or_in_tokens() -> None:
    assert gemini("gemini-3.5-flash").efforts["high"] == "HIGH"
    assert gemini("gemini-2.5-flash").budgets == {
        "none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576,
    }  # fmt: skip
    assert gemini("gemini-2.5-pro").budgets["none"] == 128
    assert gemini("gemini-2.0-flash").reasoning == "none"


def test_a_named_row_goes_over_the_rest() -> None:
    served = Target(model="my-server", dialect="openai", provider="custom_openai", profile="vllm")
    assert profile_of(served).reasoning_field == "reasoning"
    deployment = Target(model="chat-prod", dialect="openai", provider="azure", profile="azure-reasoning")
    assert profile_of(deployment).limit_field == "max_completion_tokens"


def test_what_no_row_knows_is_taken_to_be_ordinary() -> None:
    assert profile_of(Target(model="x", dialect="openai", provider="openai")) == Profile()


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadInput, match="no profile 'nope'") as caught:
        profile_of(Target(profile="nope"))
    assert caught.value.param == "profile"


def test_a_model_is_named_by_its_host() -> None:
    resource = "projects/p/locations/eu/publishers/anthropic/models/claude-opus-5@default"
    assert model_name(Target(resource=resource)) == "claude-opus-5@default"
    assert model_name(Target(resource=resource, model="served")) == "served"
