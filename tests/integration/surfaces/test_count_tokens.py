"""Counting tokens: the anthropic SDK, unmodified, against every host, Claude's and others'."""

from typing import Any

import anthropic
import pytest

from tests.integration.surfaces.asking import CITY, PIXEL_DATA
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.integration.surfaces.hosts import HOSTS
from tests.vendors.script import Error, garbage

COUNTING = ["anthropic", "foundry", "claude-vertex", "bedrock", "bedrock-claude", "gemini", "gemini-tuned"]
QUESTION: list[Any] = [{"role": "user", "content": "How are you today?"}]
TOOL: Any = {"name": "weather", "description": "The weather.", "input_schema": CITY}


def ask(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "system": "Be brief.", "messages": QUESTION, **more}


@pytest.mark.parametrize("alias", list(HOSTS))
def test_every_prompt_is_measured(door: Door, alias: str) -> None:
    raw = door.claude().messages.with_raw_response.count_tokens(**ask(alias))
    assert raw.parse().input_tokens > 0
    assert ("x-tuneway-estimated" in raw.headers) is (alias not in COUNTING)
    assert raw.headers["request-id"] == raw.headers["x-request-id"]


@pytest.mark.parametrize("alias", COUNTING)
def test_a_host_that_counts_is_asked(door: Door, behind: Behind, alias: str) -> None:
    raw = door.claude().messages.with_raw_response.count_tokens(**ask(alias))
    assert raw.parse().input_tokens == 6
    [asked] = behind(alias).requests
    assert any(word in asked.path for word in ("count_tokens", "count-tokens", ":countTokens"))
    line = door.line(raw.headers["x-request-id"])
    assert line["gen_ai.operation.name"] == "count_tokens"
    assert "gen_ai.usage.output_tokens" not in line


@pytest.mark.parametrize("alias", list(HOSTS))
def test_pictures_tools_and_thoughts_are_part_of_a_prompt(door: Door, alias: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL_DATA}
    said = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    more: dict[str, Any] = {} if alias in {"container", "bedrock-key"} else {"tools": [TOOL]}
    thinks = {} if alias not in COUNTING else {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    asked = ask(alias, messages=[{"role": "user", "content": said}], **more, **thinks)
    assert door.claude().messages.count_tokens(**asked).input_tokens > 0


@pytest.mark.parametrize("alias", COUNTING)
def test_a_refusal_has_anthropics_shape(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Error(429, retry_after=3), garbage())
    with pytest.raises(anthropic.RateLimitError) as caught:
        door.claude().messages.count_tokens(**ask(alias))
    assert caught.value.response.headers["retry-after"] == "3"
    with pytest.raises(anthropic.InternalServerError):
        door.claude().messages.count_tokens(**ask(alias))


def test_a_model_that_nobody_knows_is_not_found(door: Door) -> None:
    with pytest.raises(anthropic.NotFoundError):
        door.claude().messages.count_tokens(**ask("nobody"))


@pytest.mark.parametrize("alias", ["anthropic", "bedrock", "openai"])
async def test_the_asynchronous_sdk_counts_too(door: Door, alias: str) -> None:
    async with door.async_claude() as client:
        assert (await client.messages.count_tokens(**ask(alias))).input_tokens > 0
