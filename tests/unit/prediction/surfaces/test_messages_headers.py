import pytest

from tuneway.errors import BadInput
from tuneway.prediction.surfaces.messages.headers import checked, fields_for, headers_for
from tuneway.routing.routes import Dialect, Provider, Target

SENT = {"anthropic-version": "2023-06-01", "anthropic-beta": "a-1, b-2"}


def claude(provider: Provider, *, dialect: Dialect = "anthropic", api_version: str | None = None) -> Target:
    return Target(provider=provider, dialect=dialect, model="claude-sonnet-4-5", api_version=api_version)


@pytest.mark.parametrize("provider", ["anthropic", "azure"])
def test_both_are_passed_on_where_they_are_headers(provider: Provider) -> None:
    assert headers_for(claude(provider), SENT) == {"anthropic-version": "2023-06-01", "anthropic-beta": "a-1,b-2"}
    assert fields_for(claude(provider), SENT) == {}


def test_a_route_that_says_its_version_is_not_overruled() -> None:
    assert "anthropic-version" not in headers_for(claude("anthropic", api_version="2026-10-21"), SENT)


def test_vertex_has_a_version_of_its_own() -> None:
    assert headers_for(claude("vertex"), SENT) == {"anthropic-beta": "a-1,b-2"}


def test_bedrock_reads_betas_in_the_body() -> None:
    assert headers_for(claude("bedrock"), SENT) == {}
    assert fields_for(claude("bedrock"), SENT) == {"anthropic_beta": ["a-1", "b-2"]}


def test_nothing_sent_is_nothing_passed_on() -> None:
    assert checked({"anthropic-version": None, "anthropic-beta": ""}) == {}
    assert headers_for(claude("anthropic"), {}) == {}
    assert fields_for(claude("bedrock"), {}) == {}


@pytest.mark.parametrize("header", [{"anthropic-version": "latest"}, {"anthropic-beta": "a\nb"}])
def test_what_no_header_can_hold_is_refused(header: dict[str, str | None]) -> None:
    with pytest.raises(BadInput) as caught:
        checked(header)
    assert caught.value.param == next(iter(header))
