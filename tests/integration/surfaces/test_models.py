"""The list of models: the openai and the anthropic SDK, unmodified."""

import anthropic
import openai
import pytest

from tests.integration.surfaces.conftest import EVERY
from tests.integration.surfaces.door import Door


def test_openais_sdk_lists_and_finds(door: Door) -> None:
    listed = {model.id for model in door.sdk().models.list()}
    assert set(EVERY) <= listed
    assert door.sdk().models.retrieve("gemini").object == "model"
    with pytest.raises(openai.NotFoundError):
        door.sdk().models.retrieve("nobody")


def test_anthropics_sdk_lists_page_by_page_and_finds(door: Door) -> None:
    first = door.claude().models.list(limit=5)
    assert (len(first.data), first.has_more, first.first_id) == (5, True, first.data[0].id)
    everything = [model.id for model in door.claude().models.list(limit=5)]
    assert set(EVERY) <= set(everything)
    assert len(everything) == len(set(everything))
    found = door.claude().models.retrieve("gemini")
    assert (found.type, found.display_name, found.lifecycle) == ("model", "gemini", "active")
    assert found.created_at.tzinfo is not None


def test_anthropics_sdk_goes_back_too(door: Door) -> None:
    whole = [model.id for model in door.claude().models.list(limit=1000)]
    before = door.claude().models.list(limit=3, before_id=whole[5])
    assert [model.id for model in before.data] == whole[2:5]


def test_what_is_not_there_is_told_in_anthropics_words(door: Door) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        door.claude().models.retrieve("nobody")
    assert caught.value.type == "not_found_error"
    with pytest.raises(anthropic.AuthenticationError) as refused:
        door.claude(api_key="wrong").models.list()
    assert refused.value.type == "authentication_error"


async def test_the_asynchronous_sdk_lists_too(door: Door) -> None:
    async with door.async_claude() as client:
        assert "gemini" in [model.id async for model in client.models.list(limit=4)]
