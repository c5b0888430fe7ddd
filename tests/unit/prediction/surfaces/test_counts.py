"""Counting tokens: who counts, what is estimated, what is refused."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.edge.predict_door import Badges
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import BadInput, UpstreamError
from tuneway.prediction.calls import Connection
from tuneway.prediction.journey import Journey
from tuneway.prediction.surfaces.counts.counters import counter_of, headers_of, tokens_in
from tuneway.prediction.surfaces.counts.question import CountQuestion, estimate
from tuneway.prediction.surfaces.counts.request import Measured, measured
from tuneway.routing.routes import Route, Target

CLAUDE = Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-4-6", drop_params=("cache_control",))
ROUTE = Route(alias="m", targets=(CLAUDE,), created_at=0.0)
GPT = Target(provider="openai", dialect="openai", model="gpt-5")
PROFILE = Target(
    provider="bedrock", dialect="bedrock", model="arn:aws:bedrock:eu-west-1:1:application-inference-profile/x"
)


def ask(**more: Any) -> Measured:
    body = {"model": "m", "messages": [{"role": "user", "content": "12345678"}], **more}
    return measured(json.dumps(body).encode(), {"anthropic-version": "2023-06-01"})


@pytest.mark.parametrize("target", [GPT, PROFILE, Target(dialect="instances"), Target(dialect="openai")])
def test_not_every_host_counts(target: Target) -> None:
    assert counter_of(target) is None


@pytest.mark.parametrize(
    ("model", "counted"),
    [
        ("eu.anthropic.claude-sonnet-4-5-v1:0", "anthropic.claude-sonnet-4-5-v1:0"),
        ("us-gov.anthropic.claude-3-haiku", "anthropic.claude-3-haiku"),
        ("anthropic.claude-3-haiku", "anthropic.claude-3-haiku"),
        ("us.claude", "us.claude"),
    ],
)
def test_bedrock_counts_for_a_models_own_id(model: str, counted: str) -> None:
    target = Target(provider="bedrock", dialect="bedrock", model=model, region="eu-west-1")
    counter = counter_of(target)
    assert counter is not None
    assert counter.target_of(target).model == counted


def test_what_a_route_drops_is_not_counted() -> None:
    counter = counter_of(CLAUDE)
    assert counter is not None
    assert set(counter.to_body(ask(cache_control={"type": "ephemeral"}), CLAUDE)) == {"model", "messages"}


def test_anthropics_headers_go_where_they_are_read() -> None:
    assert headers_of(ask(), CLAUDE) == {"anthropic-version": "2023-06-01"}
    assert headers_of(ask(), Target(resource="r")) == {}


def test_words_and_tools_make_the_estimate_pictures_none() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    picture = [{"role": "user", "content": [{"type": "text", "text": "12345678"}, {"type": "image", "source": source}]}]
    tool = {"name": "f", "input_schema": {"type": "object"}}
    assert estimate(ask().chat()) == estimate(ask(messages=picture).chat()) == 2
    assert estimate(ask(system="1234").chat()) == 3
    assert estimate(ask(tools=[tool]).chat()) > 10


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"input_tokens": "many"}', b'{"error": {"message": "No."}}'])
def test_an_answer_without_a_count_is_a_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        tokens_in(body)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"\xff", None),
        (b'{"messages": []}', "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": 7, "messages": []}', "model"),
    ],
)
def test_a_body_that_cannot_be_read_names_the_field(body: bytes, param: str | None) -> None:
    with pytest.raises(BadInput) as caught:
        measured(body, {})
    assert caught.value.param == param


def test_what_only_claude_has_cannot_be_estimated() -> None:
    with pytest.raises(BadInput) as caught:
        ask(tools=[{"type": "web_search_20250305", "name": "web_search"}]).chat()
    assert caught.value.param == "tools[0].type"


async def test_a_count_is_not_streamed() -> None:
    upstream = HttpxUpstream(httpx.MockTransport(lambda _: httpx.Response(500)))
    question = CountQuestion(ask(), via=Connection(upstream=upstream, credentials=Badges()), journey=Journey(ROUTE))
    with pytest.raises(BadInput) as caught:
        await question.opened(CLAUDE)
    assert caught.value.param == "stream"
