"""Whatever routes there are: what is exported imports as what it was, on any installation."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneway.routing.litellm_config import exported, imported
from tuneway.routing.routes import Limits, Prompt, Route, Target
from tuneway.routing.targets import Defaults, Place

NAMES = st.from_regex(r"[a-z][a-z0-9._-]{0,12}", fullmatch=True)
REFERENCES = st.sampled_from(["env:KEY_1", "projects/p/secrets/s/versions/latest", None])
RESOURCES = st.sampled_from(
    [
        "projects/p/locations/us-central1/endpoints/4567",
        "projects/p/locations/global/publishers/google/models/gemini-2.5-pro",
        "projects/p/locations/eu/publishers/mistralai/models/codestral",  # a name that an import would complete
        "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-6@default",
        "projects/p/locations/us-east5/publishers/meta/models/llama-4-maas",
        "projects/p/locations/us-east5/publishers/nobody/models/unheard-of",
        "projects/p/locations/us-east5/endpoints/named-endpoint",
    ]
)
WAYS = {
    "profile": st.sampled_from([None, "vllm", "gemini-2.5"]),
    "drop_params": st.lists(st.sampled_from(["seed", "user", "n"]), unique=True).map(tuple),
    "weight": st.sampled_from([0.0, 0.001, 0.25, 1.0, 90.0, 2e6]),
    "order": st.integers(0, 1200),
    "family": st.sampled_from([None, "anthropic"]),
}
VERTEX = st.builds(
    Target,
    resource=RESOURCES,
    dialect=st.sampled_from(["gemini", "openai", "anthropic", "instances"]),
    host=st.sampled_from([None, "4567.us-central1-8.prediction.vertexai.goog", "elsewhere.example"]),
    raw=st.booleans(),
    **WAYS,
)
HOSTED = st.builds(
    Target,
    provider=st.sampled_from(["openai", "azure", "anthropic", "bedrock", "custom_openai"]),
    dialect=st.sampled_from(["openai", "anthropic", "bedrock"]),
    model=st.sampled_from(["gpt-5", "org/model", "eu.anthropic.claude-x-v1:0", "codestral", "claude-opus", "a*b", ""]),
    base_url=st.sampled_from([None, "https://api.openai.com/v1", "https://api.groq.com/openai/v1", "http://h:8000/v1"]),
    region=st.sampled_from([None, "eu-west-1"]),
    api_version=st.sampled_from([None, "2024-10-21", "preview"]),
    secret=REFERENCES,
    **WAYS,
)
SECONDS = st.sampled_from([None, 0.0001, 1.5, 30.0, 100_000.0])
DEFAULTS = Defaults(
    project="other",
    location="asia-east1",
    places={
        name: Place(base_url="https://own.example/v1", secret="env:OWN", region="us-east-2", api_version="preview")
        for name in ("openai", "azure", "anthropic", "bedrock", "custom_openai", "groq")
    },
)


@st.composite
def books(draw: st.DrawFn) -> list[Route]:
    """Routes whose fallbacks go to later ones, or to identifiers, so that none leads back."""
    aliases = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    return [
        Route(
            alias=alias,
            targets=tuple(draw(st.lists(VERTEX | HOSTED, min_size=1, max_size=3).filter(asked))),
            created_at=0.0,
            owner=draw(st.sampled_from([None, "acme"])),
            retries=draw(st.integers(0, 12)),
            timeouts=Limits(total=draw(SECONDS), first=draw(SECONDS), between=draw(SECONDS)),
            cooldown=draw(st.sampled_from([0.0, 30.0, 45.5, 90_000.0])),
            log_prompts=draw(st.booleans()),
            prompts=draw(
                st.sampled_from([{}, {"anthropic": Prompt(system="Be kind."), "default": Prompt(user="{{input}}")}])
            ),
            fallbacks=draw(fallbacks(aliases[place + 1 :])),
            context_fallbacks=draw(fallbacks(aliases[place + 1 :])),
            content_fallbacks=draw(fallbacks(aliases[place + 1 :])),
        )
        for place, alias in enumerate(aliases)
    ]


def asked(targets: list[Target]) -> bool:
    return any(target.weight > 0 for target in targets)


def fallbacks(later: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from([*later, "vertex_ai/gemini-2.5-pro"]), unique=True, max_size=2).map(tuple)


@settings(max_examples=60, deadline=None)
@given(books())
def test_export_then_import_is_the_identity(routes: list[Route]) -> None:
    config = json.loads(msgspec.json.encode(exported(routes)))
    found = imported(config, defaults=DEFAULTS)
    assert found.refused == ()
    assert list(found.routes) == routes


@settings(max_examples=60, deadline=None)
@given(books())
def test_an_export_holds_no_more_than_json(routes: list[Route]) -> None:
    config = exported(routes)
    assert json.loads(json.dumps(config)) == config
