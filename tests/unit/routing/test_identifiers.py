from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.routing.identifiers import (
    Alias,
    DedicatedEndpoint,
    Endpoint,
    HostedModel,
    Identifier,
    PublisherModel,
    is_location,
    parse,
    resource,
)

HOST = "4567.us-central1-123.prediction.vertexai.goog"
FULL = "projects/acme/locations/europe-west4/endpoints/4567"
ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdef123456"


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("gemma-shop", Alias("gemma-shop")),
        ("ft:gemini-3.5-flash:acme:abc123", Alias("ft:gemini-3.5-flash:acme:abc123")),
        ("4567", Endpoint(id="4567")),
        ("vertex_ai/4567", Endpoint(id="4567")),
        ("vertex_ai/endpoints/4567", Endpoint(id="4567")),
        ("vertex_ai/gemini/4567", Endpoint(id="4567", protocol="gemini")),
        ("vertex_ai/openai/4567", Endpoint(id="4567", protocol="openai")),
        ("vertex_ai/acme/europe-west4/endpoints/4567", Endpoint(id="4567", project="acme", location="europe-west4")),
        (f"vertex_ai/{FULL}", Endpoint(id="4567", project="acme", location="europe-west4")),
        (FULL, Endpoint(id="4567", project="acme", location="europe-west4")),
        (HOST, DedicatedEndpoint(host=HOST, id="4567", location="us-central1", project_number="123")),
        (f"vertex_ai/{HOST}", DedicatedEndpoint(host=HOST, id="4567", location="us-central1", project_number="123")),
        ("vertex_ai/gemini-3.5-flash", PublisherModel(publisher="google", model="gemini-3.5-flash")),
        (
            "vertex_ai/claude-sonnet-4-6@default",
            PublisherModel(publisher="anthropic", model="claude-sonnet-4-6@default"),
        ),
        ("vertex_ai/codestral@2405", PublisherModel(publisher="mistralai", model="codestral@2405")),
        ("vertex_ai/meta/llama-4-maas", PublisherModel(publisher="meta", model="llama-4-maas")),
        ("vertex_ai/openai/gpt-oss-120b-maas", PublisherModel(publisher="openai", model="gpt-oss-120b-maas")),
        ("vertex_ai/gpt-oss-120b-maas", PublisherModel(publisher="openai", model="gpt-oss-120b-maas")),
        ("vertex_ai/grok-4", PublisherModel(publisher="xai", model="grok-4")),
        (
            "vertex_ai/projects/acme/locations/global/publishers/google/models/gemini-3.5-flash",
            PublisherModel(publisher="google", model="gemini-3.5-flash", project="acme", location="global"),
        ),
    ],
)
def test_every_form_is_read(model: str, named: Identifier) -> None:
    assert parse(model) == named


@pytest.mark.parametrize(
    "model",
    [
        "",
        "a b",
        "-x",
        "x" * 129,
        "4" * 21,
        "vertex_ai/",
        "vertex_ai/endpoints/",
        "vertex_ai/endpoints/../1",
        "vertex_ai/unheard-of",
        "vertex_ai/acme/evil.com//endpoints/1",
        "vertex_ai/acme/us-central1.evil.com/endpoints/1",
        "vertex_ai/acme/US-CENTRAL1/endpoints/1",
        "vertex_ai/acme//endpoints/1",
        "vertex_ai/acme/us-central1/endpoints/1?x=y",
        "vertex_ai/acme/us-central1/endpoints/1:predict",
        "vertex_ai/projects/a@b/locations/us-central1/endpoints/1",
        "vertex_ai/gemini/../x",
        "projects/acme/locations/evil.com/endpoints/1",
        "projects/acme/locations/us/publishers/google/models/a:b",
        "elsewhere/model",
        "\u0664\u0665",
        "4567.us-central1-123.prediction.vertexai.goog.evil.com/x",
    ],
)
def test_what_is_malformed_is_refused_with_a_right_form(model: str) -> None:
    with pytest.raises(BadInput, match="Use an alias") as caught:
        parse(model)
    assert (caught.value.param, caught.value.code) == ("model", "invalid_model_identifier")


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("azure/gpt-35-turbo", HostedModel(vendor="azure", model="gpt-35-turbo")),
        ("anthropic/claude-opus-4-6", HostedModel(vendor="anthropic", model="claude-opus-4-6")),
        ("openai/ft:gpt-5:acme::a1", HostedModel(vendor="openai", model="ft:gpt-5:acme::a1")),
        ("custom_openai/mistralai/Mixtral-8x7B", HostedModel(vendor="custom_openai", model="mistralai/Mixtral-8x7B")),
        ("bedrock/eu.anthropic.claude-x-v1:0", HostedModel(vendor="bedrock", model="eu.anthropic.claude-x-v1:0")),
        ("bedrock/us-west-2/meta.llama:0", HostedModel(vendor="bedrock", model="meta.llama:0", region="us-west-2")),
        (f"bedrock/{ARN}", HostedModel(vendor="bedrock", model=ARN)),
        ("groq/openai/gpt-oss-120b", HostedModel(vendor="groq", model="openai/gpt-oss-120b")),
    ],
)
def test_a_vendors_model_is_split_at_the_first_slash(model: str, named: Identifier) -> None:
    assert parse(model) == named


@pytest.mark.parametrize("name", ["", "/x", "a b", "a?b", "a#b", "../x", "a%2e", "a\\b", "a\nb", "x" * 2049])
def test_a_vendors_model_has_no_characters_that_end_a_path(name: str) -> None:
    with pytest.raises(BadInput, match="no model of a vendor"):
        parse(f"bedrock/{name}")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("4567", "projects/mine/locations/us-central1/endpoints/4567"),
        (FULL, FULL),
        (HOST, "projects/123/locations/us-central1/endpoints/4567"),
        ("4567.us-east5-fasttryout.prediction.vertexai.goog", "projects/mine/locations/us-east5/endpoints/4567"),
        ("vertex_ai/gemini-x", "projects/mine/locations/us-central1/publishers/google/models/gemini-x"),
    ],
)
def test_defaults_fill_what_the_name_leaves_open(model: str, name: str) -> None:
    identifier = parse(model)
    assert not isinstance(identifier, Alias | HostedModel)
    assert resource(identifier, project="mine", location="us-central1") == name


@pytest.mark.parametrize(("project", "location"), [(None, "us"), ("mine", None), ("mine", "evil.com/"), ("a/b", "us")])
def test_a_missing_or_wrong_default_is_refused(project: str | None, location: str | None) -> None:
    with pytest.raises(BadInput):
        resource(Endpoint(id="1"), project=project, location=location)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_location_never_ends_a_host(name: str) -> None:
    assert not is_location(name) or (name.isascii() and not set(name) & set("./:@?#\\ \n"))


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("vertex_ai/projects.locations:@%?# \n", max_size=60))
def test_any_text_is_read_or_refused(model: str) -> None:
    with suppress(BadInput):
        parse(model)
